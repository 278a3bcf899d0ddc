package sqlgen

import "github.com/retentiond/retentiond/retention"

// member is what the tests of a clock's member are made of. All but value are
// TRUE or FALSE.
type member struct {
	null       SQL // it says nothing
	unresolved SQL // it says something unreadable, or its parent is missing
	before     SQL // latest: nothing it says is unreadable, or at or after the cutoff; earliest: something is before it
	missing    SQL // its parent is missing
	value      SQL // microseconds; NULL for null
}

// clock is a clock's three tests; a row is due by it when it is over, and
// neither open nor unresolved. Resolved is NOT unresolved, test by test: an engine
// looks each related row up by its index, where one NOT about all of them makes
// some read the related table through. Beside the over of a latest clock it only
// says that parents are there: nothing else that is unresolved is over.
type clock struct{ open, unresolved, resolved, over SQL }

func (g *Gen) clock(r row, c retention.ClockTest) clock {
	if c.Any {
		return clock{open: sqlFalse, unresolved: sqlFalse, resolved: sqlTrue, over: sqlTrue}
	}
	var nulls, bad, good, over []SQL
	for _, m := range c.Members {
		x := g.member(r, c, m)
		nulls = append(nulls, x.null)
		bad = append(bad, x.unresolved)
		if c.Earliest {
			good = append(good, Not(x.unresolved))
		} else {
			good = append(good, Not(x.missing))
		}
		over = append(over, x.before)
	}
	out := clock{open: And(nulls...), unresolved: Or(bad...), resolved: And(good...), over: And(over...)}
	if c.NullsOpen {
		out.open = Or(nulls...)
	}
	if c.Earliest {
		out.over = Or(over...)
	}
	return out
}

// dueBy is TRUE or FALSE; everything unknown is not due.
func (g *Gen) dueBy(r row, c retention.ClockTest) SQL {
	if len(c.Members) == 0 && !c.Any {
		return g.fail("a clock on table %s has no member", r.table.Name)
	}
	x := g.clock(r, c)
	if len(c.Members) == 1 && c.Members[0].Related == nil {
		return x.over // NULL is not before the cutoff, and [Never] is after every one
	}
	return And(Not(x.open), x.resolved, x.over)
}

// dueOnly is TRUE exactly where dueBy is, and may be NULL elsewhere: as a
// condition that stands alone, in a form that an index serves.
func (g *Gen) dueOnly(r row, c retention.ClockTest) SQL {
	if len(c.Members) == 1 && c.Members[0].Related == nil && g.d.Before != nil {
		m := c.Members[0]
		if s, ok := g.d.Before(g.col(r, m.Column), g.column(r, m.Column), m); ok {
			return s
		}
	}
	return g.dueBy(r, c)
}

func (g *Gen) member(r row, c retention.ClockTest, m retention.MemberTest) member {
	if m.Cutoff.IsZero() {
		g.fail("a clock on table %s has no cutoff", r.table.Name)
	}
	if m.Related != nil {
		return g.relatedMember(r, c, m)
	}
	col := g.col(r, m.Column)
	v := g.micros(r, m.Column, m)
	null := Format("%s IS NULL", col)
	x := member{null: null, unresolved: g.unresolved(r, m.Column, m), value: v, before: g.before(r, m.Column, m), missing: sqlFalse}
	if !c.Earliest && len(c.Members) > 1 {
		x.before = Or(null, x.before)
	}
	return x
}

// before is whether the column's clock is readable, plausible and before the
// cutoff.
func (g *Gen) before(r row, column string, m retention.MemberTest) SQL {
	if g.d.Before != nil {
		if s, ok := g.d.Before(g.col(r, column), g.column(r, column), m); ok {
			return holdsTrue(s)
		}
	}
	return holdsTrue(Format("%s < %s", g.micros(r, column, m), Arg(m.Cutoff.UnixMicro())))
}

// unresolved is whether the column's clock is unreadable or implausible.
func (g *Gen) unresolved(r row, column string, m retention.MemberTest) SQL {
	if g.d.Unresolved != nil {
		if s, ok := g.d.Unresolved(g.col(r, column), g.column(r, column), m); ok {
			return holdsTrue(s)
		}
	}
	return holdsTrue(Format("%s = %s", g.micros(r, column, m), Arg(Never)))
}

func (g *Gen) micros(r row, column string, m retention.MemberTest) SQL {
	v, err := g.d.Clock(g.col(r, column), g.column(r, column), m)
	if err != nil {
		return g.fail("table %s, clock %s: %w", r.table.Name, column, err)
	}
	return v
}

// relatedMember tests related rows by existence, so that their index serves: no
// MAX is needed to know that none is at or after the cutoff.
func (g *Gen) relatedMember(r row, c retention.ClockTest, m retention.MemberTest) member {
	some := func(test func(x relatedTests) SQL) SQL {
		x, conds := g.said(r, c, m)
		return g.exists(x, append(conds, test(g.relatedTests(x, m)))...)
	}
	out := member{
		null:       Not(some(func(relatedTests) SQL { return sqlTrue })),
		unresolved: some(func(x relatedTests) SQL { return x.unresolved }),
		value:      g.extreme(r, c, m, c.Earliest),
		missing:    sqlFalse,
	}
	if c.Earliest {
		out.before = some(func(x relatedTests) SQL { return x.before })
	} else {
		out.before = Not(some(func(x relatedTests) SQL { return x.after }))
	}
	if c.NullsOpen { // each related row is an event, and every event must have happened
		out.null = Or(out.null, g.waits(r, c, m))
	}
	if m.Parent {
		out.missing = g.missing(r, m.Related)
		out.null = And(out.null, Not(out.missing))
		out.unresolved = Or(out.unresolved, out.missing)
	}
	return out
}

// relatedTests are the tests of one related value that is there; after is not
// before, unreadable ones included.
type relatedTests struct{ before, after, unresolved SQL }

func (g *Gen) relatedTests(x row, m retention.MemberTest) relatedTests {
	if g.native(x, m.Related.Column, m) {
		before := g.before(x, m.Related.Column, m)
		return relatedTests{before, Not(before), g.unresolved(x, m.Related.Column, m)}
	}
	v, cut := g.micros(x, m.Related.Column, m), Arg(m.Cutoff.UnixMicro())
	return relatedTests{Format("%s < %s", v, cut), Format("%s >= %s", v, cut), Format("%s = %s", v, Arg(Never))}
}

// native is whether the engine compares the column's raw values.
func (g *Gen) native(r row, column string, m retention.MemberTest) bool {
	if g.d.Before == nil || g.d.Unresolved == nil {
		return false
	}
	_, before := g.d.Before(g.col(r, column), g.column(r, column), m)
	_, unresolved := g.d.Unresolved(g.col(r, column), g.column(r, column), m)
	return before && unresolved
}

// said are the related rows that have a value.
func (g *Gen) said(r row, c retention.ClockTest, m retention.MemberTest) (row, []SQL) {
	x, conds := g.counted(r, c, m)
	return x, append(conds, Format("%s IS NOT NULL", g.col(x, m.Related.Column)))
}

// waits is whether some related row says nothing yet.
func (g *Gen) waits(r row, c retention.ClockTest, m retention.MemberTest) SQL {
	x, conds := g.counted(r, c, m)
	return g.exists(x, append(conds, Format("%s IS NULL", g.col(x, m.Related.Column)))...)
}

// counted are the related rows that the clock is about. Where a latest clock's
// condition on them is unknown, they count: what might be a contact is one.
func (g *Gen) counted(r row, c retention.ClockTest, m retention.MemberTest) (row, []SQL) {
	x, on := g.reach(r, m.Related)
	where := g.predicate(x, m.Related.Where)
	if c.Earliest {
		where = holdsTrue(where)
	} else {
		where = mayHold(where)
	}
	return x, []SQL{on, where}
}

// extreme is the MAX, or MIN, over the related rows.
func (g *Gen) extreme(r row, c retention.ClockTest, m retention.MemberTest, least bool) SQL {
	x, conds := g.said(r, c, m)
	f := "max"
	if least {
		f = "min"
	}
	return Format("(SELECT "+f+"(%s) FROM %s WHERE %s)", g.micros(x, m.Related.Column, m), g.from(x), And(conds...))
}

// missing is whether the row that the relation points up to does not exist.
func (g *Gen) missing(r row, rel *retention.Relation) SQL {
	x, on := g.reach(r, rel)
	return Not(g.exists(x, on))
}

// rowClock is the clock's value before rounding, in microseconds.
func (g *Gen) rowClock(r row, c retention.ClockTest) SQL {
	if len(c.Members) == 1 {
		return g.member(r, c, c.Members[0]).value
	}
	var vs []SQL
	for _, m := range c.Members {
		vs = append(vs, g.member(r, c, m).value)
	}
	if g.d.Extreme != nil {
		return g.d.Extreme(c.Earliest, vs)
	}
	for i := range vs {
		vs[i] = Format("SELECT %s AS v", vs[i])
	}
	f := "max"
	if c.Earliest {
		f = "min"
	}
	return Format("(SELECT "+f+"(m.v) FROM (%s) AS m)", Join(" UNION ALL ", vs...))
}
