package objects

import (
	"context"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

var _ sqlwork.Keeping = (*engine)(nil)

// Seer is a tree that itself keeps how far the state store had come that acts on it: its
// gate file lies beside the state, and is copied and restored with it.
type Seer interface {
	// Seen is what it keeps of that store; zero: nothing.
	Seen(ctx context.Context, store string) (retention.Seen, error)
	// Saw makes it keep now in place of was; adopt: in place of whatever it keeps.
	// Durable on return. What neither accounts for is a state_mismatch refusal.
	Saw(ctx context.Context, store string, was, now retention.Seen, adopt bool) error
}

// Kept is the gate with what the tree keeps; see [sqlwork.Keeping].
func (e *engine) Kept(ctx context.Context, g *retention.Gate) error {
	t, ok := e.tree.(Seer)
	if !ok {
		return nil
	}
	seen, err := t.Seen(ctx, g.StoreUUID)
	if err == nil {
		g.Saw(seen)
	}
	return err
}

// Keep makes the tree keep what the gate is about to say.
func (e *engine) Keep(ctx context.Context, was, now retention.Gate, adopt bool) error {
	t, ok := e.tree.(Seer)
	if !ok || !adopt && was.Seen() == now.Seen() {
		return nil
	}
	return t.Saw(ctx, now.StoreUUID, was.Seen(), now.Seen(), adopt)
}
