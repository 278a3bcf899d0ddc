package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// Outdoors is an engine whose rows stand for what lies outside of the database:
// files, objects. What is done there does not roll back. So the engine writes down
// durably what will go before anything goes, and tells from that, whoever asks
// later, what did.
type Outdoors interface {
	// Refresh makes the rows of those keys say what is outside now; fresh: they did.
	Refresh(ctx context.Context, q Session, b *retention.Batch, keys []retention.Key) (fresh bool, err error)
	// Do does the action to what the rows stand for, and returns the keys of the rows
	// whose action is done, in their order; the others were left. It is called with
	// the gate kept, each row tested, and the receipt not written; so has the rows
	// that the tests left, and the segments in which the due ones are.
	Do(ctx context.Context, q Session, b *retention.Batch, due []retention.Key, so retention.Outcome) (done []retention.Key, left retention.Spared, err error)
	// Settled is the receipt of an intent that has none, whose batch has ended: what
	// it did outside all the same, or that it is abandoned.
	Settled(ctx context.Context, intent string) (retention.Receipt, error)
}

// locks locks the rows of a batch that names them, and looks at what they stand for.
func (w *work) locks(ctx context.Context) error {
	if err := w.lock(ctx); err != nil {
		return err
	}
	_, err := w.refresh(ctx)
	return err
}

func (w *work) refresh(ctx context.Context) (fresh bool, err error) {
	o, ok := w.e.(Outdoors)
	if !ok || len(w.keys) == 0 {
		return true, nil
	}
	if fresh, err = o.Refresh(ctx, w.q, w.b, w.keys); err != nil {
		return false, fmt.Errorf("look at table %s again: %w", w.b.Selection.Table.Name, err)
	}
	return fresh, nil
}

// outdoors does the action to what the due rows stand for. Those rows that were
// left are due no longer: they are spared.
func (w *work) outdoors(ctx context.Context) error {
	o, ok := w.e.(Outdoors)
	if !ok {
		return nil
	}
	done, left, err := o.Do(ctx, w.q, w.b, w.due, w.out)
	if err != nil {
		return err
	}
	if err := exactly(w.b.Selection.Table.Name, "done or left", int64(len(done))+left.Sum(), int64(len(w.due))); err != nil {
		return err
	}
	w.out.Spared.Add(left)
	w.due = done
	w.list, err = keyList(w.b.Selection.Table, done)
	return err
}

// changeOutdoors changes what the rows stand for; the engine keeps its own rows.
func (w *work) changeOutdoors(ctx context.Context) error {
	if err := w.outdoors(ctx); err != nil {
		return err
	}
	w.out.Done = int64(len(w.due))
	w.b.Reach(retention.PointActed)
	return nil
}
