package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// passing is what taking a hold through one gate came to.
type passing struct {
	retention.Passage
	err error
}

// passAll takes the hold through the gates side by side, with the log as it was once
// the hold was in it; waiting says of each gate that it did not pass, why. Those that
// passed while others were being recorded are recorded together: with hundreds of
// sources, the store's commits would take longer than the gates.
func (e *Engine) passAll(limited, ctx context.Context, names []string, h retention.Hold) map[string]error {
	waiting := map[string]error{}
	cp, err := e.checkpoint(ctx)
	if err != nil {
		for _, name := range names {
			waiting[name] = err
		}
		return waiting
	}
	came := make(chan passing, len(names))
	var side sync.WaitGroup
	for _, name := range names {
		side.Go(func() {
			e.progress(Progress{Phase: "hold", Policy: name})
			p, err := e.passOne(limited, name, h.Version, cp)
			if err == nil {
				e.reach(retention.PointPassed)
			}
			came <- passing{p, err}
		})
	}
	go func() { side.Wait(); close(came) }()
	for p := range came {
		e.markPassed(ctx, h, p, came, waiting)
	}
	return waiting
}

// markPassed records a gate that was passed, with those that are ready by now.
func (e *Engine) markPassed(ctx context.Context, h retention.Hold, p passing, came <-chan passing, waiting map[string]error) {
	var passed []retention.Passage
	for more := true; more; {
		if p.err != nil {
			waiting[p.Source] = p.err
		} else {
			passed = append(passed, p.Passage)
		}
		select {
		case p, more = <-came:
		default:
			more = false
		}
	}
	if len(passed) == 0 {
		return
	}
	err := e.Store.MarkPassed(ctx, h.ID, h.Version, passed)
	e.reach(retention.PointMarked)
	for i := range passed {
		if err != nil {
			waiting[passed[i].Source] = err
		}
	}
}

// passOne passes one gate, which then knows the hold's version and a log that
// holds it: a store that went back to before the hold is found out from then on.
func (e *Engine) passOne(ctx context.Context, name string, version int64, cp audit.Checkpoint) (retention.Passage, error) {
	p := retention.Passage{Source: name}
	if e.takenOut(name) { // nobody can begin a batch there without seeing the hold: those begun before are open intents
		open, err := e.Store.OpenIntents(ctx)
		if err != nil {
			return p, fmt.Errorf("reading open intents: %w", err)
		}
		return p, strays(name, open)
	}
	src, err := e.source(ctx, name)
	if err != nil {
		return p, err
	}
	if err := e.bindApart(ctx, name, src); err != nil {
		return p, err
	}
	var uuid string
	fits := func(ctx context.Context, g retention.Gate) error {
		uuid = g.SourceUUID
		return e.Store.Fits(ctx, g)
	}
	installed, err := src.Pass(ctx, e.Store.UUID(), version, retention.Witness{Size: cp.Total, Root: cp.Root}, fits)
	if err == nil && installed {
		p.UUID, p.Total = uuid, cp.Total
	}
	return p, err
}

// bindApart makes a source that another daemon reaches by a gate of its own name this
// one, before a hold passes: from then on the other is refused, also where nobody of
// this daemon acted yet (L3).
func (e *Engine) bindApart(ctx context.Context, name string, src retention.Source) error {
	if a, ok := src.(retention.Apart); !ok || !a.GateApart() {
		return nil
	}
	srv, err := src.Server(ctx)
	if err != nil || srv.Gate.Installed {
		return err
	}
	_, err = e.gate(ctx, name, src)
	return err
}
