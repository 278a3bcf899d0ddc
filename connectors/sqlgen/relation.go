package sqlgen

import "github.com/retentiond/retentiond/retention"

func theirs(on []retention.Pair) []string {
	out := make([]string, len(on))
	for i, p := range on {
		out[i] = p.Theirs
	}
	return out
}

func ours(on []retention.Pair) []string {
	out := make([]string, len(on))
	for i, p := range on {
		out[i] = p.Ours
	}
	return out
}

// links are the steps of a relation: the hops, and the table itself last.
func links(rel *retention.Relation) []retention.Hop {
	out := append([]retention.Hop{}, rel.Via...)
	return append(out, retention.Hop{Table: rel.Table, On: rel.On})
}

// reach enters the related table and says which of its rows relate to our row.
// Each hop is a scope of its own, so that an `sql:` condition sees the columns
// of its own table only.
func (g *Gen) reach(our row, rel *retention.Relation) (row, SQL) {
	steps := links(rel)
	r := g.enter(steps[0].Table)
	var pairs []SQL
	for _, p := range steps[0].On {
		g.joinable(r, p.Theirs, our, p.Ours)
		pairs = append(pairs, Format("%s = %s", g.col(r, p.Theirs), g.col(our, p.Ours)))
	}
	if len(pairs) == 0 {
		g.fail("relation to table %s has no columns to join on", rel.Table)
	}
	return g.walk(r, And(pairs...), steps[1:])
}

// joinable refuses columns that the engine would compare otherwise than by
// their own values.
func (g *Gen) joinable(a row, theirs string, b row, ours string) {
	if g.d.Comparable == nil {
		return
	}
	if why := g.d.Comparable(g.column(a, theirs), g.column(b, ours)); why != "" {
		g.fail("table %s, column %s, and table %s, column %s: %s", a.table.Name, theirs, b.table.Name, ours, why)
	}
}

// reachApart is reachSet, in a form in which a statement may change any table on
// the way.
func (g *Gen) reachApart(our row, cond SQL, rel *retention.Relation) (row, SQL) {
	r := our
	for _, s := range links(rel) {
		next := g.enter(s.Table)
		sub := g.apart(g.step(r, next, s, cond))
		r, cond = next, g.among(next, theirs(s.On), sub)
	}
	return r, cond
}

// reachSet is like reach, for all rows of our table that match cond.
func (g *Gen) reachSet(our row, cond SQL, rel *retention.Relation) (row, SQL) {
	return g.walk(our, cond, links(rel))
}

// walk follows steps from the rows of r that match cond.
func (g *Gen) walk(r row, cond SQL, steps []retention.Hop) (row, SQL) {
	for _, s := range steps {
		next := g.enter(s.Table)
		sub := g.step(r, next, s, cond)
		r, cond = next, g.among(next, theirs(s.On), sub)
	}
	return r, cond
}

// step selects the columns by which the next table's rows refer to those of r.
func (g *Gen) step(r, next row, s retention.Hop, cond SQL) SQL {
	for _, p := range s.On {
		g.joinable(next, p.Theirs, r, p.Ours)
	}
	return Format("SELECT %s FROM %s WHERE %s", Join(", ", g.cols(r, ours(s.On))...), g.from(r), cond)
}

// among is whether the columns are one of the subquery's rows.
func (g *Gen) among(r row, names []string, sub SQL) SQL {
	if len(names) == 0 {
		return g.fail("relation to table %s has no columns to join on", r.table.Name)
	}
	cols := Join(", ", g.cols(r, names)...)
	if len(names) > 1 {
		cols = Format("(%s)", cols)
	}
	return Format("%s IN (%s)", cols, sub)
}

// reverse leads from the related row back to ours, which is of table home.
func reverse(rel *retention.Relation, home retention.TableName) *retention.Relation {
	steps := links(rel)
	back := &retention.Relation{Table: home}
	for i := len(steps) - 1; i >= 0; i-- {
		var on []retention.Pair
		for _, p := range steps[i].On {
			on = append(on, retention.Pair{Theirs: p.Ours, Ours: p.Theirs})
		}
		if i == 0 {
			back.On = on
			break
		}
		back.Via = append(back.Via, retention.Hop{Table: steps[i-1].Table, On: on})
	}
	return back
}

// exists is whether some row of r matches.
func (g *Gen) exists(r row, conds ...SQL) SQL {
	c := And(conds...)
	if isFalse(c) {
		return sqlFalse
	}
	if g.byRow && g.d.ByRow != "" {
		return Format("EXISTS (SELECT 1 FROM %s WHERE %s "+g.d.ByRow+")", g.from(r), c)
	}
	return Format("EXISTS (SELECT 1 FROM %s WHERE %s)", g.from(r), c)
}
