package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/retentiond/retentiond/retention"
	"go.uber.org/zap"
)

// HoldsTold is what was last said of holds that wait to pass: a daemon tries again each
// minute, and says what is new. Its zero value is ready, for several goroutines; nil: all
// is said each time.
type HoldsTold struct {
	mu   sync.Mutex
	said map[string]string // by hold
}

// news is whether that was not said of the hold before; "" is that it waits no more.
func (p *HoldsTold) news(hold, why string) bool {
	if p == nil {
		return why != ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said[hold] == why {
		return false
	}
	if p.said == nil {
		p.said = map[string]string{}
	}
	if p.said[hold] = why; why == "" {
		delete(p.said, hold)
	}
	return true
}

// any is whether some hold was said to wait.
func (p *HoldsTold) any() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.said) > 0
}

// waitsFor is the cause without what differs each time.
func waitsFor(err error) string {
	var gate *GateError
	if errors.As(err, &gate) {
		return strings.Join(slices.Sorted(maps.Keys(gate.Waiting)), "\n")
	}
	return err.Error()
}

// finishPasses completes what a placing process left undone; what does not work
// out stays placing, and is seen by every batch all the same. It is said once a cause,
// and once it is over.
func (e *Engine) finishPasses(ctx context.Context, wait time.Duration) {
	holds, err := e.Store.ListHolds(ctx, "", "")
	if err != nil {
		return // the plan will refuse: holds cannot be read
	}
	for _, h := range holds {
		if h.State == retention.HoldPlacing {
			if h, err = e.pass(ctx, h, wait); err != nil {
				if e.Told.news(h.ID, waitsFor(err)) {
					e.Log.Warn("a hold is still placing", zap.String("hold", h.ID), zap.Error(err))
				}
				continue
			}
		}
		if e.Told.news(h.ID, "") {
			e.Log.Info("a hold waits no more", zap.String("hold", h.ID), zap.String("state", string(h.State)))
		}
	}
}
