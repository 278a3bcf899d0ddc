package sqlgen

import (
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// Contents renders the rows of the list, to be sealed: every column as the driver
// returns it exactly, the rule's clock in microseconds, and the clock of each
// minimum: NULL where it does not protect the row, [Never] where it is unknown.
func (g *Gen) Contents(list string, minimums []retention.Minimum) (Query, error) {
	t := g.main()
	return g.done(Format("SELECT %s\nFROM %s\nWHERE %s", g.contents(t, g.rowClock(t, g.s.Clock), minimums), g.from(t), g.keyed(t, list)))
}

// ContentsOfRange is Contents of the range's due rows; lock takes their locks in the
// same statement.
func (g *Gen) ContentsOfRange(r retention.Range, minimums []retention.Minimum, lock bool) (Query, error) {
	t, due, err := g.dueOf(r)
	if err != nil {
		return Query{}, err
	}
	text := "SELECT %s\nFROM %s\nWHERE %s"
	if lock {
		text += "\nFOR UPDATE"
	}
	return g.done(Format(text, g.contents(t, g.rowClock(t, g.s.Clock), minimums), g.from(t), due))
}

// TakeRange renders the removal of the range's due rows; its answer is Contents of
// exactly those, each as it was when it was removed.
func (g *Gen) TakeRange(r retention.Range, minimums []retention.Minimum) (Query, error) {
	g.bare = g.d.Streams
	t, due, err := g.dueOf(r)
	if err != nil {
		return Query{}, err
	}
	if g.span != nil {
		due = And(Format("%s BETWEEN %s AND %s", g.col(t, t.table.Key[0]), g.span[0], g.span[1]), due)
	}
	return g.done(Format("%s\nWHERE %s\nRETURNING %s", g.deleteFrom(t), due, g.contents(t, g.rowClock(t, g.s.Clock), minimums)))
}

// Span renders the least and the greatest key of the range's rows and their number, from
// the index that it walks along; ok = false: rows do not lie by an integer key, or are
// walked by it anyway.
func (g *Gen) Span(r retention.Range) (q Query, ok bool, err error) {
	t := g.main()
	if g.along = g.orderIndex(); g.d.Clustered == "" || g.along == "" || g.along == g.d.Clustered || !g.Divides() {
		return Query{}, false, g.err
	}
	key := g.col(t, t.table.Key[0])
	q, err = g.done(Format("SELECT min(%s), max(%s), count(*) FROM %s\nWHERE %s", key, key, g.from(t), g.within(t, r)))
	return q, true, err
}

// Between narrows ranges to the keys from the least to the greatest.
func (g *Gen) Between(least, greatest int64) { g.span = []SQL{Arg(least), Arg(greatest)} }

// Along is the index that statements about ranges walk along; empty: the engine finds
// it by itself.
func (g *Gen) Along() string { return g.orderIndex() }

// OwnMinimums is whether the minimums read nothing but the row itself.
func (g *Gen) OwnMinimums(minimums []retention.Minimum) bool {
	return !slices.ContainsFunc(minimums, func(m retention.Minimum) bool { return related(m.Clock) || asksOthers(m.Where) })
}

// ChildContents is Contents of the child rows, with the clock of the row they go
// with; lock takes their locks, where others write.
func (g *Gen) ChildContents(c retention.Child, list string, s Some, minimums []retention.Minimum, lock bool) (Query, error) {
	x, cond := g.some(&c, list, s)
	p, on := g.reach(x, reverse(&c.Relation, g.s.Table.Name))
	theirs := on
	if !g.oneParent(&c.Relation) {
		theirs = And(on, g.keyed(p, list))
	}
	clock := Format("(SELECT max(%s) FROM %s WHERE %s)", g.rowClock(p, g.s.Clock), g.from(p), theirs)
	text := "SELECT %s\nFROM %s\nWHERE %s"
	if lock {
		text += "\nFOR UPDATE"
	}
	return g.done(Format(text, g.contents(x, clock, minimums), g.from(x), cond))
}

func (g *Gen) contents(r row, clock SQL, minimums []retention.Minimum) SQL {
	var out []SQL
	for i := range r.table.Columns {
		c := &r.table.Columns[i]
		out = append(out, g.d.Entire(g.col(r, c.Name), c))
	}
	out = append(out, clock)
	for _, m := range minimums {
		out = append(out, g.protects(r, m))
	}
	return Join(", ", out...)
}

// protects is the minimum's clock, where it protects the row at any time: the
// unknown protects for ever.
func (g *Gen) protects(r row, m retention.Minimum) SQL {
	c := g.clock(r, m.Clock)
	unknown := Or(mayHold(c.open), mayHold(c.unresolved))
	never := Arg(Never)
	value := Format("coalesce(%s, %s)", g.rowClock(r, m.Clock), never)
	if !isFalse(unknown) {
		value = Format("CASE WHEN %s THEN %s ELSE %s END", unknown, never, value)
	}
	where := mayHold(g.match(r, m.Where))
	if isTrue(where) {
		return value
	}
	return Format("CASE WHEN %s THEN %s END", where, value)
}

// Lives renders how often rows with the keys of the list are in a vault's table: how
// many of the keys, and the least and the greatest number of their last life.
func (g *Gen) Lives(list string) (Query, error) {
	t := g.main()
	by := Join(", ", g.cols(t, t.table.Key)...)
	return g.done(Format("SELECT count(*), coalesce(min(x.n), 0), coalesce(max(x.n), 0) FROM (SELECT max(%s) AS n FROM %s\nWHERE %s GROUP BY %s) AS x",
		g.col(t, retention.VaultLife), g.from(t), g.keyed(t, list), by))
}

// Subject is a query for the identifiers of one type.
type Subject struct {
	Type string
	Lookup
}

// Persons renders, for every way by which rows of the list, and children that go
// with them, are about subjects through other rows, the identifiers found there.
// own adds those of the rows' own columns.
func (g *Gen) Persons(list string, own bool) ([]Subject, error) {
	t := g.main()
	out, err := g.persons(t, g.keyed(t, list), g.s.Reach, own, nil)
	for i := range g.s.Blocked {
		c := &g.s.Blocked[i]
		if err != nil || c.Child.Then == retention.ChildDetach {
			continue
		}
		x, cond := g.children(&c.Child, list)
		var more []Subject
		more, err = g.persons(x, cond, c.Reach, false, nil)
		out = append(out, more...)
	}
	return out, err
}

// persons walks up from the rows that match; path guards cycles.
func (g *Gen) persons(r row, cond SQL, reach *retention.Reach, own bool, path []*retention.Reach) ([]Subject, error) {
	if reach == nil || slices.Contains(path, reach) {
		return nil, g.err
	}
	path = append(slices.Clone(path), reach)
	var out []Subject
	add := func(typ string, x row, column string, where SQL) error {
		c := g.column(x, column)
		q, err := g.done(Format("SELECT DISTINCT %s FROM %s\nWHERE %s", g.d.Plain(g.col(x, column), c), g.from(x), where))
		out = append(out, Subject{typ, Lookup{q, c}})
		return err
	}
	for _, s := range reach.Subjects {
		for _, c := range s.Columns {
			if own {
				if err := add(s.Type, r, c, cond); err != nil {
					return nil, err
				}
			}
		}
		if s.Related != nil {
			x, on := g.reachSet(r, cond, s.Related)
			if err := add(s.Type, x, s.Related.Column, And(on, g.match(x, s.Related.Where))); err != nil {
				return nil, err
			}
		}
	}
	for _, p := range reach.Parents {
		if p.Back || p.Reach == nil {
			continue
		}
		x, on := g.reachSet(r, And(cond, g.match(r, p.Child.Where)), reverse(&p.Child.Relation, p.Reach.Table))
		more, err := g.persons(x, on, p.Reach, true, path)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, g.err
}
