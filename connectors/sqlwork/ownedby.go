package sqlwork

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// aboutEach adds whom other columns, and other rows, tell that each row is about: once
// the rows are gone nothing else leads a hold to their files (L3). Rows of which the
// owner's columns are the same share what is found.
func (w *work) aboutEach(ctx context.Context, o retention.Owner, rows []retention.OwnerRow) error {
	t, child, err := w.ownerTable(o)
	if err != nil {
		return err
	}
	g, err := w.gen()
	if err != nil {
		return err
	}
	queries, err := g.AboutEach(o, child, w.list)
	if err != nil || len(queries) == 0 {
		return err
	}
	found := map[string]map[string][]string{}
	for _, x := range queries {
		if err := w.aboutBy(ctx, o, t, x, found); err != nil {
			return fmt.Errorf("subjects: %w", err)
		}
	}
	for i := range rows {
		key, err := json.Marshal(rows[i].Values)
		if err != nil {
			return err
		}
		rows[i].About = found[string(key)]
	}
	return nil
}

// aboutBy adds what one way tells.
func (w *work) aboutBy(ctx context.Context, o retention.Owner, t *retention.Table, x sqlgen.Subject, found map[string]map[string][]string) error {
	rows, err := w.q.QueryxContext(ctx, x.Query.Text, x.Query.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := len(o.Columns)
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return err
		}
		id := w.e.Value(x.Column, vals[n])
		if id == nil {
			continue
		}
		key, err := json.Marshal(w.texts(t, o.Columns, vals[:n]))
		if err != nil {
			return err
		}
		about := found[string(key)]
		if about == nil {
			about = map[string][]string{}
			found[string(key)] = about
		}
		if text := KeyText(retention.Key{id}); !slices.Contains(about[x.Type], text) {
			about[x.Type] = append(about[x.Type], text)
		}
	}
	return rows.Err()
}

// ownerTable is the table whose rows have files: the selection's, or that of children.
func (w *work) ownerTable(o retention.Owner) (*retention.Table, *retention.Child, error) {
	if o.Child < 0 {
		return w.b.Selection.Table, nil, nil
	}
	if o.Child >= len(w.b.Action.Children) {
		return nil, nil, fmt.Errorf("batch %s has no such children", w.b.Intent)
	}
	c := &w.b.Action.Children[o.Child]
	return w.table(c.Table), c, nil
}
