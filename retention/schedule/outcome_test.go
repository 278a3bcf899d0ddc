package schedule

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/retention"
)

// What becomes of a slot after each kind of run.
func TestOutcome(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	opens := now.Add(10 * time.Hour)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	fenced, lose := context.WithCancelCause(context.Background())
	lose(retention.ErrFenced)
	refusal := func(c retention.RefusalCode) retention.RunReport {
		return retention.RunReport{Verdict: retention.VerdictRefused, Refusals: []retention.Refusal{{Code: c}}}
	}
	done := retention.SlotEnd{State: retention.SlotDone}
	paused := retention.SlotEnd{State: retention.SlotPaused, Reason: "stopped", After: now.Add(pauseWait)}
	again := func(in time.Duration) retention.SlotEnd {
		return retention.SlotEnd{State: retention.SlotOpen, Reason: "failed", After: now.Add(in), Counted: true}
	}
	for name, tt := range map[string]struct {
		ctx    context.Context
		report retention.RunReport
		err    error
		tries  int
		begun  bool
		want   retention.SlotEnd
	}{
		"well":                        {report: retention.RunReport{Verdict: retention.VerdictOK}, want: done},
		"waits for a person":          {report: refusal(retention.RefuseApproval), want: done},
		"over a limit":                {report: refusal(retention.RefuseLimitRows), want: done},
		"ended as a stop was asked":   {ctx: cancelled, report: retention.RunReport{Verdict: retention.VerdictOK}, want: done},
		"stopped":                     {ctx: cancelled, report: retention.RunReport{Interrupted: true}, want: paused},
		"stopped before it began":     {ctx: cancelled, err: context.Canceled, want: paused},
		"policies changed":            {report: retention.RunReport{Interrupted: true}, want: paused},
		"kill switch":                 {report: refusal(retention.RefuseKillSwitch), err: &retention.Refusal{Code: retention.RefuseKillSwitch}, want: paused},
		"window":                      {report: retention.RunReport{Verdict: retention.VerdictPartial, ResumeAt: &opens}, want: retention.SlotEnd{State: retention.SlotPaused, Reason: "window", After: opens}},
		"clock":                       {report: refusal(retention.RefuseClock), want: retention.SlotEnd{State: retention.SlotOpen, Reason: "clock", After: now.Add(clockWait)}},
		"busy":                        {err: retention.ErrBusy, want: retention.SlotEnd{State: retention.SlotOpen, Reason: "busy", After: now.Add(busyWait)}},
		"no seat":                     {err: &retention.BusyError{Name: retention.SeatLease("crm", 1)}, want: retention.SlotEnd{State: retention.SlotOpen, Reason: "busy", After: now.Add(seatWait)}},
		"busy, of a run that stopped": {err: retention.ErrBusy, begun: true, want: retention.SlotEnd{State: retention.SlotPaused, Reason: "busy", After: now.Add(busyWait)}},
		"source down":                 {report: refusal(retention.RefuseSourceDown), want: again(time.Minute)},
		"failed":                      {report: retention.RunReport{Verdict: retention.VerdictFailed}, err: errors.New("it broke"), tries: 3, want: again(4 * time.Minute)},
		"a step failed":               {report: retention.RunReport{Verdict: retention.VerdictPartial, Steps: []retention.StepReport{{Error: "locked"}}}, tries: 2, want: again(2 * time.Minute)},
		"failed for the last time":    {err: errors.New("it broke"), tries: retention.MaxTries, want: again(0)},
		"taken over":                  {ctx: fenced, report: retention.RunReport{Verdict: retention.VerdictOK}},
		"taken over, says the engine": {err: retention.ErrFenced},
	} {
		ctx := tt.ctx
		if ctx == nil {
			ctx = context.Background()
		}
		slot := retention.Slot{Tries: max(tt.tries, 1), Claimed: now, Begun: tt.begun}
		if diff := cmp.Diff(tt.want, (&Daemon{}).outcome(ctx, slot, &tt.report, tt.err)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// An approved plan runs at the next slot of a rule that has rows to do in it, once,
// and before the slot's own rules.
func TestApprovedPlansRunAtTheSlot(t *testing.T) {
	ctx := t.Context()
	start := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	w := newWorld(t, t.TempDir(), start, policyAt("shop", "* * * * *", time.UTC), policyAt("blog", "* * * * *", time.UTC))
	d := w.daemon(CatchUpOne)
	w.turn(d)
	for _, id := range []string{"mine", "nothing", "others"} {
		p := retention.Plan{ID: id, Digest: id, Steps: []retention.Step{{Policy: "shop", Rule: "a", Classes: retention.Classes{Due: 1}}}}
		switch id {
		case "nothing":
			p.Steps[0].Classes.Due = 0
		case "others":
			p.Steps[0].Rule = "b"
		}
		if err := errors.Join(w.store.SavePlan(ctx, p), w.store.Decide(ctx, retention.Approval{Plan: id, Digest: id, By: "Ada"}, true)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		w.pass(time.Minute)
		w.turn(d)
	}
	// It did not come to its end: it was put off.
	if diff := cmp.Diff([]string{"mine"}, w.plans); diff != "" || w.runs != 6 {
		t.Errorf("plans that ran: %s; %d runs of slots", diff, w.runs)
	}
	w.pass(tryAgain)
	w.turn(d)
	if len(w.plans) != 2 {
		t.Errorf("plans that ran: %v", w.plans)
	}
}

// A slot whose sources' window is closed waits for it, at no cost to its attempts.
func TestSlotWaitsForItsWindow(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	w := newWorld(t, t.TempDir(), start, policyAt("shop", "1 12 * * *", time.UTC))
	d := w.daemon(CatchUpOne)
	w.turn(d)
	w.opens = start.Add(10 * time.Hour)
	for range 9 {
		w.pass(time.Hour)
		w.turn(d)
	}
	if w.runs != 0 {
		t.Fatalf("%d runs outside of the window", w.runs)
	}
	w.pass(time.Hour)
	w.turn(d)
	if w.runs != 1 || len(w.ran) != 1 {
		t.Errorf("%d runs once the window was open, %v", w.runs, w.ran)
	}
}

// A state store that does not answer stops everything; when it does again, what was
// due is run.
func TestStoreGoesAndComesBack(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, dir, time.Date(2026, 3, 1, 12, 0, 59, 0, time.UTC), policyAt("shop", "* * * * *", time.UTC))
	d := w.daemon(CatchUpOne)
	d.Poll = 10 * time.Millisecond
	gate := &gatedStore{Store: w.store}
	d.Store = gate
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { d.Serve(ctx); close(ended) }()
	told := func(k Kind) func() bool {
		return func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, e := range w.told {
				if e.Kind == k {
					return true
				}
			}
			return false
		}
	}
	within(t, "no look at the backlog", told(Backlog))
	gate.set(errors.New("disk full"))
	within(t, "nobody said that the store is down", told(StoreDown))
	w.pass(time.Minute)
	time.Sleep(50 * time.Millisecond)
	if w.runCount() != 0 {
		t.Error("it acted without a store")
	}
	gate.set(nil)
	within(t, "nobody said that the store is back", told(StoreUp))
	within(t, "the slot was not run", func() bool { return w.runCount() == 1 })
	stop()
	<-ended
	if !told(Drained)() {
		t.Error("nobody said that it drained")
	}
}
