package sqlgen

import (
	"strconv"

	"github.com/retentiond/retentiond/retention"
)

// Order is the column that a selection's pages are ordered by before the key:
// a clock of the row whose index serves the cutoff. Empty: by the key alone.
func (g *Gen) Order() string {
	column, _ := g.order()
	return column
}

// order is the column, and the index that serves it.
func (g *Gen) order() (column, index string) {
	for _, m := range g.s.Clock.Members {
		if !g.bounding(m) {
			continue
		}
		for _, ix := range g.s.Table.Indexes {
			if !ix.Partial && len(ix.Columns) > 0 && ix.Columns[0] == m.Column {
				return m.Column, ix.Name
			}
		}
	}
	return "", ""
}

// orderIndex is the index that a statement about a range walks along, or else its
// engine may read, and lock, the whole table; empty where the key serves alone.
func (g *Gen) orderIndex() string {
	_, index := g.order()
	return index
}

// Page renders the next due rows: the order column where there is one, then the
// key's columns. The last row is the next cursor.
func (g *Gen) Page(after retention.Cursor, limit int) (Query, error) {
	t := g.main()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	where := g.due(t)
	if !after.Zero() {
		where = And(g.beyond(t, after), where)
	}
	return g.done(Format("SELECT %s\nFROM %s\nWHERE %s\nORDER BY %s\nLIMIT %s", g.plain(t, g.ordering()), g.from(t), where,
		Join(", ", g.cols(t, g.ordering())...), Arg(int64(limit))))
}

// ordering are the columns of the page order.
func (g *Gen) ordering() []string {
	if order := g.Order(); order != "" {
		return append([]string{order}, g.s.Table.Key...)
	}
	return g.s.Table.Key
}

// bind is a value, or NULL, as one of the column's type.
func (g *Gen) bind(v SQL, c *retention.Column) SQL {
	if g.d.Bind == nil {
		return v
	}
	return g.d.Bind(v, c)
}

// beyond is whether the row comes after the cursor.
func (g *Gen) beyond(t row, after retention.Cursor) SQL {
	order, values := g.place(t, after)
	if len(after.Key) == 0 {
		return Format("%s >= %s", order[0], values[0])
	}
	return g.compareRows(order, values, ">", ">")
}

// upTo is whether the row comes before the cursor, or is its row.
func (g *Gen) upTo(t row, to retention.Cursor) SQL {
	order, values := g.place(t, to)
	if len(to.Key) == 0 {
		return Format("%s < %s", order[0], values[0])
	}
	return g.compareRows(order, values, "<", "<=")
}

// place are the columns of the page order, and the cursor's values beside them:
// the order column's alone where the cursor has no key.
func (g *Gen) place(t row, c retention.Cursor) (order, values []SQL) {
	names, at := g.ordering(), c.Key
	switch {
	case len(c.Key) == 0 && c.Order != nil && len(names) > len(g.s.Table.Key):
		names, at = names[:1], retention.Key{c.Order}
	case len(names) > len(g.s.Table.Key):
		at = append(retention.Key{c.Order}, c.Key...)
	}
	if len(at) != len(names) || len(names) > len(c.Key) && c.Order == nil {
		g.fail("the cursor does not fit the order of table %s", g.s.Table.Name)
		return g.cols(t, names), g.cols(t, names)
	}
	values = make([]SQL, len(names))
	for i, c := range g.columns(t, names) {
		values[i] = Arg(at[i])
		if g.d.Typed != nil {
			values[i] = g.d.Typed(values[i], c)
		}
	}
	return g.cols(t, names), values
}

// compareRows compares row by row: strict is the operator, last that of the last
// column.
func (g *Gen) compareRows(order, values []SQL, strict, last string) SQL {
	switch {
	case len(order) == 1:
		return Format("%s "+last+" %s", order[0], values[0])
	case g.d.WriteOut:
		return writtenOut(order, values, strict, last)
	}
	return Format("(%s) "+last+" (%s)", Join(", ", order...), Join(", ", values...))
}

// writtenOut compares rows column by column, the first one also alone, since
// that is what an index serves.
func writtenOut(order, values []SQL, strict, last string) SQL {
	n := len(order) - 1
	out := Format("%s "+last+" %s", order[n], values[n])
	for i := n - 1; i >= 0; i-- {
		out = Or(Format("%s "+strict+" %s", order[i], values[i]), And(Format("%s = %s", order[i], values[i]), out))
	}
	return And(Format("%s "+strict+"= %s", order[0], values[0]), out)
}

// plain are the row's columns without what a driver would make of their types.
func (g *Gen) plain(t row, names []string) SQL {
	out := make([]SQL, len(names))
	for i, n := range names {
		out[i] = g.d.Plain(g.col(t, n), g.column(t, n))
	}
	return Join(", ", out...)
}

// KeyColumn names the columns of [Dialect.Keys].
func KeyColumn(i int) string { return "retentiond_k" + strconv.Itoa(i) }
