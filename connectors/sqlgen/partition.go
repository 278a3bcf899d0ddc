package sqlgen

import "github.com/retentiond/retentiond/retention"

// Whole renders one row: the rows of the partition, and those of them that are
// due. The rows keep the selection's table as their own: what a hold or a minimum
// says of the table, it says of them.
func (g *Gen) Whole(part retention.TableName) (Query, error) {
	if g.d.Part != nil {
		return g.countIn(g.d.Part(g.s.Table.Name, part))
	}
	return g.countIn(g.d.Table(part))
}

// WholeAside is [Gen.Whole] of rows that were set aside in a table of our own.
func (g *Gen) WholeAside(table retention.TableName) (Query, error) {
	return g.countIn(g.d.Table(table))
}

func (g *Gen) countIn(rows SQL) (Query, error) {
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	g.inside = &rows
	t := g.main()
	return g.done(Format("SELECT count(*), count(CASE WHEN %s THEN 1 END)\nFROM %s", g.stillDue(t), g.from(t)))
}

// ReadsItself is whether a test in what was rendered reads other rows of the
// selection's table: what it says changes with the rows that are there.
func (g *Gen) ReadsItself() bool { return g.itself }
