package sqlite

import (
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// changeOf is the form that a change gives a column.
func changeOf(col sqlgen.SQL, c *retention.Column, ch retention.Change) (sqlgen.SQL, error) {
	arg := sqlgen.Arg
	empty := emptyOf(c, ch.Func)
	switch ch.Func {
	case retention.Truncate:
		return sqlgen.Format("retentiond_truncate(%s, %s, %s)", col, arg(ch.Unit), empty), nil
	case retention.Bucket:
		return sqlgen.Format("retentiond_bucket(%s, %s, %s)", col, arg(ch.N), empty), nil
	case retention.RoundTo:
		return sqlgen.Format("retentiond_round(%s, %s, %s)", col, arg(ch.N), empty), nil
	case retention.MaskIP:
		return sqlgen.Format("retentiond_mask_ip(%s, %s, %s, %s)", col, arg(int64(ch.Bits[0])), arg(int64(ch.Bits[1])), empty), nil
	case retention.EmailDomain:
		return sqlgen.Format("retentiond_email_domain(%s, %s)", col, empty), nil
	case retention.KeepLeft:
		return sqlgen.Format("retentiond_keep_left(%s, %s, %s)", col, arg(ch.N), empty), nil
	case retention.KeepRight:
		return sqlgen.Format("retentiond_keep_right(%s, %s, %s)", col, arg(ch.N), empty), nil
	case retention.Random:
		return sqlgen.Format("retentiond_random(%s, %s)", arg(ch.Unit), arg(ch.N)), nil
	}
	return sqlgen.SQL{}, fmt.Errorf("column %s: SQLite has no change %q", ch.Column, ch.Func)
}

// emptyOf is what an unreadable value becomes.
func emptyOf(c *retention.Column, f retention.ChangeFunc) sqlgen.SQL {
	switch {
	case c.Nullable:
		return sqlgen.Raw("NULL")
	case f == retention.Bucket || f == retention.RoundTo:
		return sqlgen.Raw("0")
	}
	return sqlgen.Raw("''")
}

// formed is whether the column has its form. A domain is not its own domain:
// its form is told by the missing @ alone.
func formed(col sqlgen.SQL, c *retention.Column, ch retention.Change) (sqlgen.SQL, error) {
	if ch.Func == retention.EmailDomain {
		return sqlgen.Format("%s IS NULL OR typeof(%s) = 'text' AND instr(%s, '@') = 0", col, col, col), nil
	}
	form, err := changeOf(col, c, ch)
	return same(col, form), err
}
