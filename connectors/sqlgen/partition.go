package sqlgen

import "github.com/retentiond/retentiond/retention"

// Whole renders one row: the rows of the partition, and those of them that are
// due. The rows keep the selection's table as their own: what a hold or a minimum
// says of the table, it says of them.
func (g *Gen) Whole(part retention.TableName) (Query, error) {
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	g.inside = &part
	t := g.main()
	return g.done(Format("SELECT count(*), count(CASE WHEN %s THEN 1 END)\nFROM %s", g.stillDue(t), g.from(t)))
}
