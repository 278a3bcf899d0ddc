package schedule

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/retentiond/retentiond/retention"
)

// claims takes slots that are due, as long as somebody is free to run them; ask
// ends with the turn, ctx with the daemon.
func (d *Daemon) claims(ctx, ask context.Context, sets []RuleSet) error {
	by := make(map[retention.RuleSetID]RuleSet, len(sets))
	for _, s := range sets {
		by[s.RuleSetID] = s
	}
	may := func(id retention.RuleSetID) bool { _, ok := by[id]; return ok }
	for ctx.Err() == nil && d.free() {
		slot, failed, ok, err := d.Store.ClaimSlot(ask, d.Owner, may)
		if err != nil {
			return err
		}
		for _, f := range failed {
			d.tell(Event{Kind: SlotMissed, At: d.now, Slot: f.SlotID, Rules: by[f.RuleSet()].Rules,
				Missed: retention.MissedSlots{First: f.At, Last: f.At, Count: 1, Why: retention.MissedAttempts}})
		}
		if !ok {
			return nil
		}
		d.begin(ctx, slot, by[slot.RuleSet()])
	}
	return nil
}

func (d *Daemon) free() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.busy < d.Workers
}

// begin runs a claimed slot beside the loop.
func (d *Daemon) begin(ctx context.Context, slot retention.Slot, set RuleSet) {
	d.mu.Lock()
	d.busy++
	d.mu.Unlock()
	d.work.Go(func() {
		held, done := d.hold(ctx, slot)
		end := d.do(held, slot, set)
		done()
		d.end(ctx, slot, end)
		d.mu.Lock()
		d.busy--
		d.mu.Unlock()
		d.Wake()
	})
}

// hold renews the claim until it is done; the context ends when the claim is lost,
// or a stop is asked for.
func (d *Daemon) hold(ctx context.Context, slot retention.Slot) (held context.Context, done func()) {
	held, lost := context.WithCancelCause(ctx)
	beat, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		t := time.NewTicker(slot.Lease / 4)
		defer t.Stop()
		for {
			select {
			case <-beat.Done():
				return
			case <-t.C:
				if err := d.Store.RenewSlot(beat, slot); errors.Is(err, retention.ErrFenced) {
					lost(retention.ErrFenced)
					return
				}
			}
		}
	}()
	return held, func() { stop(); lost(nil) }
}

// end says what became of the slot. Where the store cannot be told, the claim runs
// out, and the slot is claimed again.
func (d *Daemon) end(ctx context.Context, slot retention.Slot, end retention.SlotEnd) {
	if end.State == "" { // another process has it
		return
	}
	pause := Pauses()
	for try := 0; ; try++ {
		err := d.Store.EndSlot(context.WithoutCancel(ctx), slot, end)
		if err == nil || errors.Is(err, retention.ErrFenced) {
			return
		}
		if try == 3 {
			d.Log.Warn("what became of a slot could not be written down: it is claimed again", zap.Stringer("slot", slot.SlotID), zap.Error(err))
			return
		}
		d.sleep(ctx, pause.NextBackOff())
	}
}
