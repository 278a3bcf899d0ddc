package conntest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func classCases() []testCase {
	return []testCase{
		{name: "Precedence", run: classPrecedence},
		{name: "LaterStage", run: classLater},
		{name: "Done", run: classDone},
		{name: "Minimums", run: classMinimums},
		{name: "Blocked", run: classBlocked},
		{name: "CountsChildrenAndOldest", run: classChildren},
		{name: "EndsOfDueDates", run: classEnds},
		{name: "Evidence", run: classEvidence},
		{name: "SmallGroups", run: classGroups},
		{name: "NothingWithoutReachOrHolds", run: classIncomplete},
	}
}

// classPrecedence has one row for each class, and each row would fit all the
// classes after its own too.
func classPrecedence(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, who {text}, kind {text}, marked {timestamp-text});
CREATE TABLE c (id {int} NOT NULL PRIMARY KEY, p_id {int}, who {text});
INSERT INTO p VALUES (1, NULL, 'h', 'no', 'm'), (2, NULL, 'h', 'keep', 'm'), (3, NULL, 'h', 'keep', NULL), (4, '?', 'h', 'keep', NULL),
 (5, '2025-01-01', 'h', 'keep', NULL), (6, '2020-01-01', 'h', 'keep', NULL), (7, '2020-01-01', 'x', 'keep', NULL), (8, '2020-01-01', 'x', 'yes', NULL), (9, '2020-01-01', 'x', 'yes', NULL);
INSERT INTO c VALUES (1, 1, 'h'), (2, 2, 'h'), (3, 3, 'h'), (4, 4, 'h'), (5, 5, 'h'), (6, 6, 'h'), (7, 7, 'h'), (8, 8, 'h'), (9, 9, 'x')`)
	c := f.from("p").where(test("kind", retention.Ne, "no")).doneWhen("marked").about("person", "who").
		minimum(eq("kind", "keep"), latest(cut(own("at"), 2000))).
		blockedBy(gone(rel("c", "p_id", "id", "")), f.from("c").by(retention.ClockTest{Any: true}).about("person", "who"))
	f.wantClasses(c, person("h"), "excluded done open unresolved active held protected blocked due")
	f.wantClasses(c, noHolds(), "excluded done open unresolved active protected protected due due")
	if n := f.count(c, person("h")).Classes.Total; n != 9 {
		t.Errorf("total %d of 9 rows", n)
	}
}

func classLater(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01'), (2, '2010-01-01'), (3, 'x'), (4, NULL), (5, '2025-01-01')`)
	c := f.from("p")
	later := latest(cut(own("at"), 2015))
	c.Later = &later
	f.wantClasses(c, noHolds(), "due excluded unresolved open active")
	f.wantOutcome(f.deletion(c, 1, 2), 1, retention.Spared{Changed: 1})
}

func classDone(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, email {text}, note {text}, marked {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01', NULL, 'x', NULL), (2, '2020-01-01', 'a@b.c', 'x', '2024-01-01'), (3, '2020-01-01', NULL, 'y', '2024-01-01'),
 (4, '2020-01-01', NULL, 'x', '2024-01-01'), (5, '2020-01-01', NULL, NULL, '2024-01-01')`)
	changes := []retention.Change{{Column: "email", Func: retention.Null},
		{Column: "note", Func: retention.Set, Value: &retention.Scalar{Text: "x"}}, {Column: "id", Func: retention.Keep}}
	f.wantClasses(f.from("p").doneWhen("", changes...), noHolds(), "done due due done due")
	f.wantClasses(f.from("p").doneWhen("marked", changes...), noHolds(), "due due due done due")
	f.wantClasses(f.from("p").doneWhen("", changes[2]), noHolds(), "due due due due due")
}

// classMinimums: the unknown protects (L1, L4).
func classMinimums(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, kind {text}, paid {timestamp-text});
CREATE TABLE bills (id {int} NOT NULL PRIMARY KEY, p_id {int}, paid {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01', 'inv', '2010-01-01'), (2, '2020-01-01', 'inv', '2023-01-01'), (3, '2020-01-01', 'inv', NULL), (4, '2020-01-01', 'inv', '?'),
 (5, '2020-01-01', 'other', '2023-01-01'), (6, '2020-01-01', NULL, NULL), (7, '2020-01-01', 'inv', '2100-01-01'), (8, '2025-01-01', 'inv', '2023-01-01');
INSERT INTO bills VALUES (1, 1, '2023-01-01'), (2, 2, '2010-01-01')`)
	f.wantClasses(f.from("p").minimum(eq("kind", "inv"), latest(cut(own("paid"), 2015))), noHolds(),
		"due protected protected protected due due protected active")
	f.wantClasses(f.from("p").minimum(nil, latest(cut(related(rel("bills", "p_id", "id", "paid")), 2015))), noHolds(),
		"protected due protected protected protected protected protected active")
}

func classBlocked(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
CREATE TABLE c (id {int} NOT NULL PRIMARY KEY, p_id {int}, who {text}, kind {text}, paid {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01'), (4, '2020-01-01'), (5, '2020-01-01');
INSERT INTO c VALUES (1, 1, 'h', 'a', '2010-01-01'), (2, 2, 'x', 'a', '2023-01-01'), (3, 3, 'x', 'a', NULL), (4, 4, 'h', 'other', '2023-01-01'), (5, 5, 'x', 'a', '2010-01-01'), (6, 5, NULL, 'a', '2010-01-01')`)
	child := gone(rel("c", "p_id", "id", ""))
	of := f.from("c").about("person", "who").minimum(nil, latest(cut(own("paid"), 2015)))
	f.wantClasses(f.from("p").blockedBy(child, of), person("h"), "blocked blocked blocked blocked due")
	child.Where = eq("kind", "a")
	f.wantClasses(f.from("p").blockedBy(child, of), person("h"), "blocked blocked blocked due due")
}

func classChildren(t *testing.T, h Harness) {
	f := setup(t, h, family)
	c := f.count(f.from("p"), noHolds(), kids()...)
	if c.Children["c"] != 3 || c.Children["g"] != 2 || len(c.Children) != 2 {
		t.Errorf("children %v", c.Children)
	}
	if c.OldestDue == nil || !c.OldestDue.Equal(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("oldest due %v", c.OldestDue)
	}
}

// The ends of the dates of due rows, as text and as the type that the engine compares.
func classEnds(t *testing.T, h Harness) {
	for _, typ := range []string{"{timestamp-text}", "{timestamp}"} {
		f := setup(t, h, strings.ReplaceAll(`CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at TYP);
INSERT INTO p VALUES (1, '2020-01-01 00:00:00'), (2, '2022-05-06 00:00:00'), (3, '2025-01-01 00:00:00'), (4, NULL)`, "TYP", typ))
		c := f.from("p")
		if typ == "{timestamp}" {
			c = c.by(latest(typed("at", retention.AsTimestamp)))
		}
		if n := f.count(c, noHolds()); n.NewestDue != nil || n.OldestDue == nil {
			t.Errorf("%s: not asked for: %v to %v", typ, n.OldestDue, n.NewestDue)
		}
		c.Newest = true
		n := f.count(c, noHolds())
		if n.OldestDue == nil || n.NewestDue == nil || n.OldestDue.Year() != 2020 || !n.NewestDue.Equal(time.Date(2022, 5, 6, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %v to %v", typ, n.OldestDue, n.NewestDue)
		}
	}
}

func classEvidence(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, who {text});
CREATE TABLE c (id {int} NOT NULL PRIMARY KEY, p_id {int}, at {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01', 'ada'), (2, '?', 'ada'), (3, NULL, 'bob');
INSERT INTO c VALUES (1, 1, '2021-05-06'), (2, 1, '2020-05-06')`)
	c := f.from("p").about("person", "who").by(latest(own("at"), related(rel("c", "p_id", "id", "at"))))
	all := f.evidence(c, noHolds(), retention.Find{Subject: &retention.SubjectID{Type: "person", ID: "ada"}, Limit: 10})
	if len(all) != 2 {
		t.Fatalf("evidence about ada: %+v", all)
	}
	i := slices.IndexFunc(all, func(e retention.Evidence) bool { return e.Key == "1" })
	if i < 0 {
		t.Fatalf("evidence about ada: %+v", all)
	}
	want := time.Date(2021, 5, 6, 0, 0, 0, 0, time.UTC)
	e, other := all[i], all[1-i]
	if e.Clock == nil || !e.Clock.Equal(want) || len(e.Members) != 2 || e.Members[0].From != "at" || e.Members[1].From != "c.at" || !e.Members[1].At.Equal(want) {
		t.Errorf("evidence %+v", e)
	}
	if other.Clock != nil || other.Class != retention.Unresolved || !other.Members[0].Unresolved {
		t.Errorf("an unresolved row has no clock: %+v", other)
	}
	if got := f.evidence(c, noHolds(), retention.Find{Subject: &retention.SubjectID{Type: "animal", ID: "ada"}, Limit: 10}); len(got) != 0 {
		t.Errorf("another type of subject found %+v", got)
	}
}

// classGroups counts the rows as they would be once changed.
func classGroups(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, zip {text}, age {int});
INSERT INTO p VALUES (1, '2020-01-01', '75001', 31), (2, '2020-01-01', '75002', 39), (3, '2020-01-01', '13001', 30), (4, '2025-01-01', '13002', 31), (5, '2020-01-01', '75003', 30)`)
	small, all, err := f.s.SmallGroups(t.Context(), f.from("p").Selection, noHolds(), []retention.Change{
		{Column: "zip", Func: retention.KeepLeft, N: 2}, {Column: "age", Func: retention.Bucket, N: 10}},
		retention.KAnonymity{K: 2, Quasi: []string{"zip", "age"}})
	if err != nil || small != 1 || all != 4 {
		t.Errorf("%d of %d rows are in small groups (%v), want 1 of 4", small, all, err)
	}
}

func classIncomplete(t *testing.T, h Harness) {
	f := setup(t, h, family)
	refuse := func(what string, c *choice, holds *retention.HoldSet) {
		t.Helper()
		if _, err := f.s.Count(t.Context(), c.Selection, holds, nil); err == nil {
			t.Errorf("a count %s must fail: unknown is not none", what)
		}
		if _, err := f.s.Page(t.Context(), c.Selection, holds, retention.Cursor{}, 10); err == nil {
			t.Errorf("a page %s must fail: unknown is not none", what)
		}
		f.refused(withHolds(f.deletion(c, 1), holds), "p")
	}
	refuse("without holds", f.from("p"), nil)
	c := f.from("p")
	c.Reach = nil
	refuse("without reach", c, noHolds())
	c = f.from("p")
	c.Blocked = []retention.ChildReach{{Child: kids()[0]}}
	refuse("without the reach of a child", c, noHolds())
	refuse("without a clock", f.from("p").by(retention.ClockTest{}), noHolds())
	any := f.from("p").by(retention.ClockTest{Any: true})
	if n := f.count(any, noHolds()).Classes; n.Due != n.Total {
		t.Errorf("a counting selection counts every row: %+v", n)
	}
	if _, err := f.s.Page(t.Context(), any.Selection, noHolds(), retention.Cursor{}, 10); err == nil {
		t.Error("a page of a counting selection must fail")
	}
	f.refused(f.deletion(any, 1), "p")
}
