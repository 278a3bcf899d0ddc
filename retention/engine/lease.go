package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// heartbeat renews the lease until stopped. The returned function derives a
// context that ends when another process takes over.
func (e *Engine) heartbeat(ctx context.Context, l retention.Lease) (stop func(), derive func(context.Context) context.Context) {
	lost := make(chan struct{})
	quit := make(chan struct{})
	go func() {
		t := time.NewTicker(l.Time / 4)
		defer t.Stop()
		for {
			select {
			case <-quit:
				return
			case <-t.C:
				if err := e.Store.Renew(ctx, l); errors.Is(err, retention.ErrFenced) {
					close(lost)
					return
				}
			}
		}
	}()
	return func() { close(quit) }, func(parent context.Context) context.Context {
		c, cancel := context.WithCancelCause(parent)
		go func() {
			select {
			case <-lost:
				cancel(retention.ErrFenced)
			case <-quit:
			case <-c.Done():
			}
		}()
		return c
	}
}

// lost is the error of a run that another process took over from; nil: it has
// its lease, as far as it knows.
func (w *work) lost() error {
	if !errors.Is(context.Cause(w.stop), retention.ErrFenced) {
		return nil
	}
	return fatal(fmt.Errorf("%w: this run was paused for longer than its lease lasts; what it did is audited, and the run that took over does the rest", retention.ErrFenced))
}

// reach tells the hook of a point, where there is one.
func (e *Engine) reach(p retention.Point) {
	if e.Reached != nil {
		e.Reached(p)
	}
}
