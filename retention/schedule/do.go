package schedule

import (
	"context"
	"errors"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// do runs what is to be run at a claimed slot: plans that were approved, then the
// slot's own rules. It returns what becomes of the slot; the zero value: it is
// another process's now.
func (d *Daemon) do(ctx context.Context, slot retention.Slot, set RuleSet) retention.SlotEnd {
	began := slot.Claimed
	if at := d.Runner.Opens(set, began); at.After(began) {
		d.tell(Event{Kind: SlotWaits, At: began, Slot: slot.SlotID, Rules: set.Rules, Text: "its sources' window is closed", Until: at})
		return retention.SlotEnd{State: keepState(slot), Reason: "window", After: at}
	}
	d.tell(Event{Kind: RunStarted, At: began, Slot: slot.SlotID, Rules: set.Rules, Try: slot.Tries, Latency: began.Sub(slot.Due)})
	if end, over := d.approved(ctx, slot, set); over {
		return end
	}
	report, err := d.Runner.Run(ctx, Job{Slot: slot, Rules: set.Rules})
	e := Event{Kind: RunEnded, At: report.Ended, Slot: slot.SlotID, Rules: set.Rules, Run: report.Run, Plan: report.Plan, Report: &report, Err: err}
	end := d.outcome(ctx, slot, &report, err)
	d.tell(e)
	d.tellRefusals(slot, set, &report)
	if end.State == retention.SlotOpen || end.State == retention.SlotPaused {
		d.tell(Event{Kind: SlotWaits, At: report.Ended, Slot: slot.SlotID, Rules: set.Rules, Text: end.Reason, Until: end.After})
	}
	return end
}

func (d *Daemon) tellRefusals(slot retention.Slot, set RuleSet, r *retention.RunReport) {
	var asks, others []retention.Refusal
	for _, f := range r.Refusals {
		if f.Approvable {
			asks = append(asks, f)
		} else {
			others = append(others, f)
		}
	}
	e := Event{At: r.Ended, Slot: slot.SlotID, Rules: set.Rules, Run: r.Run, Plan: r.Plan}
	if r.Parked != "" {
		e.Plan = r.Parked
		e.Kind, e.Refusals = PlanParked, asks
		d.tell(e)
	}
	if len(others) > 0 {
		e.Kind, e.Plan, e.Refusals = Refused, r.Plan, others
		d.tell(e)
	}
}

// Waits before a slot is tried again.
const (
	busyWait  = 5 * time.Second  // another run does its rules
	seatWait  = time.Second      // its source has no seat free
	clockWait = 10 * time.Minute // a person has to look at the clock
	pauseWait = time.Second      // it was stopped, and goes on as soon as somebody may
)

// retryWait is how long a slot waits after its nth try.
func retryWait(tries int) time.Duration {
	return time.Minute << min(max(tries-1, 0), 6)
}

// keepState keeps a paused slot paused: one that was begun goes on.
func keepState(s retention.Slot) retention.SlotState {
	if s.State == retention.SlotPaused || s.Begun {
		return retention.SlotPaused
	}
	return retention.SlotOpen
}

// outcome decides what becomes of a slot after its run.
func (d *Daemon) outcome(ctx context.Context, slot retention.Slot, r *retention.RunReport, err error) retention.SlotEnd {
	now := r.Ended
	if now.IsZero() {
		now = slot.Claimed
	}
	switch {
	case errors.Is(err, retention.ErrFenced) || errors.Is(context.Cause(ctx), retention.ErrFenced):
		return retention.SlotEnd{}
	case err == nil && r.SlotOver():
		return retention.SlotEnd{State: retention.SlotDone}
	case busyError(err):
		return retention.SlotEnd{State: keepState(slot), Reason: "busy", After: now.Add(busyFor(err))}
	case r.ResumeAt != nil:
		return retention.SlotEnd{State: retention.SlotPaused, Reason: "window", After: *r.ResumeAt}
	case r.Interrupted, ctx.Err() != nil, refused(r, retention.RefuseKillSwitch):
		return retention.SlotEnd{State: retention.SlotPaused, Reason: "stopped", After: now.Add(pauseWait)}
	case refused(r, retention.RefuseClock):
		return retention.SlotEnd{State: keepState(slot), Reason: "clock", After: now.Add(clockWait)}
	case slot.Tries >= retention.MaxTries: // the next claim gives it up
		return retention.SlotEnd{State: retention.SlotOpen, Reason: "failed", After: now, Counted: true}
	}
	return retention.SlotEnd{State: retention.SlotOpen, Reason: "failed", After: now.Add(retryWait(slot.Tries)), Counted: true}
}

func refused(r *retention.RunReport, code retention.RefusalCode) bool {
	for _, f := range r.Refusals {
		if f.Code == code {
			return true
		}
	}
	return false
}

func busyFor(err error) time.Duration {
	var b *retention.BusyError
	if errors.As(err, &b) {
		if _, _, seat := b.Seat(); seat {
			return seatWait
		}
	}
	return busyWait
}

func busyError(err error) bool { return Busy(err) }

// Busy reports whether an event's error only says that another run is at work.
func Busy(err error) bool { return errors.Is(err, retention.ErrBusy) }
