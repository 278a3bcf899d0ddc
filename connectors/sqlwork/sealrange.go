package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// seals is whether a range's rows leave for a sealed vault by themselves: nothing
// else goes with them, and they are about nobody but by their own columns.
func (w *work) seals() (bool, error) {
	if a := &w.b.Action; a.Kind != retention.Archive || !a.Sealed || a.Into != nil || !w.alike() || len(w.b.Selection.Table.Referenced) > 0 {
		return false, nil
	}
	g, err := w.gen()
	if err != nil {
		return false, err
	}
	elsewhere, err := g.Persons("[]", false)
	return len(elsewhere) == 0, err
}

// sealRange archives the range's due rows without naming one. alone: the tests read
// the row alone. Where they, or the minimums that go into the manifest, read other
// rows, the due rows are locked before, and tested again in a new statement.
func (w *work) sealRange(ctx context.Context, alone bool) (bool, error) {
	ok, err := w.seals()
	if err != nil || !ok {
		return false, err
	}
	if alone, err = w.sealsAlone(alone); err != nil {
		return false, err
	}
	all := int64(-1)
	if !alone {
		if w.e.Dialect().Locked == nil {
			return false, nil
		}
		if all, err = w.lockRange(ctx); err != nil {
			return false, err
		}
	}
	n, err := w.sealedRange(ctx, !alone)
	if err != nil {
		return false, err
	}
	if alone {
		all = n
	}
	w.out.Done = n
	if err := w.account(ctx, all); err != nil {
		return false, err
	}
	w.b.Reach(retention.PointActed)
	return true, w.receipt(ctx)
}

// sealsAlone is whether the minimums too, that go into the manifest, read the row alone.
func (w *work) sealsAlone(alone bool) (bool, error) {
	if w.e.Alone() || !alone {
		return alone, nil
	}
	g, err := w.gen()
	if err != nil {
		return false, err
	}
	return g.OwnMinimums(w.keepers(0)), nil
}

// sealedRange seals and removes, and says how many rows went.
func (w *work) sealedRange(ctx context.Context, locked bool) (n int64, err error) {
	err = w.sealed(ctx, func(to retention.RowWriter) (err error) {
		n, err = w.readRange(ctx, to, locked)
		return err
	})
	if err != nil {
		return 0, err
	}
	var kept int64
	for _, r := range w.out.Segments {
		kept += r.Rows
	}
	if err := exactly(w.b.Selection.Table.Name, "sealed", kept, n); err != nil {
		return 0, err
	}
	w.b.Reach(retention.PointCopied)
	return n, nil
}

// readRange reads the range's due rows and removes them: by one statement where a DELETE
// answers with its rows, for then no other row can be meant. Nothing of it commits before
// they are sealed, and while they are, the source does the next batch.
func (w *work) readRange(ctx context.Context, to retention.RowWriter, locked bool) (int64, error) {
	sel := &w.b.Selection
	x, removes, err := w.leave(locked)
	if err != nil {
		return 0, err
	}
	if removes && !w.e.Dialect().Streams { // at the first row the server has done what the others wait for
		to = &afterFirst{to, w.ended}
	}
	st := retention.SealTable{Table: sel.Table, Subjects: sel.Reach.Subjects, Minimums: w.keepers(0)}
	n, err := w.rows(ctx, to, st, x, nil)
	if err != nil {
		return 0, w.e.Explain(sel.Table, err)
	}
	w.b.Reach(retention.PointTested)
	if n > w.b.Range.Most {
		return 0, w.unplanned(n)
	}
	defer w.ended()
	if n == 0 || removes {
		return n, nil
	}
	return n, w.removeSealed(ctx, n)
}

// leave is the statement that reads the range's due rows, and whether it removes them.
func (w *work) leave(locked bool) (x sqlgen.Query, removes bool, err error) {
	if w.streams != nil {
		return *w.streams, true, nil
	}
	d := w.e.Dialect()
	removes = d.Returning && !d.Streams
	x, err = w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) {
		if locked {
			g.LockedOnly()
		}
		if removes {
			return g.TakeRange(*w.b.Range, w.keepers(0))
		}
		return g.ContentsOfRange(*w.b.Range, w.keepers(0), !w.e.Alone())
	})
	return x, removes, err
}

// removeSealed removes the range's due rows. Those that were sealed are locked, and
// due as before: so many rows are just those, and one more came in between.
func (w *work) removeSealed(ctx context.Context, n int64) error {
	t := w.b.Selection.Table
	gone, err := w.exec(ctx, t, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.DeleteRange(*w.b.Range) })
	if err == nil && gone > n {
		err = fmt.Errorf("table %s: %d rows were removed where %d were sealed; others add to them, nothing was done: %w", t.Name, gone, n, retention.ErrLocked)
	}
	if err == nil {
		err = exactly(t.Name, "deleted", gone, n)
	}
	return err
}

// afterFirst calls then once the first row is there.
type afterFirst struct {
	retention.RowWriter
	then func()
}

// Row takes a row.
func (a *afterFirst) Row(values []any, clock int64, minimums []*int64) error {
	if a.then != nil {
		a.then()
		a.then = nil
	}
	return a.RowWriter.Row(values, clock, minimums)
}
