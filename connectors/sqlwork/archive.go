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
	if w.b.Action.Sealed {
		return w.sealed(ctx, 0)
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
	want, err := w.number(ctx, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.CountChildrenOf(c, w.list) })
	if err != nil {
		return fmt.Errorf("children in %s: %w", c.Table, err)
	}
	if most > 0 && want > most {
		want = most
	}
	if want == 0 {
		return nil
	}
	return w.copied(ctx, v.Children[i], want,
		func(g *sqlgen.Gen) (sqlgen.Query, error) {
			return g.CopyChildren(c, w.list, most, v.Children[i], v)
		},
		func(g *sqlgen.Gen, after int64) (sqlgen.Query, error) {
			return g.UncopiedChildren(c, w.list, most, v.Children[i], after)
		})
}

// copied runs the copy and compares: as many rows as meant, and none without an
// equal copy among the new ones.
func (w *work) copied(ctx context.Context, into retention.TableName, want int64,
	do func(*sqlgen.Gen) (sqlgen.Query, error), missing func(*sqlgen.Gen, int64) (sqlgen.Query, error)) error {
	var last int64
	if err := w.q.GetContext(ctx, &last, "SELECT coalesce(max("+sqlgen.VaultID+"), 0) FROM "+w.e.Dialect().Table(into).Text); err != nil {
		return fmt.Errorf("vault table %s: %w", into, err)
	}
	n, err := w.exec(ctx, &retention.Table{Name: into}, do)
	if err != nil {
		return err
	}
	if err := exactly(into, "copied", n, want); err != nil {
		return err
	}
	lost, err := w.number(ctx, func(g *sqlgen.Gen) (sqlgen.Query, error) { return missing(g, last) })
	if err != nil {
		return fmt.Errorf("read vault table %s back: %w", into, err)
	}
	return exactly(into, "found without an equal copy", lost, 0)
}
