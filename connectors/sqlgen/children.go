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

// Some says which of the child rows a statement means. The zero Some means all.
type Some struct {
	// Most is how many at most: the first in the order of their key, which are others
	// once a row comes before them.
	Most int64
	// Locked means those that this transaction has locked, whatever came since.
	Locked bool
	// Keys is the list of the keys of those meant, whatever came since.
	Keys string
}

// Same is what means the rows that a statement with s has locked, in the statements
// after it; keys are the rows' keys, where the engine does not tell its locks.
func (g *Gen) Same(s Some, keys string) Some {
	switch {
	case s.Most <= 0:
		return s
	case g.d.Locked != nil:
		return Some{Locked: true}
	}
	return Some{Keys: keys}
}

// LockChildren locks the child rows, and returns the key of each; 1 where they have
// none.
func (g *Gen) LockChildren(c retention.Child, list string, s Some) (Query, error) {
	x, cond := g.some(&c, list, s)
	what := Raw("1")
	if len(x.table.Key) > 0 {
		what = g.plain(x, x.table.Key)
	}
	return g.done(Format("SELECT %s FROM %s\nWHERE %s\nFOR UPDATE", what, g.from(x), cond))
}

// DeleteChildren renders the removal of the child rows.
func (g *Gen) DeleteChildren(c retention.Child, list string, s Some) (Query, error) {
	x, cond := g.some(&c, list, s)
	return g.done(Format("%s\nWHERE %s", g.deleteFrom(x), cond))
}

// DetachChildren renders the clearing of the columns by which the child rows
// refer to their parents.
func (g *Gen) DetachChildren(c retention.Child, list string, s Some) (Query, error) {
	x, cond := g.some(&c, list, s)
	var sets []SQL
	for _, p := range c.On {
		sets = append(sets, Raw(g.d.Quote(g.column(x, p.Theirs).Name)+" = NULL"))
	}
	sets = append(sets, g.unrenewed(x, nil, "")...)
	return g.done(Format("%s SET %s\nWHERE %s", g.updateOf(x), Join(", ", sets...), cond))
}

// some are the child rows that s means.
func (g *Gen) some(c *retention.Child, list string, s Some) (row, SQL) {
	switch {
	case s.Locked:
		x, cond := g.children(c, list)
		return x, And(cond, g.d.Locked(x.alias))
	case s.Keys != "":
		x, cond := g.children(c, list)
		return x, And(cond, g.keyedBy(x, s.Keys))
	case s.Most > 0:
		return g.first(c, list, s.Most)
	}
	return g.children(c, list)
}

// first are the first of the child rows.
func (g *Gen) first(c *retention.Child, list string, most int64) (row, SQL) {
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
func (g *Gen) CopyChildren(c retention.Child, list string, s Some, into retention.TableName, v *retention.VaultTables) (Query, error) {
	x, cond := g.some(&c, list, s)
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
func (g *Gen) UncopiedChildren(c retention.Child, list string, s Some, into retention.TableName, after int64) (Query, error) {
	x, cond := g.some(&c, list, s)
	return g.done(g.uncopied(x, into, after, cond))
}
