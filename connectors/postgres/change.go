package postgres

import (
	"fmt"
	"strconv"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// changeOf is the form that a change gives a column. NULL stays NULL; what a
// function cannot read does not survive: it becomes NULL, or an empty value where
// the column takes no NULL.
func changeOf(col sqlgen.SQL, c *retention.Column, ch retention.Change) (sqlgen.SQL, error) {
	var out sqlgen.SQL
	switch ch.Func {
	case retention.Truncate:
		out = truncated(col, c, ch.Unit)
	case retention.Bucket, retention.RoundTo:
		out = multiple(col, c, ch)
	case retention.MaskIP:
		out = masked(col, c, ch.Bits)
	case retention.EmailDomain:
		out = domain(col, c)
	case retention.KeepLeft:
		out = kept(col, c, "left", ch.N)
	case retention.KeepRight:
		out = kept(col, c, "right", ch.N)
	case retention.Random:
		return random(col, c, ch)
	default:
		return out, fmt.Errorf("column %s: PostgreSQL has no change %q", ch.Column, ch.Func)
	}
	if out.Text == "" {
		return out, fmt.Errorf("column %s: %s cannot be done to %s; use set or null", ch.Column, ch.Func, c.Decl)
	}
	return out, nil
}

// formed is whether the column has its form. A domain is not its own domain: its
// form is told by the missing @ alone.
func formed(col sqlgen.SQL, c *retention.Column, ch retention.Change) (sqlgen.SQL, error) {
	if ch.Func == retention.EmailDomain {
		if c.Kind != retention.KindText {
			return sqlgen.SQL{}, fmt.Errorf("column %s: email_domain cannot be done to %s; use set or null", ch.Column, c.Decl)
		}
		return sqlgen.Format("%s IS NULL OR position('@' IN CAST(%s AS text)) = 0", col, col), nil
	}
	form, err := changeOf(col, c, ch)
	if err != nil {
		return form, err
	}
	return same(col, form, c), nil
}

// empty is what an unreadable text becomes, or an unreadable number.
func empty(c *retention.Column, zero string) string {
	if c.Nullable {
		return "NULL"
	}
	return zero
}

// truncated moves a date to the start of its unit; a text keeps its written form.
// Timestamps with a zone are cut in UTC, so that the form is the same for
// whoever looks.
func truncated(col sqlgen.SQL, c *retention.Column, unit string) sqlgen.SQL {
	switch unit {
	case "year", "quarter", "month", "day":
	default:
		return sqlgen.SQL{}
	}
	switch c.Kind {
	case retention.KindDate:
		return sqlgen.Format("CAST(date_trunc('"+unit+"', CAST(%s AS timestamp)) AS date)", col)
	case retention.KindTimestamp:
		return sqlgen.Format("date_trunc('"+unit+"', %s)", col)
	case retention.KindTimestampTZ:
		return sqlgen.Format("date_trunc('"+unit+"', %s AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'", col)
	case retention.KindText:
		return truncatedText(col, c, unit)
	}
	return sqlgen.SQL{}
}

func truncatedText(col sqlgen.SQL, c *retention.Column, unit string) sqlgen.SQL {
	s := bytewise(col)
	date := sqlgen.Format("left(%s, 10)", s)
	switch unit {
	case "year":
		date = sqlgen.Format("left(%s, 4) || '-01-01'", s)
	case "quarter":
		date = sqlgen.Format("left(%s, 5) || lpad((((substr(%s, 6, 2)::int - 1) / 3) * 3 + 1)::text, 2, '0') || '-01'", s, s)
	case "month":
		date = sqlgen.Format("left(%s, 7) || '-01'", s)
	}
	return sqlgen.Format("CASE WHEN %s IS NULL THEN NULL WHEN %s ~ '^"+datePattern+"("+timePattern+offsetPattern+")?$' THEN %s || regexp_replace(coalesce(substring(substr(%s, 11) FROM '^[T ][0-9:.,]*'), ''), '[0-9]', '0', 'g') || coalesce(substring(substr(%s, 11) FROM '(Z|[+-].*)$'), '') ELSE "+empty(c, "''")+" END",
		col, s, date, s, s)
}

// multiple is the greatest multiple that is not above the value, or the nearest
// one; a value halfway goes up.
func multiple(col sqlgen.SQL, c *retention.Column, ch retention.Change) sqlgen.SQL {
	if ch.N <= 0 {
		return sqlgen.SQL{}
	}
	n := strconv.FormatInt(ch.N, 10)
	switch {
	case c.Kind == retention.KindInteger:
		v := exactMultiple(sqlgen.Format("CAST(%s AS numeric)", col), n, ch.Func)
		low, high := integerRange(c.Decl)
		return sqlgen.Format("CASE WHEN %s BETWEEN "+low+" AND "+high+" THEN CAST(%s AS bigint) WHEN %s IS NOT NULL THEN "+empty(c, "0")+" END", v, v, col)
	case c.Kind == retention.KindNumber && bindable(c) == "numeric":
		v := exactMultiple(col, n, ch.Func)
		return sqlgen.Format("CASE WHEN CAST(%s AS text) IN ('NaN', 'Infinity', '-Infinity') THEN "+empty(c, "0")+" ELSE %s END", col, v)
	case c.Kind == retention.KindNumber:
		half := ""
		if ch.Func == retention.RoundTo {
			half = " + 0.5"
		}
		return sqlgen.Format("CASE WHEN abs(%s) <= 9007199254740992 THEN floor(%s / "+n+half+") * "+n+" + 0 WHEN %s IS NOT NULL THEN "+empty(c, "0")+" END", col, col, col)
	case c.Kind == retention.KindText:
		s := bytewise(col)
		v := exactMultiple(sqlgen.Format("CAST(%s AS numeric)", s), n, ch.Func)
		return sqlgen.Format("CASE WHEN %s IS NULL THEN NULL WHEN %s ~ '^[+-]?([0-9]{1,30}\\.?[0-9]{0,30}|\\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?$' THEN CAST(trim_scale(%s) AS text) ELSE "+empty(c, "''")+" END", col, s, v)
	}
	return sqlgen.SQL{}
}

func exactMultiple(v sqlgen.SQL, n string, f retention.ChangeFunc) sqlgen.SQL {
	rest := sqlgen.Format("mod(mod(%s, "+n+") + "+n+", "+n+")", v)
	if f == retention.Bucket {
		return sqlgen.Format("(%s - %s)", v, rest)
	}
	return sqlgen.Format("(%s - %s + CASE WHEN 2 * %s >= "+n+" THEN "+n+" ELSE 0 END)", v, rest, rest)
}

func integerRange(decl string) (low, high string) {
	switch decl {
	case "smallint":
		return "-32768", "32767"
	case "integer":
		return "-2147483648", "2147483647"
	}
	return "-9223372036854775808", "9223372036854775807"
}

// domain is what follows the last @.
func domain(col sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	if c.Kind != retention.KindText {
		return sqlgen.SQL{}
	}
	return sqlgen.Format("CASE WHEN %s IS NOT NULL THEN coalesce(substring(CAST(%s AS text) FROM '@([^@]+)$'), "+empty(c, "''")+") END", col, col)
}

// kept are the first or last n characters; of an integer, its digits.
func kept(col sqlgen.SQL, c *retention.Column, side string, n int64) sqlgen.SQL {
	if n < 0 {
		return sqlgen.SQL{}
	}
	part := sqlgen.Format(side+"(CAST(%s AS text), "+strconv.FormatInt(min(n, 1<<30), 10)+")", col)
	switch c.Kind {
	case retention.KindText:
		return part
	case retention.KindInteger:
		return sqlgen.Format("CASE WHEN %s ~ '^-?[0-9]+$' THEN CAST(%s AS bigint) WHEN %s IS NOT NULL THEN "+empty(c, "0")+" END", part, part, col)
	}
	return sqlgen.SQL{}
}
