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
		where = And(g.beyond(order, after), where)
	}
	return g.done(Format("SELECT %s\nFROM %s\nWHERE %s\nORDER BY %s\nLIMIT %s",
		Join(", ", g.plain(order)...), g.from(t), where, Join(", ", order...), Arg(int64(limit))))
}

// beyond is whether the row comes after the cursor.
func (g *Gen) beyond(order []SQL, after retention.Cursor) SQL {
	var values []SQL
	if len(order) > len(g.s.Table.Key) {
		values = append(values, Arg(after.Order))
	}
	for _, v := range after.Key {
		values = append(values, Arg(v))
	}
	if len(values) != len(order) || len(values) > len(after.Key) && after.Order == nil {
		return g.fail("the cursor does not fit the order of table %s", g.s.Table.Name)
	}
	if len(order) == 1 {
		return Format("%s > %s", order[0], values[0])
	}
	return Format("(%s) > (%s)", Join(", ", order...), Join(", ", values...))
}

func (g *Gen) plain(cols []SQL) []SQL {
	out := make([]SQL, len(cols))
	for i, c := range cols {
		out[i] = g.d.Plain(c)
	}
	return out
}

// KeyColumn names the columns of [Dialect.Keys].
func KeyColumn(i int) string { return "retentiond_k" + strconv.Itoa(i) }
