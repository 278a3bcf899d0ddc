package sqlgen

import "github.com/retentiond/retentiond/retention"

// fence keeps an optimiser from merging a subquery into the query around it,
// where the class would be computed once for every use.
const fence = "LIMIT 9223372036854775807"

func (g *Gen) fence() string {
	if g.d.Fence != "" {
		return g.d.Fence
	}
	return fence
}

// Count renders one statement with one row: the table's rows, the rows of each
// class in [retention.ClassOrder], and the earliest clock of the due rows in
// microseconds (NULL where the clock needs other rows); the latest too, where the
// selection asks for it.
func (g *Gen) Count() (Query, error) {
	t := g.main()
	if g.d.GroupCount && g.byClockAlone(t) {
		return g.countClock(t)
	}
	if g.d.GroupCount && g.groups(t) {
		return g.countGroups(t)
	}
	inner := []SQL{Format("%s AS c", g.class(t))}
	outer := []SQL{Raw("count(*)")}
	for _, k := range retention.ClassOrder() {
		outer = append(outer, Raw("count(CASE WHEN k.c = '"+string(k)+"' THEN 1 END)"))
	}
	in, out := g.end(t, "min", "v")
	inner = append(inner, in...)
	outer = append(outer, out)
	if g.s.Newest {
		_, out = g.end(t, "max", "v")
		outer = append(outer, out)
	}
	return g.done(Format("SELECT %s\nFROM (SELECT %s\nFROM %s "+g.fence()+") AS k",
		Join(",\n  ", outer...), Join(", ", inner...), g.from(t)))
}

// countGroups is Count over one group a class, which keeps the ends of its clocks.
func (g *Gen) countGroups(t row) (Query, error) {
	number := func(when string) SQL {
		return Raw("CAST(coalesce(sum(" + when + "), 0) AS bigint)")
	}
	inner := []SQL{Format("%s AS c", g.class(t)), Raw("count(*) AS n")}
	outer := []SQL{number("k.n")}
	for _, k := range retention.ClassOrder() {
		outer = append(outer, number("CASE WHEN k.c = '"+string(k)+"' THEN k.n END"))
	}
	for _, e := range []struct{ agg, name string }{{"min", "v"}, {"max", "w"}} {
		if e.agg == "max" && !g.s.Newest {
			continue
		}
		in, out := g.end(t, e.agg, e.name)
		kept := Raw("NULL")
		if len(in) > 0 {
			kept = Format(e.agg+"(%s)", g.col(t, g.s.Clock.Members[0].Column))
		}
		inner, outer = append(inner, Format("%s AS "+e.name, kept)), append(outer, out)
	}
	return g.done(Format("SELECT %s\nFROM (SELECT %s\nFROM %s\nGROUP BY 1) AS k",
		Join(",\n  ", outer...), Join(", ", inner...), g.from(t)))
}

// groups reports whether a group can keep the ends of its clocks; where it cannot,
// they would be computed for each row beside its class.
func (g *Gen) groups(t row) bool {
	inner, _ := g.end(t, "min", "v")
	m := g.s.Clock.Members
	return len(inner) == 0 || len(m) == 1 && g.native(t, m[0].Column, m[0])
}

// end is the earliest (agg min) or latest (max) clock of the due rows, where that
// needs no other row, out of the subquery's column of that name, and what the
// subquery has to give for it.
func (g *Gen) end(t row, agg, name string) (inner []SQL, outer SQL) {
	ms := g.s.Clock.Members
	if g.s.Clock.Any {
		return nil, Raw("NULL")
	}
	for _, m := range ms {
		if m.Related != nil {
			return nil, Raw("NULL")
		}
	}
	v := Raw("k." + name)
	most := agg + "(CASE WHEN k.c = 'due' THEN %s END)"
	if len(ms) > 1 {
		return []SQL{Format("%s AS "+name, g.rowClock(t, g.s.Clock))}, Format(most, v)
	}
	native := g.native(t, ms[0].Column, ms[0]) // then the end of the values says that of the clocks, but for the hour of a gap
	if native {
		v = Format(most, v)
	}
	micros, err := g.d.Clock(v, g.column(t, ms[0].Column), ms[0])
	if err != nil {
		return nil, g.fail("table %s: %w", t.table.Name, err)
	}
	if native {
		return []SQL{Format("%s AS "+name, g.col(t, ms[0].Column))}, micros
	}
	return []SQL{Format("%s AS "+name, g.col(t, ms[0].Column))}, Format(most, micros)
}

// due is whether the row is due, with a first test that an index can serve.
func (g *Gen) due(t row) SQL {
	return And(g.candidate(t), Format("%s = 'due'", g.class(t)))
}

// bounding is whether a due row always has this member's raw value before the
// cutoff: the member is a column of the row, the clock is the latest of its
// members, and the column cannot be passed over.
func (g *Gen) bounding(m retention.MemberTest) bool {
	if m.Related != nil || g.s.Clock.Earliest && len(g.s.Clock.Members) > 1 {
		return false
	}
	c := g.s.Table.Column(m.Column)
	return c != nil && (len(g.s.Clock.Members) == 1 || !c.Nullable)
}

// CountChildren counts the child rows of due rows, each once.
func (g *Gen) CountChildren(c retention.Child) (Query, error) {
	t := g.main()
	x, on := g.reachSet(t, g.due(t), &c.Relation)
	return g.done(Format("SELECT count(*) FROM %s\nWHERE %s", g.from(x), And(on, g.match(x, c.Where))))
}

// EachClass renders every row's key and class, in key order.
func (g *Gen) EachClass() (Query, error) {
	t := g.main()
	cols := []SQL{g.plain(t, t.table.Key), g.class(t)}
	return g.done(Format("SELECT %s FROM %s ORDER BY %s", Join(", ", cols...), g.from(t), g.stable(t)))
}
