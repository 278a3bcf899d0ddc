package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// act does the action to the keys that are due, and checks that it happened to
// exactly those.
func (w *work) act(ctx context.Context) error {
	if len(w.due) == 0 {
		return nil
	}
	a := &w.b.Action
	switch {
	case w.b.ChildrenOf > 0 && !a.Kind.Takes():
		return fmt.Errorf("batch %s: action %s takes no children", w.b.Intent, a.Kind)
	case w.b.ChildrenOf > 0:
		return w.someChildren(ctx)
	case a.Kind.Takes():
		if err := w.keepAstray(ctx); err != nil {
			return err
		}
		if err := w.narrow(ctx); err != nil {
			return err
		}
		if a.Kind == retention.Archive {
			if err := w.copyRows(ctx); err != nil {
				return err
			}
			w.b.Reach(retention.PointCopied)
			if len(w.due) == 0 { // nothing was as it had been tested
				return nil
			}
		}
		if err := w.outdoors(ctx); err != nil {
			return err
		}
		if err := w.noteFiles(ctx); err != nil {
			return err
		}
		if err := w.take(ctx); err != nil {
			return err
		}
		return w.allCopied()
	case a.Kind == retention.Redact, a.Kind == retention.Anonymise:
		if _, outside := w.e.(Outdoors); outside {
			return w.changeOutdoors(ctx)
		}
		return w.change(ctx)
	}
	return fmt.Errorf("batch %s: there is no action %q", w.b.Intent, a.Kind)
}

// render makes a fresh rendering and runs build on it.
func (w *work) render(build func(g *sqlgen.Gen) (sqlgen.Query, error)) (sqlgen.Query, error) {
	g, err := w.gen()
	if err != nil {
		return sqlgen.Query{}, err
	}
	return build(g)
}

func (w *work) exec(ctx context.Context, t *retention.Table, build func(g *sqlgen.Gen) (sqlgen.Query, error)) (int64, error) {
	q, err := w.render(build)
	if err != nil {
		return 0, err
	}
	r, err := w.q.ExecContext(ctx, q.Text, q.Args...)
	if err != nil {
		return 0, w.e.Explain(t, err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("table %s: %w", t.Name, err)
	}
	w.changed += n
	return n, nil
}

func (w *work) number(ctx context.Context, build func(g *sqlgen.Gen) (sqlgen.Query, error)) (int64, error) {
	q, err := w.render(build)
	if err != nil {
		return 0, err
	}
	var n int64
	err = w.q.GetContext(ctx, &n, q.Text, q.Args...)
	return n, err
}

// exactly refuses an effect on more or fewer rows than meant; the batch rolls
// back.
func exactly(t retention.TableName, what string, got, want int64) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("table %s: %d rows were %s where %d were meant; a trigger or a collation of its key may interfere: nothing was done", t, got, what, want)
}

// take removes the children and then the rows.
func (w *work) take(ctx context.Context) error {
	for i := range w.b.Action.Children {
		if err := w.child(ctx, i, 0); err != nil {
			return err
		}
	}
	if len(w.b.Action.Children) > 0 {
		w.b.Reach(retention.PointChildren)
	}
	t := w.b.Selection.Table
	n, err := w.forget(ctx)
	if err != nil {
		return err
	}
	w.out.Done = int64(len(w.due))
	if err := exactly(t.Name, "deleted", n, w.out.Done); err != nil {
		return err
	}
	w.b.Reach(retention.PointActed)
	return nil
}

// narrow refuses a batch with more children than one transaction takes.
func (w *work) narrow(ctx context.Context) error {
	var all int64
	for _, c := range w.b.Action.Children {
		n, err := w.number(ctx, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.CountChildrenOf(c, w.list) })
		if err != nil {
			return fmt.Errorf("children in %s: %w", c.Table, err)
		}
		all += n
	}
	if all > retention.MaxChildren {
		return fmt.Errorf("table %s: the batch's %d rows have %d children: %w", w.b.Selection.Table.Name, len(w.due), all, retention.ErrTooWide)
	}
	return nil
}

// child removes or detaches the child rows of the i-th kind, at most that many where
// most > 0: those that were copied, where they were.
func (w *work) child(ctx context.Context, i int, most int64) error {
	c := w.b.Action.Children[i]
	these, want, err := w.meant(ctx, i, most)
	if err != nil {
		return fmt.Errorf("children in %s: %w", c.Table, err)
	}
	w.out.Children[c.Table.String()] += want
	if want == 0 {
		return nil
	}
	build := func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.DeleteChildren(c, w.list, these) }
	if c.Then == retention.ChildDetach {
		build = func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.DetachChildren(c, w.list, these) }
	}
	n, err := w.exec(ctx, w.table(c.Table), build)
	if err != nil {
		return err
	}
	if w.copies != nil && c.Then != retention.ChildDetach {
		w.copies[w.table(c.Table).Name.String()] -= n
	}
	return exactly(c.Table, "deleted or detached", n, want)
}

// meant are the child rows of the i-th kind that are to go now, and their number.
func (w *work) meant(ctx context.Context, i int, most int64) (sqlgen.Some, int64, error) {
	if s, copied := w.some[i]; copied {
		return s.these, s.n, nil
	}
	n, err := w.number(ctx, func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.CountChildrenOf(w.b.Action.Children[i], w.list)
	})
	if most > 0 {
		n = min(n, most)
	}
	return sqlgen.Some{Most: most}, n, err
}

func (w *work) table(n retention.TableName) *retention.Table {
	for name, t := range w.b.Selection.Schema.Tables {
		if w.e.Dialect().SameTable(name, n) {
			return t
		}
	}
	return &retention.Table{Name: n}
}

// someChildren takes at most ChildrenOf child rows of the one row, deepest
// first; the row stays.
func (w *work) someChildren(ctx context.Context) error {
	left, sealed := w.b.ChildrenOf, w.b.Action.Leaves()
	if sealed {
		if err := w.sealed(ctx, func(to retention.RowWriter) error { return w.read(ctx, to, left) }); err != nil {
			return err
		}
		w.b.Reach(retention.PointCopied)
	}
	if err := w.noteFiles(ctx); err != nil {
		return err
	}
	for i, c := range w.b.Action.Children {
		if _, copied := w.some[i]; left <= 0 && !copied {
			continue
		}
		before := w.out.Children[c.Table.String()]
		if w.b.Action.Kind == retention.Archive && !sealed {
			if err := w.copyChildren(ctx, i, left); err != nil {
				return err
			}
			w.b.Reach(retention.PointCopied)
		}
		if err := w.child(ctx, i, left); err != nil {
			return err
		}
		w.b.Reach(retention.PointChildren)
		left -= w.out.Children[c.Table.String()] - before
	}
	return w.allCopied()
}

// change redacts or anonymises, and checks that the rows then have their form:
// a form that is not kept would be applied again for ever.
func (w *work) change(ctx context.Context) error {
	t, a := w.b.Selection.Table, &w.b.Action
	n, err := w.exec(ctx, t, func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.Update(w.list, a.Changes, a.Mark, w.markValue())
	})
	if err != nil {
		return err
	}
	w.out.Done = int64(len(w.due))
	if err := exactly(t.Name, "changed", n, w.out.Done); err != nil {
		return err
	}
	w.b.Reach(retention.PointActed)
	return w.formed(ctx)
}

// formed checks that every changed row has its form.
func (w *work) formed(ctx context.Context) error {
	t := w.b.Selection.Table
	g, err := w.gen()
	if err != nil {
		return err
	}
	q, tells, err := g.CountDone(w.list)
	if err != nil || !tells {
		return err
	}
	var formed int64
	if err := w.q.GetContext(ctx, &formed, q.Text, q.Args...); err != nil {
		return fmt.Errorf("read table %s back: %w", t.Name, err)
	}
	return exactly(t.Name, "found in their anonymised form", formed, w.out.Done)
}

// markValue is the time in the mark column's own form.
func (w *work) markValue() any {
	return w.e.Mark(w.b.Selection.Table.Column(w.b.Action.Mark), w.b.Action.MarkAt)
}
