package engine

import (
	"context"
	"fmt"
	"time"
)

// Settle ends what a crash left open, without planning anything: intents without
// outcome, and holds on their way through a gate. retention.ErrBusy: a run that is
// at work did so when it began.
func (e *Engine) Settle(ctx context.Context) error {
	intents, err := e.Store.OpenIntents(ctx)
	if err != nil {
		return fmt.Errorf("reading open intents: %w", err)
	}
	if len(intents) > 0 {
		if err := e.settleAll(ctx); err != nil {
			return err
		}
	}
	e.finishPasses(ctx, 10*time.Second)
	return nil
}

// settleAll settles under a lease: an intent of a run that is at work is its own.
func (e *Engine) settleAll(ctx context.Context) error {
	l, err := e.Store.Lease(ctx, e.Owner)
	if err != nil {
		return fmt.Errorf("taking the lease: %w", err)
	}
	beat, fenced := e.heartbeat(context.WithoutCancel(ctx), l)
	defer func() {
		beat()
		_ = e.Store.Unlease(context.WithoutCancel(ctx), l) // a lease that is not given back runs out
	}()
	if err := e.sign(ctx); err != nil {
		return err
	}
	if err := e.Recover(fenced(ctx)); err != nil {
		return err
	}
	return e.sign(ctx)
}
