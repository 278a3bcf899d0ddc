package sqlgen

import (
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// children are the declared child rows of the rows of the list. Rows of the
// list are not their own table's children: they go as rows.
func (g *Gen) children(c *retention.Child, list string) (row, SQL) {
	t := g.main()
	x, on := g.reachApart(t, g.keyed(t, list), &c.Relation)
	cond := And(on, g.match(x, c.Where))
	if g.d.SameTable(c.Table, t.table.Name) {
		cond = And(cond, Not(g.keyed(x, list)))
	}
	return x, cond
}

// CountChildrenOf counts the child rows of the rows of the list.
func (g *Gen) CountChildrenOf(c retention.Child, list string) (Query, error) {
	x, cond := g.children(&c, list)
	return g.done(Format("SELECT count(*) FROM %s\nWHERE %s", g.from(x), cond))
}

// DeleteChildren renders the removal of the child rows; most limits it to that
// many rows, 0 does not.
func (g *Gen) DeleteChildren(c retention.Child, list string, most int64) (Query, error) {
	x, cond := g.limited(&c, list, most)
	return g.done(Format("%s\nWHERE %s", g.deleteFrom(x), cond))
}

// DetachChildren renders the clearing of the columns by which the child rows
// refer to their parents.
func (g *Gen) DetachChildren(c retention.Child, list string, most int64) (Query, error) {
	x, cond := g.limited(&c, list, most)
	var sets []SQL
	for _, p := range c.On {
		sets = append(sets, Raw(g.d.Quote(g.column(x, p.Theirs).Name)+" = NULL"))
	}
	sets = append(sets, g.unrenewed(x, nil, "")...)
	return g.done(Format("%s SET %s\nWHERE %s", g.updateOf(x), Join(", ", sets...), cond))
}

// limited are at most that many of the child rows, the same ones every time
// until something changes, so that they can be copied and then deleted.
func (g *Gen) limited(c *retention.Child, list string, most int64) (row, SQL) {
	if most <= 0 {
		return g.children(c, list)
	}
	in, cond := g.children(c, list)
	out := g.enter(c.Table)
	if id := g.d.RowID(out.table); id != "" {
		return out, Format(out.alias+"."+id+" IN (SELECT "+in.alias+"."+id+" FROM %s WHERE %s ORDER BY 1 LIMIT %s)", g.from(in), cond, Arg(most))
	}
	order := Join(", ", g.cols(in, in.table.Key)...)
	return out, g.among(out, out.table.Key, g.apart(Format("SELECT %s FROM %s WHERE %s ORDER BY %s LIMIT %s", order, g.from(in), cond, order, Arg(most))))
}

// CopyChildren renders the copy of the child rows into their vault table, with
// the clock of the row they go with.
func (g *Gen) CopyChildren(c retention.Child, list string, most int64, into retention.TableName, v *retention.VaultTables) (Query, error) {
	x, cond := g.limited(&c, list, most)
	p, on := g.reach(x, reverse(&c.Relation, g.s.Table.Name))
	theirs := on
	if !g.oneParent(&c.Relation) { // asked of each child row: a list is costly there
		theirs = And(on, g.keyed(p, list))
	}
	clock := Format("(SELECT max(%s) FROM %s WHERE %s)", g.rowClock(p, g.s.Clock), g.from(p), theirs)
	life := Format("(SELECT max(%s) FROM %s WHERE %s)", g.life(p, v.Table), g.from(p), theirs)
	return g.done(g.copy(x, into, v, clock, life, cond))
}

// oneParent is whether a child row leads back to one row at most: then that is the
// row of the list that it goes with.
func (g *Gen) oneParent(rel *retention.Relation) bool {
	near := g.s.Table
	for _, s := range links(rel) {
		if near == nil || len(near.Key) == 0 {
			return false
		}
		for _, k := range near.Key {
			if !slices.Contains(ours(s.On), k) {
				return false
			}
		}
		near = g.s.Schema.Table(s.Table)
	}
	return true
}

// UncopiedChildren counts the child rows that have no equal copy among the rows
// of the vault table after the one named.
func (g *Gen) UncopiedChildren(c retention.Child, list string, most int64, into retention.TableName, after int64) (Query, error) {
	x, cond := g.limited(&c, list, most)
	return g.done(g.uncopied(x, into, after, cond))
}
