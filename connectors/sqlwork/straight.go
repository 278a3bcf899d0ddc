package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// straight tests and acts in one statement, where nothing but the named rows is
// touched and they are locked, or nobody else writes. Where not every key is
// still due, nothing of it remains, and the long way tells why.
func (w *work) straight(ctx context.Context) (bool, error) {
	if !w.plain() || !w.numbered() {
		return false, nil
	}
	if w.e.Dialect().Apart != nil { // a statement may not read the table that it changes
		g, err := w.gen()
		if err != nil || !g.OwnColumnsOnly() {
			return false, err
		}
	}
	t := w.b.Selection.Table
	list, err := keyList(t, w.keys)
	if err != nil {
		return false, err
	}
	if err := distinct(t, w.keys); err != nil {
		return false, err
	}
	done, err := w.attempt(ctx, func() (bool, error) {
		n, err := w.exec(ctx, t, func(g *sqlgen.Gen) (sqlgen.Query, error) {
			if a := &w.b.Action; a.Kind != retention.Delete {
				return g.UpdateDue(list, a.Changes, a.Mark, w.markValue())
			}
			return g.DeleteDue(list)
		})
		return n == int64(len(w.keys)), err
	})
	if err != nil || !done {
		return false, err
	}
	w.due, w.list, w.out.Done = w.keys, list, int64(len(w.keys))
	w.b.Reach(retention.PointTested)
	w.b.Reach(retention.PointActed)
	if w.b.Action.Kind != retention.Delete {
		return true, w.formed(ctx)
	}
	return true, nil
}

// attempt runs do, and takes it back where it says that it was not right.
func (w *work) attempt(ctx context.Context, do func() (bool, error)) (bool, error) {
	step := func(text string) error {
		if _, err := w.q.ExecContext(ctx, text+"retentiond_attempt"); err != nil {
			return fmt.Errorf("table %s: %w", w.b.Selection.Table.Name, err)
		}
		return nil
	}
	if err := step("SAVEPOINT "); err != nil {
		return false, err
	}
	before := w.changed
	right, err := do()
	if err != nil {
		return false, err
	}
	if !right {
		w.changed = before
		if err := step("ROLLBACK TO SAVEPOINT "); err != nil {
			return false, err
		}
	}
	return right, step("RELEASE SAVEPOINT ")
}

// plain actions touch the rows they are about and nothing else.
func (w *work) plain() bool {
	switch w.b.Action.Kind {
	case retention.Redact, retention.Anonymise:
		return w.alike()
	case retention.Delete:
		return w.alike() && len(w.b.Selection.Table.Referenced) == 0
	}
	return false
}

// alike: the batch is of rows of one table alone; no trigger does more, and nothing
// outside of the database goes with them.
func (w *work) alike() bool {
	if _, outside := w.e.(Outdoors); outside || len(w.b.Action.Owns) > 0 {
		return false
	}
	return len(w.b.Action.Children) == 0 && w.b.ChildrenOf == 0 && !w.triggered()
}

// numbered is whether every key is an integer, which compares exactly.
func (w *work) numbered() bool {
	for _, k := range w.keys {
		if _, ok := integer(k); !ok {
			return false
		}
	}
	return true
}
