package sqlwork

import (
	"context"
	"errors"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Page returns the next due rows, by the clock where an index leads with it,
// else by key.
func (s *Source) Page(ctx context.Context, sel retention.Selection, h *retention.HoldSet, after retention.Cursor, limit int) (retention.Page, error) {
	out := retention.Page{Next: after}
	g, err := s.Gen(sel, h)
	if err != nil {
		return out, err
	}
	x, err := g.Page(after, limit)
	if err != nil {
		return out, err
	}
	err = s.walk(ctx, func(q Session) error {
		out = retention.Page{Next: after}
		cursors, err := s.cursors(ctx, q, sel.Table, g.Order(), x)
		for _, c := range cursors {
			out.Keys, out.Next = append(out.Keys, c.Key), c
		}
		return err
	})
	if err != nil {
		return retention.Page{Next: after}, fmt.Errorf("page of table %s: %w", sel.Table.Name, err)
	}
	return out, nil
}

// walk looks for rows by an index. Where the connection was lost it looks once more:
// the server may be back, and a walk is not to end for one connection.
func (s *Source) walk(ctx context.Context, f func(Session) error) error {
	err := s.e.Look(ByIndex(ctx), f)
	if errors.Is(err, retention.ErrLost) && ctx.Err() == nil {
		return s.e.Look(ByIndex(ctx), f)
	}
	return err
}

// Ahead is the place in the page order that lies about that many rows after the
// cursor, counted among the rows that could be due: the end of the next range.
// It is the zero cursor where fewer are left. The order column alone decides, so
// that an index answers, unless many rows share its value.
func (s *Source) Ahead(ctx context.Context, sel retention.Selection, after retention.Cursor, rows int) (retention.Cursor, error) {
	var out retention.Cursor
	err := s.walk(ctx, func(q Session) error {
		g, err := s.Gen(sel, &retention.HoldSet{})
		if err != nil {
			return err
		}
		if g.Order() != "" {
			var found bool
			if out, found, err = s.aheadByOrder(ctx, q, sel, after, rows); err != nil || found {
				return err
			}
		}
		x, err := g.Ahead(after, rows)
		if err != nil {
			return err
		}
		cursors, err := s.cursors(ctx, q, sel.Table, g.Order(), x)
		if len(cursors) > 0 {
			out = cursors[0]
		}
		return err
	})
	if err != nil {
		return retention.Cursor{}, fmt.Errorf("range of table %s: %w", sel.Table.Name, err)
	}
	return out, nil
}

// aheadByOrder is Ahead by the order column; found = false where rows that share
// its value have to be divided by key.
func (s *Source) aheadByOrder(ctx context.Context, q Session, sel retention.Selection, after retention.Cursor, rows int) (out retention.Cursor, found bool, err error) {
	g, err := s.Gen(sel, &retention.HoldSet{})
	if err != nil {
		return out, false, err
	}
	x, err := g.AheadByOrder(after, rows)
	if err != nil {
		return out, false, err
	}
	places, err := q.QueryxContext(ctx, x.Text, x.Args...)
	if err != nil {
		return out, false, err
	}
	defer places.Close()
	if !places.Next() { // fewer are left
		return out, true, places.Err()
	}
	vals, err := places.SliceScan()
	if err != nil {
		return out, false, err
	}
	if number(vals[1]) != 1 {
		return out, false, nil
	}
	return retention.Cursor{Order: s.cursorValue(sel.Table.Column(g.Order()), vals[0])}, true, nil
}

// cursorValue is what the driver returned, as cursors keep it.
func (s *Source) cursorValue(c *retention.Column, v any) any {
	if b, blob := v.([]byte); blob && b == nil {
		v = []byte{} // an empty blob is not NULL
	}
	return s.e.Value(c, v)
}

// cursors reads rows of the order column, where there is one, and the key.
func (s *Source) cursors(ctx context.Context, q Session, t *retention.Table, order string, x sqlgen.Query) ([]retention.Cursor, error) {
	rows, err := q.QueryxContext(ctx, x.Text, x.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names := t.Key
	if order != "" {
		names = append([]string{order}, names...)
	}
	columns, into := make([]*retention.Column, len(names)), make([]any, len(names))
	for i, n := range names {
		columns[i] = t.Column(n)
	}
	var out []retention.Cursor
	for rows.Next() {
		vals := make([]any, len(names))
		for i := range vals {
			into[i] = &vals[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, v := range vals {
			vals[i] = s.cursorValue(columns[i], v)
		}
		c := retention.Cursor{Key: vals}
		if order != "" {
			c = retention.Cursor{Order: vals[0], Key: vals[1:]}
		}
		out = append(out, c)
	}
	return out, rows.Err()
}
