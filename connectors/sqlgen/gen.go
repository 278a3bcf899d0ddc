package sqlgen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// Gen renders what one selection asks, under one set of holds. The first error
// sticks and every rendering method returns it. A Gen is for one goroutine.
type Gen struct {
	d      *Dialect
	s      retention.Selection
	holds  *Holds
	inside *SQL   // the partition that stands for the selection's table
	itself bool   // a test reads the selection's table beside the row
	byRow  bool   // related rows are looked up row by row
	locked bool   // only rows that the transaction has locked
	bare   bool   // the selection's table has no alias
	span   []SQL  // the least and the greatest key of the selection's rows; nil: not told
	along  string // the index of the selection's table that is walked along; empty: the engine chooses
	n      int    // aliases given
	err    error
}

// New prepares a selection for rendering. A selection without Reach, and a nil
// set of holds, are errors: holds that cannot be read are not "no holds" (L3).
func New(d *Dialect, s retention.Selection, h *Holds) (*Gen, error) {
	switch {
	case s.Table == nil || s.Schema == nil:
		return nil, errors.New("selection names no table: bind the policy to the live schema first")
	case s.Reach == nil:
		return nil, fmt.Errorf("selection of table %s does not say how holds reach it: nothing may act", s.Table.Name)
	case h == nil:
		return nil, fmt.Errorf("no holds were read for table %s: nothing may act", s.Table.Name)
	case len(s.Clock.Members) == 0 && !s.Clock.Any:
		return nil, fmt.Errorf("selection of table %s has no clock", s.Table.Name)
	}
	return &Gen{d: d, s: s, holds: h}, nil
}

// row is a table in scope, under an alias.
type row struct {
	alias string
	table *retention.Table
	name  retention.TableName
}

// mainAlias is the selection's table in every statement that takes an alias.
const mainAlias = "t"

func (g *Gen) main() row {
	if g.bare {
		return row{g.d.Quote(g.s.Table.Name.Name), g.s.Table, g.s.Table.Name}
	}
	return row{mainAlias, g.s.Table, g.s.Table.Name}
}

func (g *Gen) fail(format string, args ...any) SQL {
	if g.err == nil {
		g.err = fmt.Errorf(format, args...)
	}
	return sqlFalse
}

// enter gives a table a fresh alias.
func (g *Gen) enter(n retention.TableName) row {
	t := g.s.Schema.Table(n)
	if t == nil && g.s.Table != nil && g.d.SameTable(n, g.s.Table.Name) {
		t = g.s.Table
	}
	if t == nil {
		g.fail("table %s is not in the schema that was read", n)
		t = &retention.Table{Name: n}
	}
	g.itself = g.itself || g.d.SameTable(n, g.s.Table.Name)
	g.n++
	return row{"r" + strconv.Itoa(g.n), t, n}
}

// from is the row's table with its alias.
func (g *Gen) from(r row) SQL {
	if strings.Contains(r.table.Name.String(), mark) {
		return g.fail("table name %q has control characters", r.table.Name)
	}
	name := g.d.Table(r.table.Name)
	if g.inside != nil && r.alias == mainAlias {
		name = *g.inside
	}
	if g.along != "" && g.d.Along != nil && r.alias == mainAlias {
		return Format("%s AS "+r.alias+g.d.Along(g.along), name)
	}
	if g.bare && r.alias == g.main().alias {
		return name
	}
	return Format("%s AS "+r.alias, name)
}

// deleteFrom begins the removal of rows of r.
func (g *Gen) deleteFrom(r row) SQL {
	if g.d.Delete == nil || g.bare {
		return Format("DELETE FROM %s", g.from(r))
	}
	return g.d.Delete(g.from(r), r.alias)
}

// updateOf begins a change of rows of r.
func (g *Gen) updateOf(r row) SQL {
	if g.d.Update == nil {
		return Format("UPDATE %s", g.from(r))
	}
	return g.d.Update(g.from(r))
}

// apart is a subquery that the statement around it may change the table of.
func (g *Gen) apart(sub SQL) SQL {
	if g.d.Apart == nil {
		return sub
	}
	return g.d.Apart(sub)
}

// col refers to a column; always qualified, so that a missing column can never
// be read as a string literal or as an outer table's column.
func (g *Gen) col(r row, name string) SQL {
	g.column(r, name)
	if strings.Contains(name, mark) {
		return g.fail("table %s: column name %q has control characters", r.table.Name, name)
	}
	return Raw(r.alias + "." + g.d.Quote(name))
}

func (g *Gen) column(r row, name string) *retention.Column {
	if c := r.table.Column(name); c != nil {
		return c
	}
	g.fail("table %s has no column %q", r.table.Name, name)
	return &retention.Column{Name: name, Kind: retention.KindOther}
}

func (g *Gen) columns(r row, names []string) []*retention.Column {
	out := make([]*retention.Column, len(names))
	for i, n := range names {
		out[i] = g.column(r, n)
	}
	return out
}

func (g *Gen) cols(r row, names []string) []SQL {
	out := make([]SQL, len(names))
	for i, n := range names {
		out[i] = g.col(r, n)
	}
	return out
}

// nameable refuses to name rows of a selection whose clock every row passes, or
// of a table without a key.
func (g *Gen) nameable() error {
	switch {
	case g.s.Clock.Any:
		return fmt.Errorf("the selection of table %s is for counting only: it has no clock", g.s.Table.Name)
	case len(g.s.Table.Key) == 0:
		return fmt.Errorf("table %s has no primary key: its rows cannot be named", g.s.Table.Name)
	}
	return nil
}

// done finishes a statement.
func (g *Gen) done(s SQL) (Query, error) {
	if g.err != nil {
		return Query{}, g.err
	}
	return g.d.Query(s), nil
}
