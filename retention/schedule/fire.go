package schedule

import (
	"context"
	"errors"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// fire makes the slots durable that are due, and returns how long it is to the
// next one.
func (d *Daemon) fire(ctx context.Context, sets []RuleSet, waiting []retention.RuleSetID) (time.Duration, error) {
	ids := make([]retention.RuleSetID, 0, len(sets))
	for _, s := range sets {
		ids = append(ids, s.RuleSetID)
	}
	until, now, err := d.Store.FiredUntil(ctx, ids)
	if err != nil {
		return 0, err
	}
	d.now = now
	if err := d.Store.Retire(ctx, append(ids, waiting...)); err != nil {
		return 0, err
	}
	wait := d.Poll
	for _, s := range sets {
		next := d.nextOf(s, until[s.RuleSetID])
		if !next.IsZero() && !next.After(now) {
			if err := d.fireSet(ctx, s, until[s.RuleSetID], now); err != nil {
				return 0, err
			}
			next = d.nextOf(s, now)
		}
		if !next.IsZero() {
			wait = min(wait, next.Sub(now))
		}
	}
	return wait, nil
}

// nextOf is the first slot after from, remembered.
func (d *Daemon) nextOf(s RuleSet, from time.Time) time.Time {
	p := d.next[s.RuleSetID]
	if p.schedule != s.Schedule || from.Before(p.from) || !p.at.IsZero() && !from.Before(p.at) {
		p = planned{schedule: s.Schedule, from: from, at: s.Schedule.Next(from)}
		d.next[s.RuleSetID] = p
	}
	return p.at
}

func (d *Daemon) fireSet(ctx context.Context, s RuleSet, from, now time.Time) error {
	run, missed := d.CatchUp.Sort(s.Schedule.Slots(from, now), now)
	f := retention.Firing{RuleSetID: s.RuleSetID, Zone: s.Zone, From: from, To: now, Missed: missed, Overtake: d.CatchUp != CatchUpAll}
	for _, at := range run {
		f.Slots = append(f.Slots, retention.DueSlot{At: at, Due: at.Add(Jitter(s.RuleSetID, at, s.Schedule.Next(at), d.Jitter))})
	}
	switch err := d.Store.Fire(ctx, f); {
	case errors.Is(err, retention.ErrDecided): // another replica was first
		return nil
	case err != nil:
		return err
	}
	if missed.Count > 0 {
		d.tell(Event{Kind: SlotMissed, At: now, Slot: d.slotOf(s, missed.Last), Rules: s.Rules, Missed: missed})
	}
	for _, at := range run {
		d.tell(Event{Kind: SlotFired, At: now, Slot: d.slotOf(s, at), Rules: s.Rules})
	}
	return nil
}

func (d *Daemon) slotOf(s RuleSet, at time.Time) retention.SlotID {
	return retention.SlotID{Policy: s.Policy, Set: s.Set, At: at, Zone: s.Zone}
}
