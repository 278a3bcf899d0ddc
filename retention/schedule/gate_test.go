package schedule

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// gatedStore is a real store behind a door that a test closes.
type gatedStore struct {
	Store
	mu  sync.Mutex
	err error
}

func (g *gatedStore) set(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
}

// KillSwitch is asked first at every turn.
func (g *gatedStore) KillSwitch(ctx context.Context) (retention.KillSwitch, error) {
	g.mu.Lock()
	err := g.err
	g.mu.Unlock()
	if err != nil {
		return retention.KillSwitch{}, err
	}
	return g.Store.KillSwitch(ctx)
}

func (w *world) runCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs
}

func within(t *testing.T, not string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(not)
		}
	}
}
