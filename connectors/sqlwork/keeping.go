package sqlwork

import (
	"context"

	"github.com/retentiond/retentiond/retention"
)

// Keeping is an engine whose gate is not in the place that it guards: whoever copies the
// gate together with the state store has a second one of both, and only the place itself
// can tell that another had come further (L3).
type Keeping interface {
	// Kept makes a gate that was read say what the place keeps of its store.
	Kept(ctx context.Context, g *retention.Gate) error
	// Keep makes the place keep what the gate is about to say, where it said was; adopt:
	// whatever the place keeps now. Durable on return. What another copy of the store
	// left meanwhile is a state_mismatch refusal.
	Keep(ctx context.Context, was, now retention.Gate, adopt bool) error
}

// kept is the gate with what its place keeps.
func (s *Source) kept(ctx context.Context, g retention.Gate) (retention.Gate, error) {
	if e, ok := s.e.(Keeping); ok {
		if err := e.Kept(ctx, &g); err != nil {
			return retention.Gate{}, err
		}
	}
	return g, nil
}

// keep makes the place keep the gate, before the gate is written: a crash between the
// two leaves the place ahead, which its own store always accounts for.
func (s *Source) keep(ctx context.Context, was, now retention.Gate, adopt bool) error {
	if e, ok := s.e.(Keeping); ok {
		return e.Keep(ctx, was, now, adopt)
	}
	return nil
}
