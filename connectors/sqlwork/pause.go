package sqlwork

import (
	"context"
	"time"
)

// Pause waits, or returns the context's error as soon as it has one.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
