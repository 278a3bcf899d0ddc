package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// noteFiles tells which files the due rows name, before the rows are gone: afterwards
// nobody knows.
func (w *work) noteFiles(ctx context.Context) error {
	names := w.b.Action.Owns
	if len(names) == 0 || len(w.due) == 0 {
		return nil
	}
	t := w.b.Selection.Table
	if w.b.Own == nil {
		return fmt.Errorf("batch %s: its rows own files, and nothing notes them", w.b.Intent)
	}
	x, err := w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Values(w.list, names) })
	if err != nil {
		return err
	}
	rows, err := w.q.QueryxContext(ctx, x.Text, x.Args...)
	if err != nil {
		return fmt.Errorf("files of table %s: %w", t.Name, err)
	}
	var out [][]*string
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return err
		}
		out = append(out, w.texts(t, names, vals))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("files of table %s: %w", t.Name, err)
	}
	if err := exactly(t.Name, "asked for their files", int64(len(out)), int64(len(w.due))); err != nil {
		return err
	}
	return w.b.Own(ctx, out)
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
