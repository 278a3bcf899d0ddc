package sqlite

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// straight tests and acts in one statement, where nothing but the named rows is
// touched. SQLite's write lock is held, so no other writer comes between test and
// delete. Where not every key is still due, nothing of it remains, and the long
// way tells why.
func (w *work) straight(ctx context.Context) (bool, error) {
	if !w.plain() {
		return false, nil
	}
	t := w.b.Selection.Table
	list, err := keyList(t, w.b.Keys)
	if err != nil {
		return false, err
	}
	if err := distinct(t, w.b.Keys); err != nil {
		return false, err
	}
	if _, err := w.conn.ExecContext(ctx, "SAVEPOINT retentiond_straight"); err != nil {
		return false, fmt.Errorf("table %s: %w", t.Name, err)
	}
	n, err := w.exec(ctx, t, func(g *sqlgen.Gen) (sqlgen.Query, error) {
		if a := &w.b.Action; a.Kind != retention.Delete {
			return g.UpdateDue(list, a.Changes, a.Mark, w.markValue())
		}
		return g.DeleteDue(list)
	})
	if err != nil {
		return false, err
	}
	end := "RELEASE retentiond_straight"
	if n != int64(len(w.b.Keys)) {
		end = "ROLLBACK TO retentiond_straight; " + end
		w.changed -= n
	}
	if _, err := w.conn.ExecContext(ctx, end); err != nil {
		return false, fmt.Errorf("table %s: %w", t.Name, err)
	}
	if n != int64(len(w.b.Keys)) {
		return false, nil
	}
	w.due, w.list, w.out.Done = w.b.Keys, list, n
	w.b.Reach(retention.PointTested)
	w.b.Reach(retention.PointActed)
	if w.b.Action.Kind != retention.Delete {
		return true, w.formed(ctx)
	}
	return true, nil
}

// plain actions touch named rows and nothing else, by keys that compare exactly.
func (w *work) plain() bool {
	a, t := &w.b.Action, w.b.Selection.Table
	if len(a.Children) > 0 || w.b.ChildrenOf > 0 || w.triggered() {
		return false
	}
	switch a.Kind {
	case retention.Redact, retention.Anonymise:
	case retention.Delete:
		if len(t.Referenced) > 0 {
			return false
		}
	default:
		return false
	}
	for _, k := range w.b.Keys {
		if _, ok := integer(k); !ok {
			return false
		}
	}
	return true
}
