package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// noteFiles tells which files the due rows, and the child rows that go, name, before
// they are gone: afterwards nobody knows.
func (w *work) noteFiles(ctx context.Context) error {
	for _, o := range w.b.Action.Owns {
		if len(w.due) == 0 || o.Child < 0 && w.b.ChildrenOf > 0 { // the row itself stays
			continue
		}
		if w.b.Own == nil {
			return fmt.Errorf("batch %s: its rows own files, and nothing notes them", w.b.Intent)
		}
		if err := w.noteFilesOf(ctx, o); err != nil {
			return fmt.Errorf("files of table %s: %w", o.Table, err)
		}
	}
	return nil
}

func (w *work) noteFilesOf(ctx context.Context, o retention.Owner) error {
	if err := w.listed(); err != nil {
		return err
	}
	var out []retention.OwnerRow
	err := w.namesOf(ctx, o, w.list, func(row []*string) { out = append(out, retention.OwnerRow{Values: row}) })
	if err == nil && len(out) > 0 {
		err = w.aboutEach(ctx, o, out)
	}
	if err != nil {
		return err
	}
	if o.Child < 0 {
		if err := exactly(w.b.Selection.Table.Name, "asked for their files", int64(len(out)), int64(len(w.due))); err != nil {
			return err
		}
	}
	return w.b.Own(ctx, o, out)
}

// namesOf calls f with what the owner's rows name, those of the list or their children.
func (w *work) namesOf(ctx context.Context, o retention.Owner, list string, f func(row []*string)) error {
	t, child, err := w.ownerTable(o)
	if err != nil {
		return err
	}
	build := func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Values(list, o.Columns) }
	if child != nil {
		build = func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.ChildValues(*child, list, o.Columns) }
	}
	x, err := w.render(build)
	if err != nil {
		return err
	}
	rows, err := w.q.QueryxContext(ctx, x.Text, x.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return err
		}
		f(w.texts(t, o.Columns, vals))
	}
	return rows.Err()
}

// texts are values as they are written in paths.
func (w *work) texts(t *retention.Table, names []string, vals []any) []*string {
	out := make([]*string, len(vals))
	for i, v := range vals {
		if v = w.e.Value(t.Column(names[i]), v); v != nil {
			text := KeyText(retention.Key{v})
			out[i] = &text
		}
	}
	return out
}
