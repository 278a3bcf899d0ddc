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

// Nested is a place that may lie within another one, which somebody else acts on.
type Nested interface {
	// Around is a state_mismatch refusal where it lies within one that a gate of
	// another store has.
	Around(ctx context.Context, store string) error
}

// bound refuses a tree that is bound to another gate than the gate file's: one gate
// alone makes a hold wait for all who act (L3). A batch, and a hold that passes, bind a
// tree that is free; an install does so once its gate is durable.
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
	if err := e.around(ctx, hold, q); err != nil {
		return err
	}
	return e.bind(ctx, t, gate, hold == sqlwork.Shared)
}

// around is asked by batches: a hold passes its own gate wherever that is.
func (e *engine) around(ctx context.Context, hold sqlwork.Hold, q sqlwork.Session) error {
	n, ok := e.tree.(Nested)
	if !ok || hold != sqlwork.Shared {
		return nil
	}
	store, err := e.gateStore(ctx, q)
	if err == nil {
		err = n.Around(ctx, store)
	}
	return err
}

// bind claims a tree that is free, and refuses one that another gate has. Whoever does
// not settle first claims nothing while batches are open: a tree in place of the one
// that they were at would count as theirs (L7).
func (e *engine) bind(ctx context.Context, t Owned, gate string, settled bool) error {
	had, err := t.Bound(ctx)
	if err == nil && had == "" {
		if !settled {
			err = e.noneOpen()
		}
		if err == nil {
			err = t.Claim(ctx, gate)
		}
		if err == nil {
			had, err = t.Bound(ctx)
		}
	}
	if err != nil || had == gate {
		return err
	}
	return &retention.Refusal{Code: retention.RefuseStateMismatch, Message: fmt.Sprintf(
		"%s is bound to the gate of another daemon or source, or to one that was lost, by its object .retentiond-gate: holds here would not stop the other. Remove that object only if nothing else acts there", e.tree.Name())}
}

// owns binds the tree once its gate is durable, and makes it keep which store that is of.
func (e *engine) owns(ctx context.Context, t Owned, g retention.Gate) error {
	err := e.bind(ctx, t, g.SourceUUID, false)
	if s, ok := e.tree.(Seer); ok && err == nil && g.Seen() == (retention.Seen{}) {
		err = s.Saw(ctx, g.StoreUUID, g.Seen(), g.Seen(), false)
	}
	return err
}

// noneOpen refuses where the journal has a batch.
func (e *engine) noneOpen() error {
	open, err := e.journal.any()
	if err != nil || !open {
		return err
	}
	return &retention.Refusal{Code: retention.RefuseStateMismatch, Message: fmt.Sprintf(
		"%s has lost the object .retentiond-gate, which binds it to its gate, while a batch there is not settled: is it the same place? retentiond run says what to put back", e.tree.Name())}
}

// claimed is the gate that the tree is bound to, or "" where it tells none.
func (e *engine) claimed(ctx context.Context) (string, error) {
	if t, ok := e.tree.(Owned); ok {
		return t.Bound(ctx)
	}
	return "", nil
}
