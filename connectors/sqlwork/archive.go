package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// copyRows copies rows and children into the vault and reads every copy back,
// before anything is removed (L9).
func (w *work) copyRows(ctx context.Context) error {
	if w.b.Action.Leaves() {
		way, end := w.givingWay(ctx)
		defer end()
		return w.gaveWay(way, w.sealed(way, func(to retention.RowWriter) error { return w.read(way, to, 0) }))
	}
	v := w.b.Action.Into
	if v == nil || len(v.Children) != len(w.b.Action.Children) {
		return fmt.Errorf("batch %s: the vault tables do not match the table and its children", w.b.Intent)
	}
	for i := range w.b.Action.Children {
		if err := w.copyChildren(ctx, i, 0); err != nil {
			return err
		}
	}
	return w.copied(ctx, v.Table, int64(len(w.due)),
		func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Copy(w.list, v) },
		func(g *sqlgen.Gen, after int64) (sqlgen.Query, error) { return g.Uncopied(w.list, v.Table, after) })
}

func (w *work) copyChildren(ctx context.Context, i int, most int64) error {
	v, c := w.b.Action.Into, w.b.Action.Children[i]
	if c.Then == retention.ChildDetach { // it stays, here as under delete
		return nil
	}
	if v == nil || i >= len(v.Children) {
		return fmt.Errorf("batch %s: child table %s has no vault table", w.b.Intent, c.Table)
	}
	keys, want, err := w.lockChildren(ctx, c, most)
	if err != nil {
		return fmt.Errorf("children in %s: %w", c.Table, err)
	}
	these, err := w.taken(i, most, want, keys)
	if err != nil || want == 0 {
		return err
	}
	return w.copied(ctx, v.Children[i], want,
		func(g *sqlgen.Gen) (sqlgen.Query, error) {
			return g.CopyChildren(c, w.list, these, v.Children[i], v)
		},
		func(g *sqlgen.Gen, after int64) (sqlgen.Query, error) {
			return g.UncopiedChildren(c, w.list, these, v.Children[i], after)
		})
}

// lockChildren counts the child rows to copy, and locks them where others write:
// what is copied stays as it is until it is removed.
func (w *work) lockChildren(ctx context.Context, c retention.Child, most int64) (keys []retention.Key, n int64, err error) {
	if w.e.Alone() {
		n, err = w.number(ctx, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.CountChildrenOf(c, w.list) })
		if most > 0 {
			n = min(n, most)
		}
		return nil, n, err
	}
	x, err := w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.LockChildren(c, w.list, sqlgen.Some{Most: most})
	})
	if err != nil {
		return nil, 0, err
	}
	found, err := w.cursors(ctx, w.q, w.table(c.Table), "", x)
	for _, f := range found {
		keys = append(keys, f.Key)
	}
	return keys, int64(len(found)), err
}

// someRows are child rows that were copied where not all go, and their number.
type someRows struct {
	these sqlgen.Some
	n     int64
}

// taken notes that n child rows of the i-th kind are being copied, and returns what
// means those rows from now on: where not all go, "the first" of them would be
// others once a row has come before them. keys are theirs, where they were read.
func (w *work) taken(i int, most, n int64, keys []retention.Key) (sqlgen.Some, error) {
	t := w.table(w.b.Action.Children[i].Table)
	if w.copies == nil {
		w.copies = map[string]int64{}
	}
	w.copies[t.Name.String()] += n
	these := sqlgen.Some{Most: most}
	if most <= 0 {
		return these, nil
	}
	if !w.e.Alone() || keys != nil {
		g, err := w.gen()
		if err != nil {
			return these, err
		}
		list, err := keyList(t, keys)
		if err != nil {
			return these, err
		}
		these = g.Same(these, list)
	}
	if w.some == nil {
		w.some = map[int]someRows{}
	}
	w.some[i] = someRows{these, n}
	return these, nil
}

// allCopied refuses a batch that removed other child rows than were copied: one came
// in between (L9). A row that two declarations reach is copied twice into a table.
func (w *work) allCopied() error {
	for name, left := range w.copies {
		if left < 0 || left > 0 && w.b.Action.Leaves() {
			return fmt.Errorf("child table %s: others changed it while its rows were copied, nothing was done: %w", name, retention.ErrLocked)
		}
	}
	return nil
}

// copied runs the copy and compares: as many rows as meant, and none without an
// equal copy among the new ones.
func (w *work) copied(ctx context.Context, into retention.TableName, want int64,
	do func(*sqlgen.Gen) (sqlgen.Query, error), missing func(*sqlgen.Gen, int64) (sqlgen.Query, error)) error {
	last, err := w.lastCopy(ctx, into)
	if err != nil {
		return err
	}
	n, err := w.exec(ctx, &retention.Table{Name: into}, do)
	if err != nil {
		return err
	}
	if err := exactly(into, "copied", n, want); err != nil {
		return err
	}
	// Foreign keys between a row and its children may have to wait until all have gone.
	if len(w.b.Action.Children) == 0 {
		if err := w.fire(ctx, w.q); err != nil {
			return err
		}
	}
	lost, err := w.number(ctx, func(g *sqlgen.Gen) (sqlgen.Query, error) { return missing(g, last) })
	if err != nil {
		return fmt.Errorf("read vault table %s back: %w", into, err)
	}
	return exactly(into, "found without an equal copy", lost, 0)
}
