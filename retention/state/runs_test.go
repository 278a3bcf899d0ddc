package state

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

func report(run string) retention.RunReport {
	return retention.RunReport{Run: run, Plan: "p1", Verdict: retention.VerdictPartial, Ended: time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC),
		Steps: []retention.StepReport{
			{Policy: "shop", Rule: "carts", Planned: 10, Done: 7, Spared: retention.Spared{Held: 1, Changed: 2}, Children: map[string]int64{"items": 5}, Batches: 2},
			{Policy: "shop", Rule: "logs", Planned: 3, Done: 0, Spared: retention.Spared{Failed: 3}, Unplanned: 1, Batches: 1, Error: "x"}},
		Refusals: []retention.Refusal{{Policy: "shop", Rule: "old", Code: retention.RefuseLimitRows}}}
}

func TestAFinishedRunUsesUpItsPlan(t *testing.T) { onEach(t, testAFinishedRunUsesUpItsPlan) }

func testAFinishedRunUsesUpItsPlan(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	for _, c := range []struct {
		name  string
		spoil func(*retention.RunReport)
		want  retention.PlanState
	}{
		{"finished", func(*retention.RunReport) {}, retention.PlanRun},
		{"interrupted", func(r *retention.RunReport) { r.Interrupted = true }, retention.PlanMade},
		{"refused", func(r *retention.RunReport) { r.Verdict = retention.VerdictRefused }, retention.PlanMade},
		{"failed in part", func(r *retention.RunReport) { r.Steps[0].Spared.Failed = 1 }, retention.PlanMade},
	} {
		id := "p-" + c.name
		must(t, b.SavePlan(ctx, plan(id)))
		l, err := b.Lease(ctx, "me", []string{"rule:shop/carts"})
		must(t, err)
		must(t, b.BeginRun(ctx, retention.Run{ID: "r-" + c.name, Plan: id, Attempt: l.Attempt, Started: b.now()}))
		r := retention.RunReport{Run: "r-" + c.name, Plan: id, Verdict: retention.VerdictOK, Steps: []retention.StepReport{{Planned: 1, Done: 1}}}
		c.spoil(&r)
		must(t, b.EndRun(ctx, r))
		must(t, b.Unlease(ctx, l))
		if p, err := b.Plan(ctx, id); err != nil || p.State != c.want {
			t.Errorf("%s: plan is %s, %v; want %s", c.name, p.State, err, c.want)
		}
	}
}

func TestRuns(t *testing.T) { onEach(t, testRuns) }

func testRuns(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	must(t, b.SavePlan(ctx, plan("p1")))
	l := b.begin("r1")
	b.says(`"kind":"run.started","run":"r1"`, `"attempt":1`, `"plan":"p1"`, `"by":"hmac:`)
	if err := b.BeginRun(ctx, retention.Run{ID: "r1", Attempt: l.Attempt}); err == nil {
		t.Error("the same run begins twice")
	}
	b.pass(time.Second)
	must(t, b.BeginRun(ctx, retention.Run{ID: "r2", Plan: "p2", Started: b.now(), Attempt: l.Attempt}))
	want := report("r1")
	must(t, b.EndRun(ctx, want))
	b.says(`"kind":"run.ended","run":"r1"`, `"verdict":"partial"`, `"planned":13`, `"done":7`, `"held":1`, `"changed":2`, `"failed":3`, `"unplanned":1`,
		`"children":5`, `"batches":3`, `"steps_failed":1`, `"refusals":{"limit_rows":1}`)
	if err := b.EndRun(ctx, want); !errors.Is(err, retention.ErrDecided) {
		t.Errorf("ended twice: %v", err)
	}
	if err := b.EndRun(ctx, report("none")); !errors.Is(err, retention.ErrNotFound) {
		t.Errorf("unknown run: %v", err)
	}
	if p, err := b.Plan(ctx, "p1"); err != nil || p.State != retention.PlanMade {
		t.Errorf("plan after a run that left something to try: %s, %v", p.State, err)
	}
	runs, err := b.ListRuns(ctx, "", 0)
	must(t, err)
	if len(runs) != 2 || runs[0].ID != "r2" || !runs[0].Ended.IsZero() || runs[0].Report != nil {
		t.Fatalf("runs: %+v", runs)
	}
	if diff := cmp.Diff(&want, runs[1].Report); diff != "" {
		t.Error(diff)
	}
	if !runs[1].Ended.Equal(want.Ended) || runs[1].By != "alice" {
		t.Errorf("run: %+v", runs[1])
	}
	one, err := b.ListRuns(ctx, "r1", 5)
	must(t, err)
	newest, err := b.ListRuns(ctx, "", 1)
	must(t, err)
	if len(one) != 1 || one[0].ID != "r1" || len(newest) != 1 || newest[0].ID != "r2" {
		t.Errorf("one %+v, newest %+v", one, newest)
	}
	testOldReport(t, b)
}

func TestIntents(t *testing.T) { onEach(t, testIntents) }

// testOldReport reads the report of a stopped run as older versions stored it: the
// rows that no batch came to are not said to have failed.
func testOldReport(t *testing.T, b *bench) {
	t.Helper()
	ctx := t.Context()
	old := retention.RunReport{Run: "r2", Steps: []retention.StepReport{
		{Policy: "shop", Rule: "a", Planned: 9, Done: 4, Spared: retention.Spared{Failed: 5}, Error: "stopped before the end"},
		{Policy: "shop", Rule: "b", Planned: 9, Done: 4, Spared: retention.Spared{Failed: 5}, Error: "disk full"}}}
	must(t, b.EndRun(ctx, old))
	runs, err := b.ListRuns(ctx, "r2", 1)
	must(t, err)
	want := []retention.Spared{{NotReached: 5}, {Failed: 5}}
	if got := []retention.Spared{runs[0].Report.Steps[0].Spared, runs[0].Report.Steps[1].Spared}; !slices.Equal(want, got) {
		t.Errorf("spared %+v, want %+v", got, want)
	}
}

func testIntents(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	l := b.begin("r1")
	for i := range 4 {
		must(t, b.Intend(ctx, intent(fmt.Sprint("i", i), l)))
		b.pass(time.Second)
	}
	b.says(`"kind":"batch.intent","run":"r1","policy":"shop","rule":"carts"`, `"intent":"i3"`, `"planned":10`, `"source":"crm"`, `"table":"carts"`, `"stage":1`, `"action":"delete"`)
	if err := b.Intend(ctx, intent("i0", l)); err == nil {
		t.Error("one intent is two transactions")
	}
	must(t, b.Conclude(ctx, "i1", retention.Outcome{Done: 8, Spared: retention.Spared{Held: 2}, Children: map[string]int64{"items": 3}, Digest: "hmac"}, false))
	b.says(`"kind":"batch.outcome","run":"r1","policy":"shop","rule":"carts"`, `"done":8`, `"spared":{"held":2,"protected":0,"blocked":0,"changed":0,"gone":0,"failed":0,"not_reached":0}`,
		`"children":{"items":3}`, `"receipt":"hmac"`, `"intent":"i1"`)
	must(t, b.Conclude(ctx, "i2", retention.Outcome{Spared: retention.Spared{Failed: 10}}, true))
	b.says(`"kind":"batch.settled"`, `"failed":10`)
	for _, settled := range []bool{true, false} {
		if err := b.Conclude(ctx, "i1", retention.Outcome{}, settled); !errors.Is(err, retention.ErrDecided) {
			t.Errorf("a second outcome: %v", err)
		}
	}
	if err := b.Conclude(ctx, "none", retention.Outcome{}, false); !errors.Is(err, retention.ErrNotFound) {
		t.Errorf("unknown intent: %v", err)
	}
	open, err := b.OpenIntents(ctx)
	must(t, err)
	want := intent("i3", l)
	want.At = b.now().Add(-time.Second)
	if len(open) != 2 || open[0].ID != "i0" || !cmp.Equal(open[1], want) {
		t.Errorf("open: %+v", open)
	}
	must(t, b.Conclude(ctx, "i0", retention.Outcome{Done: 10, Digest: "d"}, true))
	ids, err := b.Concluded(ctx, "u1", 10)
	must(t, err)
	// i2 was abandoned: its receipt fences the batch for good.
	if slices.Sort(ids); !slices.Equal(ids, []string{"i0", "i1"}) {
		t.Errorf("to prune: %v", ids)
	}
	must(t, b.Pruned(ctx, []string{"i1"}))
	if ids, err = b.Concluded(ctx, "u1", 10); err != nil || !slices.Equal(ids, []string{"i0"}) {
		t.Errorf("after pruning: %v, %v", ids, err)
	}
	if ids, err = b.Concluded(ctx, "u2", 10); err != nil || len(ids) != 0 {
		t.Errorf("of another source: %v, %v", ids, err)
	}
	must(t, b.Pruned(ctx, nil))
}

// An outcome whose entry cannot be written is not stored either (L7).
func TestConcludeIsOneTransaction(t *testing.T) { onEach(t, testConcludeIsOneTransaction) }

func testConcludeIsOneTransaction(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	l := b.begin("r1")
	must(t, b.Intend(ctx, intent("i1", l)))
	full := []string{"CREATE TRIGGER full_disk BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'disk full'); END"}
	empty := "DROP TRIGGER full_disk"
	if on == onServer {
		full = []string{"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE disk_full; END'",
			"CREATE TRIGGER full_disk BEFORE INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION full_disk()"}
		empty += " ON audit_entries"
	}
	for _, text := range full {
		b.sql(text)
	}
	if err := b.Conclude(ctx, "i1", retention.Outcome{Done: 10}, false); err == nil {
		t.Fatal("an outcome without entry")
	}
	if _, err := b.PlaceHold(ctx, retention.Hold{Subjects: people("1")}); err == nil {
		t.Fatal("a hold without entry")
	}
	if err := b.Intend(ctx, intent("i2", l)); err == nil {
		t.Fatal("an intent without entry")
	}
	b.sql(empty)
	if open, err := b.OpenIntents(ctx); err != nil || len(open) != 1 || open[0].ID != "i1" {
		t.Errorf("open: %+v, %v", open, err)
	}
	if holds, err := b.ListHolds(ctx, "", ""); err != nil || len(holds) != 0 {
		t.Errorf("holds: %+v, %v", holds, err)
	}
	must(t, b.Conclude(ctx, "i1", retention.Outcome{Done: 10}, false))
	if r := b.verify(); !r.OK {
		t.Errorf("verify: %+v", r)
	}
}

func TestIdentity(t *testing.T) { onEach(t, testIdentity) }

func testIdentity(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	if at, err := b.Anchor(ctx); err != nil || !at.IsZero() {
		t.Errorf("anchor: %s, %v", at, err)
	}
	must(t, b.SetAnchor(ctx, b.now()))
	if at, err := b.Anchor(ctx); err != nil || !at.Equal(b.now()) {
		t.Errorf("anchor: %s, %v", at, err)
	}
	if k, err := b.KillSwitch(ctx); err != nil || k.On {
		t.Errorf("kill switch: %+v, %v", k, err)
	}
	must(t, b.SetKillSwitch(ctx, retention.KillSwitch{On: true, By: "alice", Reason: "why"}))
	b.says(`"kind":"kill_switch"`, `"on":true`, `"by":"hmac:`, `"reason":"salted:`)
	k, err := b.KillSwitch(ctx)
	must(t, err)
	if diff := cmp.Diff(retention.KillSwitch{On: true, By: "alice", Reason: "why", At: b.now()}, k); diff != "" {
		t.Error(diff)
	}
	p := &retention.Policy{Name: "shop", Digest: "sha256:1", Text: []byte("version: 1")}
	must(t, b.KeepPolicy(ctx, p))
	b.says(`"kind":"policy.loaded","policy":"shop","digest":"sha256:1"`)
	before := b.last()
	must(t, b.KeepPolicy(ctx, p))
	if b.last() != before {
		t.Error("the same policy is loaded twice")
	}
	must(t, b.KeepPolicy(ctx, &retention.Policy{Name: "shop", Digest: "sha256:2"}))
	must(t, b.KeepPolicy(ctx, p))
	b.says(`"digest":"sha256:1"`)
	if text, err := b.PolicyText(ctx, "sha256:1"); err != nil || !bytes.Equal(text, p.Text) {
		t.Errorf("text %q, %v", text, err)
	}
	if _, err := b.PolicyText(ctx, "none"); !errors.Is(err, retention.ErrNotFound) {
		t.Errorf("unknown digest: %v", err)
	}
}

func TestEntries(t *testing.T) { onEach(t, testEntries) }

func testEntries(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	b.fill(5)
	b.at = b.at.AddDate(1, 0, 0)
	b.fill(1200)
	tests := []struct {
		name        string
		f           Filter
		n           int
		first, last string
	}{
		{"all", Filter{}, 1206, "2026/1", "2027/1201"},
		{"newest", Filter{Limit: 3}, 3, "2027/1199", "2027/1201"},
		{"newest over a year's end", Filter{Limit: 1203}, 1203, "2026/4", "2027/1201"},
		{"kind", Filter{Kind: audit.ConfigLoaded}, 1, "2027/1", "2027/1"},
		{"run", Filter{Run: "r2"}, 401, "2026/3", "2027/1201"},
		{"since", Filter{Since: b.now().Add(-10 * time.Second)}, 10, "2027/1192", "2027/1201"},
		{"nothing", Filter{Run: "none"}, 0, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var ids []string
			must(t, b.Entries(ctx, tt.f, func(e audit.Entry) error { ids = append(ids, e.ID()); return nil }))
			if len(ids) != tt.n || tt.n > 0 && (ids[0] != tt.first || ids[tt.n-1] != tt.last) {
				t.Errorf("%d entries %v", len(ids), ids[:min(len(ids), 1)])
			}
		})
	}
	stop := errors.New("enough")
	if err := b.Entries(ctx, Filter{}, func(audit.Entry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("stopped: %v", err)
	}
	for _, id := range []string{"0", "x", "2026/", "-1", "2026/x"} {
		if _, err := b.Entry(ctx, id); err == nil || errors.Is(err, retention.ErrNotFound) {
			t.Errorf("entry %q: %v", id, err)
		}
	}
	if _, err := b.Entry(ctx, "2026/6"); !errors.Is(err, retention.ErrNotFound) {
		t.Errorf("beyond the end: %v", err)
	}
}

func TestExpire(t *testing.T) { onEach(t, testExpire) }

func testExpire(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	must(t, b.SavePlan(ctx, plan("p1")))
	must(t, second(b.SpoolKey(ctx, "p1")))
	must(t, b.PutSpool(ctx, "p1", 0, retention.SpoolPage{Hashes: []uint64{1}}))
	l := b.begin("r1")
	must(t, b.Intend(ctx, intent("i1", l)))
	must(t, b.Conclude(ctx, "i1", retention.Outcome{Done: 10}, false))
	must(t, b.Pruned(ctx, []string{"i1"}))
	must(t, b.EndRun(ctx, report("r1")))
	gone, stays := b.place(retention.Hold{Subjects: people("1")}), b.place(retention.Hold{Subjects: people("2")})
	must(t, second(b.ReleaseHold(ctx, gone.ID, "over", "alice", time.Hour)))
	old, err := b.Checkpoint(ctx)
	must(t, err)
	b.at = b.at.AddDate(2, 0, 0)
	must(t, b.SavePlan(ctx, plan("p2")))
	// Its time is over, but nobody asked.
	if e, err := b.Expire(ctx, retention.KeepFrom{}); err != nil || !cmp.Equal(e, retention.Expired{}) {
		t.Fatalf("zero Keep: %+v, %v", e, err)
	}
	now := b.now()
	e, err := b.Expire(ctx, retention.KeepFrom{Audit: now.AddDate(-1, 0, 0), Plans: now.AddDate(-1, 0, 0), Holds: now.AddDate(-1, 0, 0)})
	must(t, err)
	if diff := cmp.Diff(retention.Expired{Plans: 1, Runs: 1, Holds: 1, Logs: []string{"2026"}}, e); diff != "" {
		t.Error(diff)
	}
	b.says(`"dropped":{"log":"2026"`)
	for _, table := range []string{"audit_entries", "audit_hashes", "audit_checkpoints", "audit_salts"} {
		var n int
		must(t, b.one(&n, "SELECT count(*) FROM "+table+" WHERE log = '2026'"))
		if n != 0 {
			t.Errorf("%d rows of the dropped log are left in %s", n, table)
		}
	}
	var secret []byte
	must(t, b.one(&secret, "SELECT secret FROM audit_logs WHERE log = '2026'"))
	if secret != nil {
		t.Error("the dropped log's key is left")
	}
	for table, want := range map[string]int{"plans": 1, "spool": 0, "spool_keys": 0, "runs": 0, "intents": 0, "holds": 1, "hold_subjects": 1} {
		var n int
		must(t, b.one(&n, "SELECT count(*) FROM "+table))
		if n != want {
			t.Errorf("%d rows are left in %s, want %d", n, table, want)
		}
	}
	if set := b.set(crm()); !slices.Equal(set.Subjects["person"], []string{"2"}) {
		t.Errorf("hold %s: %+v", stays.ID, set)
	}
	// What a gate saw of the dropped log can no longer be compared, its length can.
	if r := b.verify(audit.Witness{Name: "crm", Total: old.Total, Root: old.Root}); !r.OK {
		t.Errorf("verify: %+v", r)
	}
	l, err = b.Lease(ctx, "next", []string{"rule:shop/carts"})
	must(t, err)
	_, err = b.Admit(ctx, crm(), l.Attempt, retention.Gate{Installed: true, StoreUUID: b.UUID(), LogSize: old.Total, LogRoot: old.Root})
	must(t, err)
	c, err := b.Checkpoint(ctx)
	must(t, err)
	if c.Total <= old.Total {
		t.Errorf("total %d after %d", c.Total, old.Total)
	}
}

func TestAdoptLog(t *testing.T) { onEach(t, testAdoptLog) }

func testAdoptLog(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	b.fill(5)
	must(t, second(b.Checkpoint(ctx)))
	must(t, b.AdoptLog(ctx, "alice", "nothing to adopt"))
	if r := b.verify(); r.Size != 5 {
		t.Errorf("a log that fits was changed: %+v", r)
	}
	// The volume is lost, the key is not.
	for _, table := range []string{"audit_entries", "audit_hashes", "audit_checkpoints", "audit_logs", "audit_head"} {
		b.sql("DELETE FROM " + table)
	}
	if _, err := b.Checkpoint(ctx); !errors.Is(err, retention.ErrRolledBack) {
		t.Errorf("checkpoint of a lost log: %v", err)
	}
	must(t, b.AdoptLog(ctx, "alice", "the volume was lost"))
	b.says(`"adopted_after":{"log":"2026","root":`, `"size":5`, `"by":"hmac:`)
	must(t, second(b.Checkpoint(ctx)))
	if r := b.verify(); !r.OK || r.Size != 1 {
		t.Errorf("after the adoption: %+v", r)
	}
}

// TestDied: a run without a report is told by its intents; it died only once its
// lease is over and each of them is settled.
func TestDied(t *testing.T) { onEach(t, testDied) }

func testDied(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	l := b.begin("r1")
	for i := range 3 {
		must(t, b.Intend(ctx, intent(fmt.Sprint("i", i), l)))
	}
	must(t, b.Conclude(ctx, "i0", retention.Outcome{Done: 8, Spared: retention.Spared{Held: 2}}, false))
	is := func(when string, want retention.RunSoFar) {
		t.Helper()
		runs, err := b.ListRuns(ctx, "r1", 1)
		must(t, err)
		if diff := cmp.Diff(&want, runs[0].SoFar); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	is("at work", retention.RunSoFar{Open: 2, Batches: 1, Done: 8, Spared: retention.Spared{Held: 2}})
	b.pass(2 * retention.LeaseTime)
	is("dead, not settled", retention.RunSoFar{Open: 2, Batches: 1, Done: 8, Spared: retention.Spared{Held: 2}})
	must(t, b.Conclude(ctx, "i1", retention.Outcome{Done: 9, Spared: retention.Spared{Gone: 1}}, true))
	must(t, b.Conclude(ctx, "i2", retention.Outcome{}, true))
	is("settled", retention.RunSoFar{Died: true, Batches: 3, Done: 17, Spared: retention.Spared{Held: 2, Gone: 1}})
}

func TestNotYetDied(t *testing.T) { onEach(t, testNotYetDied) }

func testNotYetDied(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	l := b.begin("r1")
	must(t, b.Intend(ctx, intent("i0", l)))
	must(t, b.Conclude(ctx, "i0", retention.Outcome{Done: 10}, false))
	runs, err := b.ListRuns(ctx, "r1", 1)
	must(t, err)
	if diff := cmp.Diff(&retention.RunSoFar{Batches: 1, Done: 10}, runs[0].SoFar); diff != "" {
		t.Errorf("a run between two batches lives (-want +got):\n%s", diff)
	}
}
