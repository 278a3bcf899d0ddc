package conntest

import (
	"time"

	"github.com/retentiond/retentiond/retention"
)

// cutoff is the suite's: what is before 2024 is over.
func cutoff() time.Time { return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) }

// choice is a selection in the making. Its methods change it and return it.
type choice struct{ retention.Selection }

// from starts a selection: rows of the table by the text clock "at".
func (f *fixture) from(table string) *choice {
	f.t.Helper()
	return &choice{retention.Selection{
		Schema: f.schema, Table: f.table(table),
		Clock: latest(own("at")), Reach: &retention.Reach{Table: tn(table)},
	}}
}

func (c *choice) by(clock retention.ClockTest) *choice { c.Clock = clock; return c }

func (c *choice) where(p *retention.Predicate) *choice { c.Where = p; return c }

func (c *choice) about(typ string, columns ...string) *choice {
	c.Reach.Subjects = append(c.Reach.Subjects, retention.Subject{Type: typ, Columns: columns})
	return c
}

func (c *choice) aboutRelated(typ string, rel retention.Relation) *choice {
	c.Reach.Subjects = append(c.Reach.Subjects, retention.Subject{Type: typ, Related: &rel})
	return c
}

func (c *choice) childOf(child retention.Child, parent *choice) *choice {
	c.Reach.Parents = append(c.Reach.Parents, retention.ParentReach{Child: child, Reach: parent.Reach})
	return c
}

func (c *choice) minimum(where *retention.Predicate, clock retention.ClockTest) *choice {
	c.Minimums = append(c.Minimums, retention.Minimum{Policy: "p", Rule: "min", Where: where, Clock: clock})
	return c
}

func (c *choice) blockedBy(child retention.Child, of *choice) *choice {
	c.Blocked = append(c.Blocked, retention.ChildReach{Child: child, Reach: of.Reach, Minimums: of.Minimums})
	return c
}

func (c *choice) doneWhen(mark string, changes ...retention.Change) *choice {
	c.Done = &retention.DoneTest{Mark: mark, Changes: changes}
	return c
}

func latest(ms ...retention.MemberTest) retention.ClockTest { return retention.ClockTest{Members: ms} }

func earliest(ms ...retention.MemberTest) retention.ClockTest {
	return retention.ClockTest{Earliest: true, Members: ms}
}

// own is a text clock of the row, in UTC, by the suite's cutoff.
func own(column string) retention.MemberTest { return typed(column, retention.AsText) }

func typed(column string, typ retention.ClockType) retention.MemberTest {
	return retention.MemberTest{
		Column: column, Type: typ, Zone: time.UTC, DateZone: time.UTC, Cutoff: cutoff(),
		NotBefore: retention.DefaultNotBefore(), NotAfter: cutoff().AddDate(100, 0, 0),
	}
}

// cut is the member with another cutoff.
func cut(m retention.MemberTest, year int) retention.MemberTest {
	m.Cutoff = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	return m
}

func related(rel retention.Relation) retention.MemberTest {
	m := own("")
	m.Related = &rel
	return m
}

// rel leads to the rows of the table whose column theirs equals ours.
func rel(table, theirs, ours, column string) retention.Relation {
	return retention.Relation{Table: tn(table), On: on(theirs, ours), Column: column}
}

func over(hop string, hopTheirs, hopOurs string, r retention.Relation) retention.Relation {
	r.Via = append([]retention.Hop{{Table: tn(hop), On: on(hopTheirs, hopOurs)}}, r.Via...)
	return r
}

func on(theirs, ours string) []retention.Pair {
	return []retention.Pair{{Theirs: theirs, Ours: ours}}
}

func gone(r retention.Relation) retention.Child {
	return retention.Child{Relation: r, Then: retention.ChildDelete}
}

func test(column string, op retention.Op, values ...string) *retention.Predicate {
	c := &retention.Comparison{Column: column, Op: op}
	for _, v := range values {
		c.Values = append(c.Values, retention.Scalar{Text: v, Tag: retention.TagString})
	}
	return &retention.Predicate{Test: c}
}

func eq(column, value string) *retention.Predicate { return test(column, retention.Eq, value) }

func noHolds() *retention.HoldSet { return &retention.HoldSet{} }

// person is a hold on those people.
func person(ids ...string) *retention.HoldSet {
	return &retention.HoldSet{Version: 1, Subjects: map[string][]string{"person": ids}}
}
