package conntest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

func applyCases() []testCase {
	return []testCase{
		{name: "SparedReasons", run: applySpared},
		{name: "TestsAgain", run: applyTestsAgain},
		{name: "OnlyTheKeys", run: applyOnlyKeys},
		{name: "RefusedBatches", run: applyRefused},
		{name: "AdmitDecides", run: applyAdmit},
		{name: "Turns", run: applyTurns},
		{name: "ForeignKeyRollsBack", run: applyForeignKey},
		{name: "TriggersTakeNothingMore", run: applyTrigger, needs: Triggers},
		{name: "TwoProcessesOneRow", run: applyRace},
	}
}

// applySpared has one key for each reason.
func applySpared(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, who {text}, kind {text});
CREATE TABLE c (id {int} NOT NULL PRIMARY KEY, p_id {int}, who {text});
INSERT INTO p VALUES (1, '2020-01-01', 'x', 'a'), (2, '2020-01-01', 'ada', 'a'), (3, '2020-01-01', 'x', 'inv'), (4, '2020-01-01', 'x', 'a'), (5, '2025-01-01', 'x', 'a'),
 (6, '2020-01-01', 'x', 'no'), (7, NULL, 'x', 'a'), (8, '?', 'x', 'a'), (9, '2020-01-01', 'x', 'a');
INSERT INTO c VALUES (1, 4, 'ada'), (2, 1, 'x'), (3, 9, 'x')`)
	child := gone(rel("c", "p_id", "id", ""))
	c := f.from("p").where(test("kind", retention.Ne, "no")).about("person", "who").
		minimum(eq("kind", "inv"), latest(cut(own("at"), 2015))).blockedBy(child, f.from("c").about("person", "who"))
	b := withHolds(f.deletion(c, 1, 2, 3, 4, 5, 6, 7, 8, 99), person("ada"))
	b.Action.Children = []retention.Child{child}
	out := f.wantOutcome(b, 1, retention.Spared{Held: 1, Protected: 1, Blocked: 1, Changed: 4, Gone: 1})
	if out.Children["c"] != 1 {
		t.Errorf("children %v", out.Children)
	}
	f.wantIDs("p", "2 3 4 5 6 7 8 9")
	f.wantIDs("c", "1 3")
}

// applyTestsAgain: what was planned and no longer qualifies is left (L6).
func applyTestsAgain(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, who {text}, kind {text});
CREATE TABLE c (id {int} NOT NULL PRIMARY KEY, p_id {int}, at {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01', 'x', 'a'), (2, '2020-01-01', 'x', 'a'), (3, '2020-01-01', 'x', 'a'), (4, '2020-01-01', 'x', 'a'), (5, '2020-01-01', 'x', 'a'), (6, '2020-01-01', 'x', 'a')`)
	c := f.from("p").where(eq("kind", "a")).about("person", "who").by(latest(own("at"), related(rel("c", "p_id", "id", "at"))))
	b := f.deletion(c)
	b.Keys = f.keys(c, noHolds(), 100)
	if len(b.Keys) != 6 {
		t.Fatalf("planned %v", b.Keys)
	}
	f.exec(`UPDATE p SET at = '2025-01-01' WHERE id = 1;
UPDATE p SET kind = 'b' WHERE id = 2;
INSERT INTO c VALUES (1, 3, '2025-01-01');
DELETE FROM p WHERE id = 4`)
	f.exec("UPDATE p SET who = 'ada' WHERE id = 5")
	f.wantOutcome(withHolds(b, person("ada")), 1, retention.Spared{Changed: 3, Gone: 1, Held: 1})
	f.wantIDs("p", "1 2 3 5")
}

func applyOnlyKeys(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (a {int} NOT NULL, b {text} NOT NULL, at {timestamp-text}, PRIMARY KEY (a, b));
INSERT INTO p VALUES (1, 'x', '2020-01-01'), (1, 'y', '2020-01-01'), (2, 'x', '2020-01-01'), (2, 'y', '2020-01-01')`)
	c := f.from("p")
	f.wantOutcome(f.deletion(c, retention.Key{int64(1), "x"}, retention.Key{int64(2), "y"}, retention.Key{int64(3), "x"}), 2, retention.Spared{Gone: 1})
	f.wantRows("SELECT a, b FROM p ORDER BY a", "1|y", "2|x")
}

func applyRefused(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01'), (2, '2020-01-01')`)
	c := f.from("p")
	many := make([]any, retention.MaxBatch+1)
	for i := range many {
		many[i] = i + 1
	}
	nameless, unsealed, unadmitted, wide, action := f.deletion(c, 1), f.deletion(c, 1), f.deletion(c, 1), f.deletion(c, 1, 2), f.deletion(c, 1)
	nameless.Intent, unsealed.Seal, unadmitted.Admit, wide.ChildrenOf, action.Action.Kind = "", nil, nil, 10, retention.Report
	for name, b := range map[string]retention.Batch{
		"no keys":               f.deletion(c),
		"too many keys":         f.deletion(c, many...),
		"a key twice":           f.deletion(c, 1, 2, 1),
		"a key of another form": f.deletion(c, retention.Key{int64(1), int64(2)}),
		"an empty key":          f.deletion(c, retention.Key{}),
		"a key of no type":      f.deletion(c, retention.Key{true}),
		"no intent":             nameless,
		"no seal":               unsealed,
		"no admission":          unadmitted,
		"children of two rows":  wide,
		"no such action":        action,
	} {
		if err := f.refused(b, "p"); err == nil {
			t.Errorf("%s: must be refused", name)
		}
	}
}

// applyAdmit: the gate that Admit sees is the source's, and its error is final.
func applyAdmit(t *testing.T, h Harness) {
	f := setup(t, h, family)
	gate, err := f.s.Install(t.Context(), storeUUID)
	if err != nil {
		t.Fatal(err)
	}
	no := errors.New("the kill switch is on")
	b := f.deletion(f.from("p"), 1, 2)
	b.Action.Children = kids()
	b.Admit = func(_ context.Context, g retention.Gate) (*retention.HoldSet, error) {
		if g != gate || !g.Installed {
			t.Errorf("admit saw the gate %+v, want %+v", g, gate)
		}
		return noHolds(), no
	}
	if err := f.refused(b, "p", "c", "g"); !errors.Is(err, no) {
		t.Errorf("got the error %v, want it to wrap Admit's", err)
	}
}

func applyForeignKey(t *testing.T, h Harness) {
	f := setup(t, h, family)
	b := f.deletion(f.from("p"), 1, 2) // its children are not declared
	_ = f.refused(b, "p", "c", "g")
	b = f.deletion(f.from("p"), 1, 2)
	b.Action.Children = kids()[1:] // c goes, but g still refers to c
	_ = f.refused(b, "p", "c", "g")
	b = f.deletion(f.from("p"), 1, 2)
	b.Action.Children = kids()
	f.wantOutcome(b, 2, retention.Spared{})
}

// applyTrigger: what a trigger adds was neither planned nor tested for holds.
// The connector refuses, rolls back, or keeps it from happening.
func applyTrigger(t *testing.T, h Harness) {
	for name, statement := range map[string]string{
		"of the same table": "DELETE FROM p WHERE id = 3",
		"of another table":  "DELETE FROM c WHERE id = 4",
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, h, family)
			f.exec("DELETE FROM g;\nDELETE FROM c WHERE id <> 4;\nUPDATE c SET p_id = NULL")
			f.trigger("greedy", "DELETE", "p", statement)
			f.describe()
			_, err := f.s.Apply(t.Context(), f.deletion(f.from("p"), 1))
			t.Logf("the connector says: %v", err)
			if err != nil {
				f.wantIDs("p", "1 2 3")
			} else {
				f.wantIDs("p", "2 3")
			}
			f.wantIDs("c", "4")
		})
	}
}

// applyRace: of two processes with the same keys each row is done by one.
func applyRace(t *testing.T, h Harness) {
	f := setup(t, h, "CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text})")
	var keys []any
	for i := range 60 {
		f.exec("INSERT INTO p VALUES (" + cell(i) + ", '2020-01-01')")
		keys = append(keys, i)
	}
	sources := []retention.Source{f.s, f.db.Open(t)}
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := int64(0)
	for i := 0; i < len(keys); i += 20 {
		for _, s := range sources {
			b := f.deletion(f.from("p"), keys[i:i+20]...)
			wg.Go(func() {
				out, err := s.Apply(t.Context(), b)
				if err != nil && !errors.Is(err, retention.ErrLocked) {
					t.Error(err)
				}
				if err == nil && out.Done+out.Spared.Gone != 20 {
					t.Errorf("outcome %+v", out)
				}
				mu.Lock()
				done += out.Done
				mu.Unlock()
			})
		}
	}
	wg.Wait()
	if left := len(f.rows("SELECT id FROM p")); done != int64(60-left) || done == 0 {
		t.Errorf("%d rows were reported done, %d are gone", done, 60-left)
	}
}

// applyTurns: a batch that is admitted has one turn, which ends before its receipt,
// or when it fails.
func applyTurns(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01')`)
	var seen []string
	watched := func(b retention.Batch) retention.Batch {
		seen = nil
		b.Turn = func() func() {
			seen = append(seen, "turn")
			return func() { seen = append(seen, "end") }
		}
		b.Reached = func(at retention.Point) {
			if at == retention.PointAdmitted || at == retention.PointReceipted {
				seen = append(seen, at.String())
			}
		}
		return b
	}
	want := func(what string, all ...string) {
		if diff := cmp.Diff(all, seen); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	whole := []string{retention.PointAdmitted.String(), "turn", "end", retention.PointReceipted.String()}
	f.apply(watched(f.deletion(f.from("p"), 1)))
	want("keys", whole...)
	few := f.deletion(f.from("p"))
	few.Range = &retention.Range{Most: 1}
	f.refused(watched(few), "p")
	want("a range with too many rows", retention.PointAdmitted.String(), "turn", "end")
	all := f.deletion(f.from("p"))
	all.Range = &retention.Range{Most: 2}
	f.apply(watched(all))
	want("range", whole...)
	out := watched(f.deletion(f.from("p"), 2))
	out.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) { return nil, errors.New("not now") }
	f.refused(out, "p")
	want("not admitted")
}
