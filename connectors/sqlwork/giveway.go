package sqlwork

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// A batch is steered to a quarter of a second, but one file may take minutes. A hold
// has to be in force within seconds whatever is at work.
const (
	undisturbed = 2 * time.Second        // a batch is at its work before it looks for holds
	between     = 250 * time.Millisecond // two looks
)

// GivingWay is ctx for what a batch does for long with the gate kept. It ends, with
// [retention.ErrGaveWay] as its cause, once a hold waits to pass. end ends the watch.
func GivingWay(ctx context.Context, b *retention.Batch) (way context.Context, end func()) {
	if b.Waited == nil {
		return ctx, func() {}
	}
	way, give := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		next := time.NewTimer(undisturbed)
		defer next.Stop()
		for {
			select {
			case <-way.Done():
				return
			case <-next.C:
			}
			if b.Waited(way) {
				give(retention.ErrGaveWay)
				return
			}
			next.Reset(between)
		}
	}()
	return way, func() { give(nil); <-ended }
}

// givingWay is [GivingWay] where the batch's rows have contents, which may be of any
// size.
func (w *work) givingWay(ctx context.Context) (way context.Context, end func()) {
	if _, ok := w.e.(Holder); !ok {
		return ctx, func() {}
	}
	return GivingWay(ctx, w.b)
}

// gaveWay names the cause of an error that giving way brought about.
func (w *work) gaveWay(way context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(way), retention.ErrGaveWay) {
		return fmt.Errorf("batch %s: %w", w.b.Intent, retention.ErrGaveWay)
	}
	return err
}
