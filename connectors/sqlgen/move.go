package sqlgen

import "github.com/retentiond/retentiond/retention"

// CopyRange renders the copy of the range's due rows into their vault table. lock
// takes the rows' locks in the same statement, which then copies each row as it is
// once it is locked.
func (g *Gen) CopyRange(r retention.Range, v *retention.VaultTables, lock bool) (Query, error) {
	g.byRow = true
	t := g.main()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	g.along = g.orderIndex()
	s := g.copy(t, v.Table, v, g.rowClock(t, g.s.Clock), g.life(t, v.Table), And(g.within(t, r), g.stillDue(t)))
	if lock {
		s = Format("%s\nFOR UPDATE", s)
	}
	return g.done(s)
}

// DeleteCopied renders the removal of the range's rows that have an equal copy
// among the rows of the vault table after the one named: each copy is read back
// before its row goes.
func (g *Gen) DeleteCopied(r retention.Range, into retention.TableName, after int64) (Query, error) {
	g.byRow = true
	t := g.main()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	g.along = g.orderIndex()
	return g.done(Format("%s\nWHERE %s", g.deleteFrom(t), And(g.within(t, r), g.copied(t, into, after))))
}

// copied is whether the row has an equal copy among the rows of the vault table
// after the one named. The copy is found by the row's key: its own key, which
// copies of long ago share with those of now, must not serve as an index.
func (g *Gen) copied(r row, into retention.TableName, after int64) SQL {
	same := []SQL{Format("v."+g.d.Quote(VaultID)+" + 0 > %s", Arg(after))}
	for _, k := range r.table.Key {
		same = append(same, Format("v."+g.d.Quote(k)+" = %s", g.col(r, k)))
	}
	equal := g.d.Same
	if g.d.Twin != nil {
		equal = g.d.Twin
	}
	for i := range r.table.Columns {
		c := &r.table.Columns[i]
		same = append(same, equal(Raw("v."+g.d.Quote(c.Name)), g.col(r, c.Name), c))
	}
	fence := ""
	if g.byRow && g.d.ByRow != "" {
		fence = " " + g.d.ByRow
	}
	return Format("EXISTS (SELECT 1 FROM %s AS v WHERE %s"+fence+")", g.d.Table(into), And(same...))
}
