package sqlgen

import "github.com/retentiond/retentiond/retention"

// Entire is the value as archives have it.
func (d *Dialect) Entire(col SQL, c *retention.Column) SQL {
	if d.Whole == nil {
		return d.Plain(col, c)
	}
	return d.Whole(col, c)
}
