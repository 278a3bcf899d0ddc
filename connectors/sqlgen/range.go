package sqlgen

import (
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// within is whether the row lies in the range. Its end is the upper bound that an
// index serves, or the raw test of the clock where the range has none: with both,
// an engine may take the farther one, and walk to the end of the table each time.
func (g *Gen) within(t row, r retention.Range) SQL {
	var all []SQL
	if r.To.Zero() {
		all = append(all, g.candidate(t))
	}
	if !r.After.Zero() {
		all = append(all, g.beyond(t, r.After))
	}
	if !r.To.Zero() {
		all = append(all, g.upTo(t, r.To))
	}
	if r.Parts > 1 {
		all = append(all, g.part(t, r))
	}
	if g.locked {
		all = append(all, g.d.Locked(t.alias))
	}
	return And(all...)
}

// LockedOnly makes ranges mean, of their rows, those that the transaction has
// locked; false: the engine does not tell them.
func (g *Gen) LockedOnly() bool {
	g.locked = g.d.Locked != nil
	return g.locked
}

// LockRange renders the locking of the range's due rows; its answer is their number.
func (g *Gen) LockRange(r retention.Range) (Query, error) {
	g.byRow = true
	t := g.main()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	return g.done(Format("SELECT count(*) FROM (SELECT 1 AS one FROM %s WHERE %s FOR UPDATE) AS k", g.from(t), And(g.within(t, r), g.stillDue(t))))
}

// ClassesOfRange renders how many rows of the range are of each class now.
func (g *Gen) ClassesOfRange(r retention.Range) (Query, error) {
	t := g.main()
	return g.done(Format("SELECT k.c, count(*) FROM (SELECT %s AS c FROM %s WHERE %s) AS k GROUP BY k.c", g.class(t), g.from(t), g.within(t, r)))
}

// part is whether the row belongs to the pass.
func (g *Gen) part(t row, r retention.Range) SQL {
	if !g.Divides() {
		return g.fail("table %s has no single integer key: its ranges are done at once", t.table.Name)
	}
	return Raw(fmt.Sprintf("abs(%s %% %d) = %d", g.col(t, t.table.Key[0]).Text, r.Parts, r.Part))
}

// Divides is whether rows fall into passes by their key.
func (g *Gen) Divides() bool {
	k := g.s.Table.Key
	return len(k) == 1 && g.column(g.main(), k[0]).Kind == retention.KindInteger
}

// candidate is the raw test that every due row passes; TRUE where there is none.
func (g *Gen) candidate(t row) SQL {
	for _, m := range g.s.Clock.Members {
		if !g.bounding(m) {
			continue
		}
		if b, ok := g.d.Bound(g.col(t, m.Column), g.column(t, m.Column), m); ok {
			return b
		}
	}
	return sqlTrue
}

// Ahead renders the place so many candidates after the cursor, by order column and
// key.
func (g *Gen) Ahead(after retention.Cursor, rows int) (Query, error) {
	t := g.main()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	var inner, outer []SQL
	for i, c := range g.columns(t, g.ordering()) { // a column may be there twice
		inner = append(inner, Format("%s AS v"+itoa(i), g.col(t, c.Name)))
		outer = append(outer, g.d.Plain(Raw("k.v"+itoa(i)), c))
	}
	place := Format("SELECT %s FROM %s\nWHERE %s\nORDER BY %s\nLIMIT 1 OFFSET %s",
		Join(", ", inner...), g.from(t), g.within(t, retention.Range{After: after}), Join(", ", g.cols(t, g.ordering())...), Arg(int64(rows-1)))
	return g.done(Format("SELECT %s FROM (%s) AS k", Join(", ", outer...), place))
}

// AheadByOrder renders the place so many candidates after the cursor by the order
// column alone, which its index answers without a look at the rows: the value, and
// whether it is greater than that of the place halfway. Where it is not, rows that
// share the value fill the range, and only their keys divide it. No row: fewer
// candidates are left.
func (g *Gen) AheadByOrder(after retention.Cursor, rows int) (Query, error) {
	t, name := g.main(), g.Order()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	if name == "" {
		return Query{}, fmt.Errorf("the pages of table %s have no order but the key's", t.table.Name)
	}
	col, half := g.col(t, name), rows/2
	stretch := Format("SELECT %s AS v FROM %s\nWHERE %s\nORDER BY %s\nLIMIT %s OFFSET %s",
		col, g.from(t), g.within(t, retention.Range{After: retention.Cursor{Order: after.Order}}), col, Arg(int64(rows-half+1)), Arg(int64(half)))
	ends := Format("SELECT min(j.v) AS a, max(j.v) AS b, count(*) AS n FROM (%s) AS j", stretch)
	return g.done(Format("SELECT %s, CASE WHEN k.b > k.a THEN 1 ELSE 0 END FROM (%s) AS k WHERE k.n = %s",
		g.d.Plain(Raw("k.b"), g.column(t, name)), ends, Arg(int64(rows-half+1))))
}

// KeysOfRange renders the keys of the range's due rows; lock takes the rows'
// locks in the same statement.
func (g *Gen) KeysOfRange(r retention.Range, lock bool) (Query, error) {
	g.byRow = true
	t := g.main()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	g.along = g.orderIndex()
	text := "SELECT %s\nFROM %s\nWHERE %s\nORDER BY %s\nLIMIT %s"
	if lock {
		text += "\nFOR UPDATE"
	}
	return g.done(Format(text, g.plain(t, t.table.Key), g.from(t), And(g.within(t, r), g.stillDue(t)),
		Join(", ", g.cols(t, g.ordering())...), Arg(int64(retention.MaxBatch+1))))
}

// Lock renders the locking of the rows of the list; its answer is their number.
func (g *Gen) Lock(list string) (Query, error) {
	t := g.main()
	return g.done(Format("SELECT count(*) FROM (SELECT 1 AS one FROM %s WHERE %s FOR UPDATE) AS k", g.from(t), g.keyed(t, list)))
}

// dueOf is the table, to be walked along the index of its order, and which of its rows
// are in the range and due.
func (g *Gen) dueOf(r retention.Range) (row, SQL, error) {
	g.byRow = true
	t := g.main()
	if err := g.nameable(); err != nil {
		return t, SQL{}, err
	}
	g.along = g.orderIndex()
	return t, And(g.within(t, r), g.stillDue(t)), g.err
}

// DeleteRange renders the removal of the range's due rows.
func (g *Gen) DeleteRange(r retention.Range) (Query, error) {
	t, due, err := g.dueOf(r)
	if err != nil {
		return Query{}, err
	}
	return g.done(Format("%s\nWHERE %s", g.deleteFrom(t), due))
}

// UpdateRange renders the changes to the range's due rows; see [Gen.Update].
func (g *Gen) UpdateRange(r retention.Range, changes []retention.Change, mark string, markAt any) (Query, error) {
	t, due, err := g.dueOf(r)
	if err != nil {
		return Query{}, err
	}
	return g.update(t, due, changes, mark, markAt)
}

// StillDue counts, among the first rows of the range, those that are due.
func (g *Gen) StillDue(r retention.Range, sample int) (Query, error) {
	t := g.main()
	g.along = g.orderIndex()
	return g.done(Format("SELECT count(*) FROM (SELECT * FROM %s WHERE %s LIMIT %s) AS "+t.alias+"\nWHERE %s",
		g.from(t), g.within(t, r), Arg(int64(sample)), g.stillDue(t)))
}

// TellsDone is whether a row that was changed can be told from one that was not.
func (g *Gen) TellsDone() bool { return !isFalse(g.alreadyDone(g.main())) }

// OwnColumnsOnly is whether the tests, holds included, read nothing but the row
// itself. A condition in SQL may read anything.
func (g *Gen) OwnColumnsOnly() bool {
	s := &g.s
	clocks := []retention.ClockTest{s.Clock}
	wheres := []*retention.Predicate{s.Where}
	if s.Later != nil {
		clocks = append(clocks, *s.Later)
	}
	for _, m := range s.Minimums {
		clocks, wheres = append(clocks, m.Clock), append(wheres, m.Where)
	}
	for _, h := range g.holds.set.Scoped {
		wheres = append(wheres, h.Where)
	}
	return len(s.Blocked) == 0 && !slices.ContainsFunc(clocks, related) && !slices.ContainsFunc(wheres, asksOthers) && !g.reachesOthers()
}

func related(c retention.ClockTest) bool {
	return slices.ContainsFunc(c.Members, func(m retention.MemberTest) bool { return m.Related != nil })
}

func asksOthers(p *retention.Predicate) bool {
	if p == nil {
		return false
	}
	for _, parts := range [][]retention.Predicate{p.All, p.Any} {
		for i := range parts {
			if asksOthers(&parts[i]) {
				return true
			}
		}
	}
	return p.Exists != nil || p.SQL != "" || asksOthers(p.Not)
}

// reachesOthers is whether holds come to the row through other rows. Where
// nothing is held, they are not read.
func (g *Gen) reachesOthers() bool {
	if len(g.holds.set.Subjects) == 0 && len(g.holds.set.Scoped) == 0 {
		return false
	}
	return len(g.s.Reach.Parents) > 0 || slices.ContainsFunc(g.s.Reach.Subjects, func(s retention.Subject) bool { return s.Related != nil })
}
