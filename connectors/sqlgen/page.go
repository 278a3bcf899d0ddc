package sqlgen

import (
	"strconv"

	"github.com/retentiond/retentiond/retention"
)

// Order is the column that a selection's pages are ordered by before the key:
// a clock of the row whose index serves the cutoff. Empty: by the key alone.
func (g *Gen) Order() string {
	for _, m := range g.s.Clock.Members {
		if !g.bounding(m) {
			continue
		}
		for _, ix := range g.s.Table.Indexes {
			if !ix.Partial && len(ix.Columns) > 0 && ix.Columns[0] == m.Column {
				return m.Column
			}
		}
	}
	return ""
}

// Page renders the next due rows: the order column where there is one, then the
// key's columns. The last row is the next cursor.
func (g *Gen) Page(after retention.Cursor, limit int) (Query, error) {
	t := g.main()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	names := g.s.Table.Key
	if order := g.Order(); order != "" {
		names = append([]string{order}, names...)
	}
	order := g.cols(t, names)
	where := g.due(t)
	if len(after.Key) > 0 {
		where = And(g.beyond(t, names, after), where)
	}
	return g.done(Format("SELECT %s\nFROM %s\nWHERE %s\nORDER BY %s\nLIMIT %s",
		Join(", ", g.plain(t, names)...), g.from(t), where, Join(", ", order...), Arg(int64(limit))))
}

// beyond is whether the row comes after the cursor.
func (g *Gen) beyond(t row, names []string, after retention.Cursor) SQL {
	at := after.Key
	if len(names) > len(g.s.Table.Key) {
		at = append(retention.Key{after.Order}, after.Key...)
	}
	if len(at) != len(names) || len(names) > len(after.Key) && after.Order == nil {
		return g.fail("the cursor does not fit the order of table %s", g.s.Table.Name)
	}
	order, values := g.cols(t, names), make([]SQL, len(names))
	for i, c := range g.columns(t, names) {
		values[i] = Arg(at[i])
		if g.d.Typed != nil {
			values[i] = g.d.Typed(values[i], c)
		}
	}
	switch {
	case len(order) == 1:
		return Format("%s > %s", order[0], values[0])
	case g.d.WriteOut:
		return writtenOut(order, values)
	}
	return Format("(%s) > (%s)", Join(", ", order...), Join(", ", values...))
}

// writtenOut compares rows column by column, the first one also alone, since
// that is what an index serves.
func writtenOut(order, values []SQL) SQL {
	last := len(order) - 1
	more := Format("%s > %s", order[last], values[last])
	for i := last - 1; i >= 0; i-- {
		more = Or(Format("%s > %s", order[i], values[i]), And(Format("%s = %s", order[i], values[i]), more))
	}
	return And(Format("%s >= %s", order[0], values[0]), more)
}

func (g *Gen) plain(t row, names []string) []SQL {
	out := make([]SQL, len(names))
	for i, n := range names {
		out[i] = g.d.Plain(g.col(t, n), g.column(t, n))
	}
	return out
}

// KeyColumn names the columns of [Dialect.Keys].
func KeyColumn(i int) string { return "retentiond_k" + strconv.Itoa(i) }
