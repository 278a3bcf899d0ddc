package sqlgen

import (
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// Entire is the value as archives have it.
func (d *Dialect) Entire(col SQL, c *retention.Column) SQL {
	if d.Whole == nil {
		return d.Plain(col, c)
	}
	return d.Whole(col, c)
}

// Copied is the value of a table's column on its way into an archive. A key's is what
// names its row, as everywhere.
func (d *Dialect) Copied(col SQL, t *retention.Table, c *retention.Column) SQL {
	if slices.Contains(t.Key, c.Name) {
		return d.Plain(col, c)
	}
	return d.Entire(col, c)
}
