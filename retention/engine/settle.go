package engine

import (
	"context"
	"fmt"
	"time"
)

// Settle ends what a crash left open, without planning anything: intents without
// outcome whose run is over, and holds on their way through a gate.
func (e *Engine) Settle(ctx context.Context) error {
	open, err := e.Store.OpenIntents(ctx)
	if err != nil {
		return fmt.Errorf("reading open intents: %w", err)
	}
	placing, err := e.Store.Placing(ctx, "") // through no source of that name: any that waits for some
	if err != nil {
		return fmt.Errorf("reading holds: %w", err)
	}
	if len(open) == 0 && !placing {
		if e.Told.any() { // another process ended it
			e.finishPasses(ctx, 2*time.Second)
		}
		return nil
	}
	if err := e.sign(ctx); err != nil {
		return err
	}
	if err := e.Recover(ctx); err != nil {
		return err
	}
	if placing {
		e.finishPasses(ctx, 2*time.Second)
	}
	return e.sign(ctx)
}
