package sqlgen

import (
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// AboutEach renders, for every way by which rows that have files are about subjects, the
// owner's columns of each row and the identifiers found that way. Of the list's rows, or
// of their children where c is set. Ways over the owner's own columns are left out.
func (g *Gen) AboutEach(o retention.Owner, c *retention.Child, list string) ([]Subject, error) {
	if o.Reach == nil {
		g.fail("how holds reach table %s is not known: nothing may act", o.Table)
	}
	r := g.main()
	cond := g.keyed(r, list)
	if c != nil {
		r, cond = g.children(c, list)
	}
	return g.aboutEach(o, chain{rows: []row{r}, conds: []SQL{cond}}, o.Reach, nil)
}

// aboutEach walks up; path guards cycles.
func (g *Gen) aboutEach(o retention.Owner, c chain, reach *retention.Reach, path []*retention.Reach) (out []Subject, err error) {
	if reach == nil || slices.Contains(path, reach) {
		return nil, g.err
	}
	path = append(slices.Clone(path), reach)
	add := func(typ string, c chain, column string) {
		if err == nil {
			var q Query
			q, err = g.done(g.joined(c, Join(", ", g.plain(c.rows[0], o.Columns), g.plain(c.last(), []string{column}))))
			out = append(out, Subject{typ, Lookup{q, g.column(c.last(), column)}})
		}
	}
	for _, s := range reach.Subjects {
		for _, column := range s.Columns {
			if len(path) > 1 || !o.Names(s.Type, column) {
				add(s.Type, c, column)
			}
		}
		if s.Related != nil {
			x := g.follow(c, s.Related)
			add(s.Type, x.that(g.match(x.last(), s.Related.Where)), s.Related.Column)
		}
	}
	for _, p := range reach.Parents {
		if p.Reach == nil {
			g.fail("how holds reach the parent of table %s is not known: nothing may act", reach.Table)
		}
		if err == nil && g.err == nil {
			up := g.follow(c.that(g.match(c.last(), p.Child.Where)), reverse(&p.Child.Relation, p.Reach.Table))
			var more []Subject
			more, err = g.aboutEach(o, up, p.Reach, path)
			out = append(out, more...)
		}
	}
	if err == nil {
		err = g.err
	}
	return out, err
}

// chain are rows joined one to the next.
type chain struct {
	rows  []row
	conds []SQL // beside rows: which of them
	on    []SQL
}

func (c chain) last() row { return c.rows[len(c.rows)-1] }

// that are those whose last row passes the test too.
func (c chain) that(test SQL) chain {
	c.conds = slices.Clone(c.conds)
	i := len(c.conds) - 1
	c.conds[i] = And(c.conds[i], test)
	return c
}

// follow joins the rows of a relation.
func (g *Gen) follow(c chain, rel *retention.Relation) chain {
	c = chain{slices.Clone(c.rows), slices.Clone(c.conds), slices.Clone(c.on)}
	for _, s := range links(rel) {
		next := g.enter(s.Table)
		for _, p := range s.On {
			g.joinable(next, p.Theirs, c.last(), p.Ours)
			c.on = append(c.on, Format("%s = %s", g.col(next, p.Theirs), g.col(c.last(), p.Ours)))
		}
		if len(s.On) == 0 {
			g.fail("relation to table %s has no columns to join on", rel.Table)
		}
		c.rows, c.conds = append(c.rows, next), append(c.conds, sqlTrue)
	}
	return c
}

// joined selects from the chain. Each condition is in a scope of its own, so that an
// `sql:` condition sees the columns of its own table only.
func (g *Gen) joined(c chain, what SQL) SQL {
	from := make([]SQL, len(c.rows))
	for i, r := range c.rows {
		if from[i] = g.from(r); isTrue(c.conds[i]) {
			continue
		}
		all := make([]string, len(r.table.Columns))
		for j := range all {
			all[j] = r.table.Columns[j].Name
		}
		from[i] = Format("(SELECT %s FROM %s WHERE %s) AS "+r.alias, Join(", ", g.cols(r, all)...), g.from(r), c.conds[i])
	}
	return Format("SELECT %s FROM %s WHERE %s", what, Join(", ", from...), And(c.on...))
}
