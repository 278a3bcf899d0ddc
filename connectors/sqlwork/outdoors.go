package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
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

// Forgetter is an [Outdoors] whose rows are a listing of its own: what is gone outside
// is taken off it without a statement.
type Forgetter interface {
	// Forget takes those rows off, and says how many were there. ok is false where a
	// statement has to do it.
	Forget(table retention.TableName, keys []retention.Key) (n int64, ok bool, err error)
}

// listed makes the list of the due keys where nothing asked for it before.
func (w *work) listed() (err error) {
	if w.list == "" {
		w.list, err = keyList(w.b.Selection.Table, w.due)
	}
	return err
}

// only makes the keys what is due. A [Forgetter] seldom needs their list.
func (w *work) only(due []retention.Key) error {
	w.due, w.list = due, ""
	if _, ok := w.e.(Forgetter); ok {
		return nil
	}
	return w.listed()
}

// forget takes the due rows off, by a statement where the engine does not.
func (w *work) forget(ctx context.Context) (int64, error) {
	t := w.b.Selection.Table
	if f, ok := w.e.(Forgetter); ok {
		if n, done, err := f.Forget(t.Name, w.due); done || err != nil {
			return n, err
		}
	}
	if err := w.listed(); err != nil {
		return 0, err
	}
	return w.exec(ctx, t, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Delete(w.list) })
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
	if w.b.Action.Sealed {
		w.out.Copied = left.Sum()
		w.b.Tell(w.out.Copied, "rows of "+w.b.Selection.Table.Name.String()+" were left once they had been sealed, since they changed, went, or could not be removed: their copies stay in the archive until it ends")
	}
	return w.only(done)
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
