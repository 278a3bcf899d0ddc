package sqlgen

import "github.com/retentiond/retentiond/retention"

// class is the row's class, the one expression that everything is about.
func (g *Gen) class(r row) SQL {
	c := g.clock(r, g.s.Clock)
	whens := []struct {
		test  SQL
		class retention.Class
	}{
		{g.excluded(r), retention.Excluded},
		{g.alreadyDone(r), retention.ClassDone},
		{mayHold(c.open), retention.Open},
		{mayHold(Or(append(g.nameless(r), c.unresolved)...)), retention.Unresolved},
		{mayNotHold(c.over), retention.Active},
		{holdsTrue(g.held(r, g.s.Reach)), retention.Held},
		{mayHold(g.protected(r, g.s.Minimums)), retention.Protected},
		{mayHold(g.blocked(r, g.s.Blocked)), retention.Blocked},
	}
	out := Raw("CASE")
	for _, w := range whens {
		if isFalse(w.test) {
			continue
		}
		out = Format("%s\n  WHEN %s THEN '"+string(w.class)+"'", out, w.test)
	}
	if out.Text == "CASE" {
		return Raw("'due'")
	}
	return Format("%s\n  ELSE 'due' END", out)
}

// stillDue is class = 'due', as one condition instead of a CASE.
func (g *Gen) stillDue(r row) SQL {
	all := []SQL{
		Not(g.excluded(r)), Not(g.alreadyDone(r)), Not(mayHold(Or(g.nameless(r)...))), g.dueOnly(r, g.s.Clock),
		Not(holdsTrue(g.held(r, g.s.Reach))), Not(mayHold(g.protected(r, g.s.Minimums))), Not(mayHold(g.blocked(r, g.s.Blocked))),
	}
	return And(all...)
}

func (g *Gen) excluded(r row) SQL {
	not := sqlFalse
	if g.s.Where != nil {
		not = mayNotHold(g.predicate(r, g.s.Where))
	}
	if g.s.Later == nil {
		return not
	}
	return Or(not, mayHold(g.dueBy(r, *g.s.Later)))
}

// nameless are the tests of key values that no batch could name.
func (g *Gen) nameless(r row) []SQL {
	if g.s.Clock.Any {
		return nil
	}
	var any []SQL
	for _, k := range r.table.Key {
		any = append(any, g.d.Nameless(g.col(r, k), g.column(r, k)))
	}
	return any
}

// alreadyDone is whether a redaction or anonymisation has nothing left to do.
// Without a mark and without a fixed change there is nothing to tell by.
func (g *Gen) alreadyDone(r row) SQL {
	if g.s.Done == nil {
		return sqlFalse
	}
	var all []SQL
	if g.s.Done.Mark != "" {
		all = append(all, Format("%s IS NOT NULL", g.col(r, g.s.Done.Mark)))
	}
	for _, ch := range g.s.Done.Changes {
		if ch.Func == retention.Keep || ch.Func == retention.Random {
			continue
		}
		all = append(all, holdsTrue(g.formed(r, ch)))
	}
	if len(all) == 0 {
		return sqlFalse
	}
	return And(all...)
}

// formed is whether the column already has its form.
func (g *Gen) formed(r row, ch retention.Change) SQL {
	col, c := g.col(r, ch.Column), g.column(r, ch.Column)
	switch ch.Func {
	case retention.Null:
		return Format("%s IS NULL", col)
	case retention.Set:
		return g.d.Same(col, g.form(r, ch), c)
	}
	s, err := g.d.Formed(col, c, ch)
	if err != nil {
		return g.fail("table %s: %w", r.table.Name, err)
	}
	return s
}

// form is what becomes of the column.
func (g *Gen) form(r row, ch retention.Change) SQL {
	col, c := g.col(r, ch.Column), g.column(r, ch.Column)
	switch ch.Func {
	case retention.Keep:
		return col
	case retention.Null:
		return g.bind(Raw("NULL"), c)
	case retention.Set:
		if ch.Value == nil {
			return g.fail("table %s: column %s is set to no value", r.table.Name, ch.Column)
		}
		return g.value(r, ch.Column, *ch.Value)
	}
	s, err := g.d.Change(col, c, ch)
	if err != nil {
		return g.fail("table %s: %w", r.table.Name, err)
	}
	return s
}
