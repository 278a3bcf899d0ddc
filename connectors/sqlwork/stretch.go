package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// stretch does a batch that is a range: in one statement where nothing but its
// rows is tested and touched (a row that changes meanwhile is tested again by the
// database), else by the keys of its due rows, locked. It returns true where the
// batch is complete.
func (w *work) stretch(ctx context.Context) (bool, error) {
	alone, err := w.selfContained()
	if err != nil {
		return false, err
	}
	if alone && w.plain() {
		done, err := w.sweep(ctx)
		if err != nil || done {
			return done, err
		}
	}
	if !alone && w.plain() && w.e.Dialect().Locked != nil {
		done, err := w.locked(ctx)
		if err != nil || done {
			return done, err
		}
	}
	if w.b.Action.Kind == retention.Archive {
		done, err := w.archiveRange(ctx, alone)
		if err != nil || done {
			return done, err
		}
	}
	keys, moved, err := w.planned(ctx)
	switch {
	case err != nil:
		return false, err
	case len(keys) > retention.MaxBatch:
		return false, fmt.Errorf("table %s: %d rows of the range are due: %w", w.b.Selection.Table.Name, len(keys), retention.ErrTooWide)
	case int64(len(keys)) > w.b.Range.Most:
		return false, w.unplanned(int64(len(keys)))
	case len(keys) == 0:
		w.b.Reach(retention.PointTested)
		return true, w.receipt(ctx)
	}
	w.keys = keys
	return false, w.looked(ctx, alone && !moved)
}

// planned are the keys of the range's due rows. Where rows stand for what lies outside,
// and holds have moved since the plan, they are those that were due beside the holds that
// it knew: each of them is tested again, and counted where it is held now.
func (w *work) planned(ctx context.Context) (keys []retention.Key, moved bool, err error) {
	_, outside := w.e.(Outdoors)
	now, known := w.holds, w.b.Known
	if moved = outside && known != nil && now != nil && known.Version != now.Version; moved {
		w.holds = known
		defer func() { w.holds = now }()
	}
	keys, err = w.within(ctx)
	return keys, moved, err
}

// looked looks at what the range's rows stand for; where they say so, and nothing
// else is tested, they were found due.
func (w *work) looked(ctx context.Context, alone bool) error {
	fresh, err := w.refresh(ctx)
	if err == nil && alone && fresh {
		err = w.found()
	}
	return err
}

// found takes the keys of the range as due: the statement that locked them tested
// each row as it is now, and looked at nothing else.
func (w *work) found() error {
	if _, ok := w.e.(Forgetter); !ok { // whose keys are unique by themselves
		if err := distinct(w.b.Selection.Table, w.keys); err != nil {
			return err
		}
	}
	return w.only(w.keys)
}

// Passes is the engine's, for changes of rows that are told by their key, and that
// show whether they are done: another pass meets them again.
func (s *Source) Passes(sel retention.Selection, a retention.Act) int {
	if a.Kind != retention.Redact && a.Kind != retention.Anonymise {
		return 1
	}
	g, err := s.Gen(sel, &retention.HoldSet{})
	if err != nil || !g.Divides() || !g.TellsDone() {
		return 1
	}
	return max(1, s.e.Dialect().Passes)
}

// selfContained is whether one statement may test and act: the tests read the
// row alone, or nobody else writes meanwhile.
func (w *work) selfContained() (bool, error) {
	if w.e.Alone() {
		return true, nil
	}
	g, err := w.gen()
	if err != nil {
		return false, err
	}
	return g.OwnColumnsOnly(), nil
}

// unplanned refuses to do more rows than the plan has left.
func (w *work) unplanned(n int64) error {
	return fmt.Errorf("table %s: %d rows of the range are due, %d are left of the plan: %w", w.b.Selection.Table.Name, n, w.b.Range.Most, retention.ErrUnplanned)
}

// sweep acts on the range's due rows in one statement. Changed rows that do not
// keep their form are taken back and done by key, where each one is looked at.
func (w *work) sweep(ctx context.Context) (bool, error) {
	n, kept, err := w.swept(ctx, false)
	if err != nil || !kept {
		return false, err
	}
	if n > w.b.Range.Most {
		return false, w.unplanned(n)
	}
	w.out.Done = n
	w.b.Reach(retention.PointTested)
	w.b.Reach(retention.PointActed)
	return true, w.receipt(ctx)
}

// locked does what sweep does where the tests read other rows: it locks the rows
// that are due, and acts in a new statement, which sees what was committed before
// it had them, on those of them that still are.
func (w *work) locked(ctx context.Context) (bool, error) {
	all, err := w.lockRange(ctx)
	if err != nil {
		return false, err
	}
	n := int64(0)
	if all > 0 {
		var kept bool
		if n, kept, err = w.swept(ctx, true); err != nil || !kept {
			return false, err
		}
	}
	w.out.Done = n
	if err := w.account(ctx, all); err != nil {
		return false, err
	}
	w.b.Reach(retention.PointTested)
	w.b.Reach(retention.PointActed)
	return true, w.receipt(ctx)
}

// lockRange locks the range's due rows and returns how many they are.
func (w *work) lockRange(ctx context.Context) (int64, error) {
	all, err := w.number(ctx, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.LockRange(*w.b.Range) })
	if err != nil {
		return 0, fmt.Errorf("lock rows of table %s: %w", w.b.Selection.Table.Name, err)
	}
	if all > w.b.Range.Most {
		return 0, w.unplanned(all)
	}
	return all, nil
}

// account tells why some of the rows that were locked, so many in all, were left.
// Rows that others changed while they were waited for are locked, and were not
// counted: the batch is tried again.
func (w *work) account(ctx context.Context, all int64) error {
	if w.out.Done < all {
		if err := w.spareLocked(ctx); err != nil {
			return err
		}
	}
	if got := w.out.Done + w.out.Spared.Sum(); got != all {
		return fmt.Errorf("table %s: %d rows were done or left where %d were locked; others change them, nothing was done: %w", w.b.Selection.Table.Name, got, all, retention.ErrLocked)
	}
	return nil
}

// spareLocked tells why locked rows were left.
func (w *work) spareLocked(ctx context.Context) error {
	q, err := w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) {
		g.LockedOnly()
		return g.ClassesOfRange(*w.b.Range)
	})
	if err != nil {
		return err
	}
	rows, err := w.q.QueryxContext(ctx, q.Text, q.Args...)
	if err != nil {
		return fmt.Errorf("test table %s again: %w", w.b.Selection.Table.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var class string
		var n int64
		if err := rows.Scan(&class, &n); err != nil {
			return err
		}
		if class == string(retention.Due) {
			return fmt.Errorf("table %s: others change what its rows are tested by: %w", w.b.Selection.Table.Name, retention.ErrLocked)
		}
		for range n {
			if err := spare(&w.out.Spared, class); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// swept does the range's rows, or those of them that are locked, and says how many.
// Changed rows that do not keep their form are taken back: kept is false.
func (w *work) swept(ctx context.Context, locked bool) (n int64, kept bool, err error) {
	if w.b.Action.Kind == retention.Delete {
		n, err = w.sweptOnce(ctx, locked)
		return n, true, err
	}
	kept, err = w.attempt(ctx, func() (bool, error) {
		if n, err = w.sweptOnce(ctx, locked); err != nil || n == 0 {
			return true, err
		}
		return w.keepForms(ctx)
	})
	return n, kept, err
}

func (w *work) sweptOnce(ctx context.Context, locked bool) (int64, error) {
	return w.exec(ctx, w.b.Selection.Table, func(g *sqlgen.Gen) (sqlgen.Query, error) {
		if locked && !g.LockedOnly() {
			return sqlgen.Query{}, fmt.Errorf("table %s does not tell locked rows", w.b.Selection.Table.Name)
		}
		if a := &w.b.Action; a.Kind != retention.Delete {
			return g.UpdateRange(*w.b.Range, a.Changes, a.Mark, w.markValue())
		}
		return g.DeleteRange(*w.b.Range)
	})
}

// sample is how many rows of a range are read back after a change. The database
// itself stores what it was told: no trigger is there, or rows would go by key. A
// type that turns a form into another value shows on the first rows.
const sample = 100

// keepForms is whether rows of the range, read back, are no longer due.
func (w *work) keepForms(ctx context.Context) (bool, error) {
	g, err := w.gen()
	if err != nil {
		return false, err
	}
	if !g.TellsDone() {
		return true, nil
	}
	left, err := w.number(ctx, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.StillDue(*w.b.Range, sample) })
	return left == 0, err
}

// within are the keys of the range's due rows, locked where others write.
func (w *work) within(ctx context.Context) ([]retention.Key, error) {
	x, err := w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.KeysOfRange(*w.b.Range, !w.e.Alone()) })
	if err != nil {
		return nil, err
	}
	cursors, err := w.cursors(ctx, w.q, w.b.Selection.Table, "", x)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", w.b.Selection.Table.Name, err)
	}
	keys := make([]retention.Key, len(cursors))
	for i, c := range cursors {
		keys[i] = c.Key
	}
	return keys, nil
}

// lock locks the batch's rows before anything is tested: a test that reads other
// rows is true only in a statement that begins once the rows are locked.
func (w *work) lock(ctx context.Context) error {
	if w.e.Alone() {
		return nil
	}
	list, err := keyList(w.b.Selection.Table, w.keys)
	if err != nil {
		return err
	}
	x, err := w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Lock(list) })
	if err != nil {
		return err
	}
	var n int64
	if err := w.q.GetContext(ctx, &n, x.Text, x.Args...); err != nil {
		return fmt.Errorf("lock rows of table %s: %w", w.b.Selection.Table.Name, err)
	}
	return nil
}
