package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// keepQuiet is how long a slot's run that found nothing to do is kept, with its
// plan: a rule of each minute would leave half a million a year. Its audit entries
// stay as long as others.
const keepQuiet = 7 * 24 * time.Hour

// expire applies retention to our own records, by the store's clock.
func (e *Engine) expire(ctx context.Context) error {
	now, err := e.Store.Now(ctx)
	if err != nil {
		return fmt.Errorf("reading the store's clock: %w", err)
	}
	k := retention.KeepFrom{Audit: before(now, e.Keep.Audit), Plans: before(now, e.Keep.Plans), Holds: before(now, e.Keep.Holds)}
	if !k.Plans.IsZero() {
		k.Quiet = now.Add(-keepQuiet)
	}
	if _, err := e.Store.Expire(ctx, k); err != nil {
		return fmt.Errorf("dropping our own records whose time is over: %w", err)
	}
	return nil
}

func before(now time.Time, p calendar.Period) time.Time {
	if p.IsZero() {
		return time.Time{}
	}
	return calendar.Cutoff(now.Truncate(time.Second), p, time.UTC, calendar.Round{})
}
