package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// archiveRange archives a range without naming its rows, where it can.
func (w *work) archiveRange(ctx context.Context, alone bool) (bool, error) {
	if w.moves() {
		return w.move(ctx, alone)
	}
	return w.sealRange(ctx, alone)
}

// moves is whether a range goes into vault tables in two statements: nothing but
// its rows is touched there and here.
func (w *work) moves() bool {
	a := &w.b.Action
	return a.Kind == retention.Archive && !a.Leaves() && a.Into != nil && w.alike() && len(w.b.Selection.Table.Referenced) == 0
}

// move archives the range's due rows: one statement copies them as it locks them,
// and another, which reads each copy back, removes them. Where the tests read other
// rows, those that are due are locked before, and tested again by the copy.
func (w *work) move(ctx context.Context, alone bool) (bool, error) {
	all, lock := int64(-1), !w.e.Alone()
	if !alone {
		if w.e.Dialect().Locked == nil {
			return false, nil
		}
		var err error
		if all, err = w.lockRange(ctx); err != nil {
			return false, err
		}
		lock = false
	}
	n, err := w.moved(ctx, lock, !alone)
	if err != nil {
		return false, err
	}
	if alone {
		all = n
	}
	if all > w.b.Range.Most {
		return false, w.unplanned(all)
	}
	w.out.Done = n
	if err := w.account(ctx, all); err != nil {
		return false, err
	}
	w.b.Reach(retention.PointActed)
	return true, w.receipt(ctx)
}

// moved copies and removes, and says how many rows went. Rows that were locked
// here are told by their locks where the engine does; elsewhere a row without a
// copy of this batch stays.
func (w *work) moved(ctx context.Context, lock, locked bool) (int64, error) {
	v, t := w.b.Action.Into, w.b.Selection.Table
	last, err := w.lastCopy(ctx, v.Table)
	if err != nil {
		return 0, err
	}
	n, err := w.exec(ctx, &retention.Table{Name: v.Table}, func(g *sqlgen.Gen) (sqlgen.Query, error) {
		if locked {
			g.LockedOnly()
		}
		return g.CopyRange(*w.b.Range, v, lock)
	})
	if err != nil {
		return 0, err
	}
	w.b.Reach(retention.PointTested)
	w.b.Reach(retention.PointCopied)
	if n == 0 {
		return 0, nil
	}
	if err := w.fire(ctx, w.q); err != nil {
		return 0, err
	}
	gone, err := w.exec(ctx, t, func(g *sqlgen.Gen) (sqlgen.Query, error) {
		if !w.e.Alone() {
			g.LockedOnly()
		}
		return g.DeleteCopied(*w.b.Range, v.Table, last)
	})
	if err != nil {
		return 0, err
	}
	if gone != n {
		return 0, fmt.Errorf("table %s: of %d rows that were copied to %s, %d were found with an equal copy: nothing was done; a trigger or a rule there may change what is written", t.Name, n, v.Table, gone)
	}
	return n, nil
}

// lastCopy is the newest row of a vault table that lasts, or 0: copies made after it
// are this batch's.
func (w *work) lastCopy(ctx context.Context, into retention.TableName) (last int64, err error) {
	// Where reading a table keeps its definition, it is kept before it is looked at.
	if err := w.q.GetContext(ctx, &last, "SELECT coalesce(max("+sqlgen.VaultID+"), 0) FROM "+w.e.Dialect().Table(into).Text); err != nil {
		return 0, fmt.Errorf("vault table %s: %w", into, err)
	}
	_, err = w.lasting(ctx, w.q, into)
	return last, err
}
