package objects

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Owned is a tree that several machines can reach, and that none of them can lock.
type Owned interface {
	// Claim binds the tree to the gate of that identity, unless it is bound.
	Claim(ctx context.Context, gate string) error
	// Bound is the gate that the tree is bound to, or none.
	Bound(ctx context.Context) (gate string, err error)
}

// bound refuses a tree that is bound to another gate than the gate file's: one gate
// alone makes a hold wait for all who act (L3). A batch binds a tree that is free;
// whoever installs, adopts or reads is told when it acts.
func (e *engine) bound(ctx context.Context, hold sqlwork.Hold, q sqlwork.Session) error {
	t, ok := e.tree.(Owned)
	if !ok || hold == sqlwork.Loose {
		return nil
	}
	there, err := e.Installed(ctx, q)
	if err != nil || !there {
		return err // a batch without a gate is refused by itself
	}
	var gate string
	if err := q.GetContext(ctx, &gate, "SELECT coalesce((SELECT source_uuid FROM gate.retentiond_gate WHERE id = 1), '')"); err != nil || gate == "" {
		return err
	}
	had, err := t.Bound(ctx)
	if err == nil && had == "" && hold == sqlwork.Shared {
		if err = t.Claim(ctx, gate); err == nil {
			had, err = t.Bound(ctx)
		}
	}
	if err != nil || had == gate || had == "" && hold != sqlwork.Shared {
		return err
	}
	return &retention.Refusal{Code: retention.RefuseStateMismatch, Message: fmt.Sprintf(
		"%s is bound to the gate of another daemon, or to one that was lost, by its object .retentiond-gate: holds here would not stop the other. Remove that object only if nothing else acts there", e.tree.Name())}
}
