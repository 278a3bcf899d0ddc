package state

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

func plan(id string) retention.Plan {
	oldest := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
	return retention.Plan{ID: id, Digest: "sha256:" + id, AsOf: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), MadeAt: time.Date(2026, 3, 1, 0, 0, 1, 0, time.UTC),
		Policies: []retention.PolicyRef{{Policy: "shop", Digest: "d"}}, HoldsVersion: 3,
		Steps: []retention.Step{{Policy: "shop", Rule: "carts", Stage: 1, Action: retention.Delete, Table: retention.TableName{Name: "carts"},
			Cutoff: oldest, OldestDue: &oldest, Classes: retention.Classes{Due: 4, Held: 1, Total: 9, Active: 4}, Children: map[string]int64{"items": 7}, Limit: retention.Limits{Rows: 10, Share: 0.2}}},
		Refusals: []retention.Refusal{{Policy: "shop", Rule: "old", Code: retention.RefuseClock, Message: "m"}}}
}

func (b *bench) last() string {
	b.t.Helper()
	line := ""
	must(b.t, b.Entries(b.t.Context(), Filter{Limit: 1}, func(e audit.Entry) error { line = string(e.Line); return nil }))
	return line
}

func (b *bench) says(words ...string) {
	b.t.Helper()
	line := b.last()
	for _, w := range words {
		if !strings.Contains(line, w) {
			b.t.Errorf("last entry does not say %s: %s", w, line)
		}
	}
}

func TestPlans(t *testing.T) { onEach(t, testPlans) }

func testPlans(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	p := plan("p1")
	must(t, b.SavePlan(ctx, p))
	b.says(`"kind":"plan.made"`, `"digest":"sha256:p1"`, `"as_of":"2026-03-01T00:00:00Z"`, `"due":4`, `"held":1`, `"total":9`, `"refusals":{"clock":1}`, `"policies":[{"policy":"shop","digest":"d"}]`)
	got, err := b.Plan(ctx, "p1")
	must(t, err)
	if diff := cmp.Diff(retention.SavedPlan{Plan: p, State: retention.PlanMade}, got); diff != "" {
		t.Error(diff)
	}
	if err := b.SavePlan(ctx, p); err == nil {
		t.Error("the same plan is saved twice")
	}
	if _, err := b.Plan(ctx, "none"); !errors.Is(err, retention.ErrNotFound) {
		t.Errorf("unknown plan: %v", err)
	}
	a := retention.Approval{Plan: "p1", Digest: "other", By: "alice", Reason: "looked at it"}
	if err := b.Decide(ctx, a, true); err == nil || !strings.Contains(err.Error(), "look at the plan again") {
		t.Errorf("another digest: %v", err)
	}
	a.Digest = p.Digest
	must(t, b.Decide(ctx, a, true))
	b.says(`"kind":"plan.approved"`, `"by":"hmac:`, `"reason":"salted:`, `"until":"2026-03-08T12:00:00Z"`)
	got, err = b.Plan(ctx, "p1")
	must(t, err)
	want := retention.Approval{Plan: "p1", Digest: p.Digest, By: "alice", Reason: "looked at it", At: b.now(), Until: b.now().AddDate(0, 0, 7)}
	if diff := cmp.Diff(&want, got.Approval); diff != "" || got.State != retention.PlanApproved {
		t.Error(got.State, diff)
	}
	for _, yes := range []bool{true, false} {
		if err := b.Decide(ctx, a, yes); !errors.Is(err, retention.ErrDecided) {
			t.Errorf("decided twice: %v", err)
		}
	}
}

func TestRejectAndPreview(t *testing.T) { onEach(t, testRejectAndPreview) }

func testRejectAndPreview(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	p := plan("p1")
	p.Preview = true
	must(t, b.SavePlan(ctx, p))
	a := retention.Approval{Plan: "p1", Digest: p.Digest, By: "alice"}
	refused(t, b.Decide(ctx, a, true), retention.RefusePreview, "preview")
	must(t, b.Decide(ctx, a, false))
	got, err := b.Plan(ctx, "p1")
	must(t, err)
	if got.State != retention.PlanRejected || !got.Approval.Until.IsZero() {
		t.Errorf("rejected: %+v", got)
	}
	b.says(`"kind":"plan.rejected"`)
}

func TestLongPlanFitsItsEntry(t *testing.T) { onEach(t, testLongPlanFitsItsEntry) }

func testLongPlanFitsItsEntry(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	p := plan("p1")
	for range 2000 {
		p.Steps = append(p.Steps, retention.Step{Policy: "shop", Rule: strings.Repeat("long", 10), Classes: retention.Classes{Due: math.MaxInt64}})
		p.Policies = append(p.Policies, retention.PolicyRef{Policy: strings.Repeat("name", 10), Digest: "sha256:0123456789"})
	}
	must(t, b.SavePlan(ctx, p))
	b.says(`"step_count":2001`)
}

func TestSeen(t *testing.T) { onEach(t, testSeen) }

func testSeen(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	if _, ok, err := b.Seen(ctx, "shop", "carts"); ok || err != nil {
		t.Errorf("never: %v, %v", ok, err)
	}
	for _, want := range []retention.RuleSeen{
		{Policy: "shop", Rule: "carts", Meaning: "m1", Fingerprint: "f1", Approved: true},
		{Policy: "shop", Rule: "carts", Meaning: "m2", Fingerprint: "f2", RanAt: b.now()},
	} {
		must(t, b.ChangeSeen(ctx, 0, "shop", "carts", func(s *retention.RuleSeen, _ bool) bool { *s = want; return true }))
		got, ok, err := b.Seen(ctx, "shop", "carts")
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Error(ok, diff)
		}
	}
	must(t, b.ChangeSeen(ctx, 0, "shop", "other", func(_ *retention.RuleSeen, known bool) bool { return known }))
	if _, ok, err := b.Seen(ctx, "shop", "other"); ok || err != nil {
		t.Errorf("what was not to be kept: %v, %v", ok, err)
	}
	l, err := b.Lease(ctx, "a", []string{"x"})
	must(t, err)
	late := func(s *retention.RuleSeen, _ bool) bool { s.Approved = true; return true }
	must(t, b.ChangeSeen(ctx, l.Attempt, "shop", "own", late))
	must(t, b.Unlease(ctx, l))
	if err := b.ChangeSeen(ctx, l.Attempt, "shop", "carts", late); !errors.Is(err, retention.ErrFenced) {
		t.Errorf("under a lease that is over: %v", err)
	}
	if got, _, err := b.Seen(ctx, "shop", "carts"); got.Approved || err != nil {
		t.Errorf("a run that was fenced changed it: %+v, %v", got, err)
	}
}

func TestSpool(t *testing.T) { onEach(t, testSpool) }

func testSpool(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	secret, err := b.SpoolKey(ctx, "p1")
	must(t, err)
	if again, err := b.SpoolKey(ctx, "p1"); err != nil || !cmp.Equal(secret, again) || len(secret) != 32 {
		t.Errorf("key %x, then %x, %v", secret, again, err)
	}
	pages := []retention.SpoolPage{
		{Seq: 0, Next: retention.Cursor{Order: "2019-01-01", Key: retention.Key{int64(math.MaxInt64), "a|b\xff", []byte{0, 255}, -0.1}}, Hashes: []uint64{1, math.MaxUint64}},
		{Seq: 1, Next: retention.Cursor{Order: int64(-5), Key: retention.Key{"", nil}}, Hashes: []uint64{7}},
		{Seq: 2},
	}
	for _, p := range pages {
		must(t, b.PutSpool(ctx, "p1", 0, p))
	}
	must(t, b.PutSpool(ctx, "p1", 1, pages[2]))
	for _, want := range pages {
		got, err := b.SpoolPage(ctx, "p1", 0, want.Seq)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := b.SpoolPage(ctx, "p1", 0, 3); !errors.Is(err, retention.ErrNotFound) {
		t.Errorf("after the last: %v", err)
	}
	if err := b.PutSpool(ctx, "p1", 0, retention.SpoolPage{Next: retention.Cursor{Order: true}}); err == nil {
		t.Error("a value of an unknown type is taken")
	}
	must(t, b.DropSpool(ctx, "p1"))
	if _, err := b.SpoolPage(ctx, "p1", 0, 0); !errors.Is(err, retention.ErrNotFound) {
		t.Errorf("dropped: %v", err)
	}
	if other, err := b.SpoolKey(ctx, "p1"); err != nil || cmp.Equal(secret, other) {
		t.Errorf("the key outlived its spool: %v", err)
	}
}

func TestDamagedSpoolIsAnError(t *testing.T) { onEach(t, testDamagedSpoolIsAnError) }

func testDamagedSpoolIsAnError(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	must(t, b.PutSpool(ctx, "p1", 0, retention.SpoolPage{Hashes: []uint64{1}}))
	for _, body := range [][]byte{{}, {1, 2, 3}, make([]byte, 100)} {
		b.sql("UPDATE spool SET body = ?", body)
		if _, err := b.SpoolPage(ctx, "p1", 0, 0); err == nil || !strings.Contains(err.Error(), "plan again") {
			t.Errorf("%v: %v", body, err)
		}
	}
}
