package state

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/retention"
)

var nightly = retention.RuleSetID{Policy: "shop", Set: "0 3 * * *"}

func anySet(retention.RuleSetID) bool { return true }

// fire makes slots due at these minutes from now.
func (b *bench) fire(id retention.RuleSetID, overtake bool, minutes ...int) {
	b.t.Helper()
	until, now, err := b.FiredUntil(b.t.Context(), []retention.RuleSetID{id})
	must(b.t, err)
	f := retention.Firing{RuleSetID: id, Zone: "Europe/Paris", From: until[id], To: now, Overtake: overtake}
	for _, m := range minutes {
		at := now.Add(time.Duration(m) * time.Minute)
		f.Slots = append(f.Slots, retention.DueSlot{At: at, Due: at})
	}
	must(b.t, b.Fire(b.t.Context(), f))
}

// missed are the slot.missed entries: how many slots, and why.
func (b *bench) missed() string {
	b.t.Helper()
	var out []string
	must(b.t, b.read(b.t.Context(), func(t *tx) error {
		out = nil
		var lines [][]byte
		err := t.all(b.t.Context(), &lines, "SELECT line FROM audit_entries WHERE kind = 'slot.missed' ORDER BY n")
		for _, l := range lines {
			var e struct {
				Count  int
				Reason string
			}
			must(b.t, fromJSON("an entry", l, &e))
			out = append(out, fmt.Sprint(e.Count, " ", e.Reason))
		}
		return err
	}))
	return strings.Join(out, ", ")
}

func (b *bench) claim(owner string) (retention.Slot, bool) {
	b.t.Helper()
	s, _, ok, err := b.ClaimSlot(b.t.Context(), owner, anySet)
	must(b.t, err)
	return s, ok
}

// A slot is fired once and claimed by one, however many try.
func TestSlotOnce(t *testing.T) {
	onEach(t, func(t *testing.T, on ground) {
		b, ctx := setup(t, on), t.Context()
		other := b.open()
		until, now, err := b.FiredUntil(ctx, []retention.RuleSetID{nightly})
		must(t, err)
		if !until[nightly].Equal(now) {
			t.Errorf("a new rule set was fired until %s, now is %s", until[nightly], now)
		}
		b.pass(time.Hour)
		f := retention.Firing{RuleSetID: nightly, Zone: "Europe/Paris", From: until[nightly], To: b.now(), Slots: []retention.DueSlot{{At: now.Add(time.Minute), Due: now.Add(time.Minute)}}}
		must(t, b.Fire(ctx, f))
		if err := other.Fire(ctx, f); !errors.Is(err, retention.ErrDecided) {
			t.Errorf("it was fired twice: %v", err)
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for i, s := range []*Store{b.Store, other, b.Store, other} {
			all.Go(func() {
				_, _, ok, err := s.ClaimSlot(ctx, fmt.Sprint("owner ", i), anySet)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if ok {
					won++
				}
			})
		}
		all.Wait()
		if won != 1 {
			t.Errorf("%d claims of one slot", won)
		}
	})
}

// A claim ends with its lease, and whoever comes back to it is fenced; after five
// attempts the slot is failed, and the log says so.
func TestClaimIsALease(t *testing.T) {
	onEach(t, func(t *testing.T, on ground) {
		b, ctx := setup(t, on), t.Context()
		b.fire(nightly, true, 0)
		first, _ := b.claim("a")
		if _, ok := b.claim("b"); ok {
			t.Fatal("it was claimed beside its owner")
		}
		b.pass(first.Lease - time.Second)
		must(t, b.RenewSlot(ctx, first))
		b.pass(2 * time.Second)
		if _, ok := b.claim("b"); ok {
			t.Fatal("a renewed claim was taken over")
		}
		for want := int64(2); want <= retention.MaxTries; want++ {
			b.pass(first.Lease)
			if want > 2 { // it waits after the second death, and longer after each
				b.pass(time.Minute<<(want-3) - first.Lease - time.Second)
				if s, ok := b.claim("b"); ok {
					t.Fatalf("attempt %d came too soon: %+v", want, s)
				}
				b.pass(time.Second)
			}
			s, ok := b.claim("b")
			if !ok || s.Attempt != want || s.Tries != int(want) {
				t.Fatalf("attempt %d: %v, %+v", want, ok, s)
			}
		}
		for _, err := range []error{b.RenewSlot(ctx, first), b.EndSlot(ctx, first, retention.SlotEnd{State: retention.SlotDone})} {
			if !errors.Is(err, retention.ErrFenced) {
				t.Errorf("the first owner is not fenced: %v", err)
			}
		}
		b.pass(first.Lease)
		_, failed, ok, err := b.ClaimSlot(ctx, "c", anySet)
		must(t, err)
		if ok || len(failed) != 1 || b.missed() != "1 attempts" {
			t.Errorf("after %d attempts: claimed %v, failed %v, log %s", retention.MaxTries, ok, failed, b.missed())
		}
		if open, err := b.OpenSlots(ctx); err != nil || len(open) != 0 {
			t.Errorf("open %v %v", open, err)
		}
	})
}

// A slot that was stopped goes on later, as the same slot, and that does not count
// against its attempts.
func TestPausedSlotGoesOn(t *testing.T) {
	onEach(t, func(t *testing.T, on ground) {
		b, ctx := setup(t, on), t.Context()
		b.fire(nightly, true, 0)
		for n := range int64(2 * retention.MaxTries) {
			s, ok := b.claim("a")
			if !ok || s.Attempt != n+1 || s.Tries != 1 || s.Begun != (n > 0) {
				t.Fatalf("claim %d: %v %+v", n, ok, s)
			}
			must(t, b.EndSlot(ctx, s, retention.SlotEnd{State: retention.SlotPaused, After: b.now().Add(time.Hour)}))
			if _, ok := b.claim("a"); ok {
				t.Fatal("claimed before its time")
			}
			b.pass(time.Hour)
		}
		b.fire(nightly, true, 0) // a newer slot does not overtake one that was begun
		if s, _ := b.claim("a"); !s.Begun || b.missed() != "" {
			t.Errorf("claimed %+v; missed %s", s, b.missed())
		}
		if _, ok := b.claim("b"); ok {
			t.Error("two slots of a rule set at work at once")
		}
	})
}

// Slots that wait give way to a newer one, but for catch-up of all.
func TestOvertaken(t *testing.T) {
	onEach(t, func(t *testing.T, on ground) {
		for _, overtake := range []bool{true, false} {
			b := setup(t, on)
			b.fire(nightly, overtake, 0)
			b.pass(time.Minute)
			b.fire(nightly, overtake, 0)
			b.pass(time.Minute)
			b.fire(nightly, overtake, 0)
			n := 0
			for {
				s, ok := b.claim("a")
				if !ok {
					break
				}
				n++
				must(t, b.EndSlot(t.Context(), s, retention.SlotEnd{State: retention.SlotDone}))
			}
			if want := map[bool]int{true: 1, false: 3}[overtake]; n != want {
				t.Errorf("overtake %v: %d slots ran, want %d", overtake, n, want)
			}
			if want := map[bool]string{true: "1 overtaken, 1 overtaken"}[overtake]; b.missed() != want {
				t.Errorf("overtake %v: the log says %q", overtake, b.missed())
			}
		}
	})
}

// Policies take turns: many slots of one do not keep another's waiting.
func TestPoliciesTakeTurns(t *testing.T) {
	onEach(t, func(t *testing.T, on ground) {
		b := setup(t, on)
		other := retention.RuleSetID{Policy: "blog", Set: "0 3 * * *"}
		b.fire(nightly, false, -5, -4, -3, -2)
		b.fire(other, false, -1, 0)
		var order []string
		for {
			s, ok := b.claim("a")
			if !ok {
				break
			}
			order = append(order, fmt.Sprint(s.Policy, int(b.now().Sub(s.At)/time.Minute)))
			b.pass(time.Millisecond)
			must(t, b.EndSlot(t.Context(), s, retention.SlotEnd{State: retention.SlotDone}))
		}
		if got, want := strings.Join(order, " "), "shop5 blog1 shop4 blog0 shop3 shop2"; got != want {
			t.Errorf("order %s, want %s", got, want)
		}
	})
}

// A rule set that is no more: its slots are skipped after an hour. One that comes
// back within it never went; later it starts anew.
func TestRetired(t *testing.T) {
	onEach(t, func(t *testing.T, on ground) {
		b, ctx := setup(t, on), t.Context()
		b.fire(nightly, true, 0)
		fired := func() time.Time {
			until, _, err := b.FiredUntil(ctx, []retention.RuleSetID{nightly})
			must(t, err)
			return until[nightly]
		}
		was := b.now()
		must(t, b.Retire(ctx, nil))
		b.pass(30 * time.Minute)
		must(t, b.Retire(ctx, nil))
		if !fired().Equal(was) || b.missed() != "" {
			t.Errorf("back after half an hour: fired until %s, missed %q", fired(), b.missed())
		}
		must(t, b.Retire(ctx, nil))
		b.pass(2 * time.Hour)
		must(t, b.Retire(ctx, nil))
		if b.missed() != "1 retired" || !fired().Equal(b.now()) {
			t.Errorf("after two hours: missed %q, fired until %s, now %s", b.missed(), fired(), b.now())
		}
	})
}

// A clock that ran ahead and is put right does not keep slots from being fired, and
// what was run is not run again.
func TestSlotsAfterTheClockWentBack(t *testing.T) {
	onEach(t, func(t *testing.T, on ground) {
		b, ctx := setup(t, on), t.Context()
		b.pass(30 * 24 * time.Hour)
		b.fire(nightly, true, 0)
		s, _ := b.claim("a")
		must(t, b.EndSlot(ctx, s, retention.SlotEnd{State: retention.SlotDone}))
		b.pass(-30 * 24 * time.Hour)
		until, now, err := b.FiredUntil(ctx, []retention.RuleSetID{nightly})
		must(t, err)
		if !until[nightly].Equal(now) {
			t.Fatalf("fired until %s, now is %s", until[nightly], now)
		}
		b.pass(30 * 24 * time.Hour)
		must(t, b.Fire(ctx, retention.Firing{RuleSetID: nightly, From: until[nightly], To: b.now(), Slots: []retention.DueSlot{{At: s.At, Due: s.Due}}}))
		if again, ok := b.claim("a"); ok {
			t.Errorf("it is run again: %+v", again)
		}
	})
}

// The slot of a run is done with the run's end, in one transaction, unless a later
// try may do better, or the claim is another's by now.
func TestRunEndsItsSlot(t *testing.T) {
	onEach(t, func(t *testing.T, on ground) {
		for name, tt := range map[string]struct {
			report retention.RunReport
			late   bool
			done   bool
		}{
			"ok":          {report: retention.RunReport{Verdict: retention.VerdictOK}, done: true},
			"refused":     {report: retention.RunReport{Verdict: retention.VerdictRefused, Refusals: []retention.Refusal{{Code: retention.RefuseApproval}}}, done: true},
			"source down": {report: retention.RunReport{Verdict: retention.VerdictRefused, Refusals: []retention.Refusal{{Code: retention.RefuseSourceDown}}}},
			"stopped":     {report: retention.RunReport{Verdict: retention.VerdictOK, Interrupted: true}},
			"failed":      {report: retention.RunReport{Verdict: retention.VerdictFailed}},
			"taken over":  {report: retention.RunReport{Verdict: retention.VerdictOK}, late: true},
		} {
			t.Run(name, func(t *testing.T) {
				b, ctx := setup(t, on), t.Context()
				b.fire(nightly, true, 0)
				s, _ := b.claim("a")
				l := b.begin("r1")
				run := retention.Run{ID: "r2", Plan: "p1", AsOf: b.now(), Started: b.now(), Attempt: l.Attempt, Slot: &retention.SlotRun{SlotID: s.SlotID, Attempt: s.Attempt}}
				must(t, b.BeginRun(ctx, run))
				if tt.late {
					b.pass(time.Hour)
					b.claim("b")
				}
				tt.report.Run = "r2"
				must(t, b.EndRun(ctx, tt.report))
				open, err := b.OpenSlots(ctx)
				must(t, err)
				if (len(open) == 0) != tt.done {
					t.Errorf("open slots %+v", open)
				}
				runs, err := b.ListRuns(ctx, "r2", 1)
				must(t, err)
				if runs[0].Slot == nil || runs[0].Slot.String() != "slot 2026-03-01 13:00 Europe/Paris of policy shop" {
					t.Errorf("the run's slot is %+v", runs[0].Slot)
				}
			})
		}
	})
}

// A rule of each minute does not fill the store: the runs of its slots that had
// nothing to do go after days, and nothing else goes with them.
func TestQuietRunsGo(t *testing.T) {
	onEach(t, func(t *testing.T, on ground) {
		b, ctx := setup(t, on), t.Context()
		b.fire(nightly, true, 0)
		s, _ := b.claim("a")
		l := b.begin("by hand")
		slot := &retention.SlotRun{SlotID: s.SlotID, Attempt: s.Attempt}
		for id, steps := range map[string][]retention.StepReport{"quiet": {{Rule: "carts"}}, "busy": {{Rule: "carts", Planned: 1, Done: 1}}, "by hand": {{Rule: "carts"}}} {
			must(t, b.SavePlan(ctx, plan("p "+id)))
			r := retention.Run{ID: id, Plan: "p " + id, AsOf: b.now(), Started: b.now(), Attempt: l.Attempt, Slot: slot}
			if id != "by hand" {
				must(t, b.BeginRun(ctx, r))
			}
			must(t, b.EndRun(ctx, retention.RunReport{Run: id, Plan: r.Plan, Verdict: retention.VerdictOK, Steps: steps}))
		}
		b.pass(8 * 24 * time.Hour)
		e, err := b.Expire(ctx, retention.KeepFrom{Quiet: b.now().AddDate(0, 0, -7)})
		must(t, err)
		if diff := cmp.Diff(retention.Expired{Plans: 1, Runs: 1}, e); diff != "" {
			t.Error(diff)
		}
		for id, want := range map[string]int{"quiet": 0, "busy": 1, "by hand": 1} {
			runs, err := b.ListRuns(ctx, id, 1)
			must(t, err)
			_, err = b.Plan(ctx, "p "+id)
			if len(runs) != want || (err == nil) != (want == 1) {
				t.Errorf("%s: %d runs, its plan: %v", id, len(runs), err)
			}
		}
	})
}
