package postgres

import (
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// never is the value of a clock that is unreadable or implausible.
func never() sqlgen.SQL { return sqlgen.Raw("9223372036854775807") }

// clockOf is the value as microseconds since 1970: for showing and keeping, since
// tests compare raw values wherever the type allows it.
func clockOf(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, error) {
	typ := clockType(c, m)
	unix := typ == retention.AsUnixSeconds || typ == retention.AsUnixMilliseconds
	switch {
	case c.Kind == retention.KindText && !unix:
		return textClock(col, typ, m), nil
	case c.Kind == retention.KindDate && m.DateZone == nil && !unix:
		return sqlgen.Format("CASE WHEN %s IS NULL THEN NULL ELSE %s END", col, never()), nil
	}
	micros, err := microsOf(col, c, m)
	if err != nil {
		return sqlgen.SQL{}, err
	}
	bad, ok := unresolved(col, c, m)
	if !ok {
		return sqlgen.SQL{}, misread(c, m)
	}
	return sqlgen.Format("CASE WHEN %s IS NULL THEN NULL WHEN %s THEN %s ELSE %s END", col, bad, never(), micros), nil
}

func misread(c *retention.Column, m retention.MemberTest) error {
	if m.Zone == nil && c.Kind == retention.KindTimestamp {
		return fmt.Errorf("column %s: no zone for its naive values", c.Name)
	}
	return fmt.Errorf("column %s is %s, which cannot be read as %s", c.Name, c.Decl, clockType(c, m))
}

// microsOf is the instant of a plausible value.
func microsOf(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, error) {
	l := limitsOf(m)
	switch typ := clockType(c, m); {
	case typ == retention.AsUnixSeconds && numeric(c):
		return sqlgen.Format("CAST(%s AS bigint) * 1000000", col), nil
	case typ == retention.AsUnixMilliseconds && numeric(c):
		return sqlgen.Format("CAST(%s AS bigint) * 1000", col), nil
	case c.Kind == retention.KindTimestampTZ:
		return epoch(col, "timestamptz"), nil
	case c.Kind == retention.KindTimestamp && m.Zone != nil:
		civil := epoch(col, "timestamp")
		return less(civil, civil, offsets(m.Zone, l.from, l.to)), nil
	case c.Kind == retention.KindDate:
		day := sqlgen.Format("CAST(%s - DATE '1970-01-01' AS bigint)", col)
		return less(midnight(day), day, dayStarts(m.DateZone, l.from, l.to)), nil
	}
	return sqlgen.SQL{}, misread(c, m)
}

func numeric(c *retention.Column) bool {
	return c.Kind == retention.KindInteger || c.Kind == retention.KindNumber
}

// epoch is exact: a double has microseconds without loss up to 2^51 of them, from which
// a division and a multiplication differ by less than half of one; decimals, which are
// ten times slower, have the others.
func epoch(col sqlgen.SQL, typ string) sqlgen.SQL {
	return sqlgen.Format("CASE WHEN %s >= CAST('1900-01-01' AS "+typ+") AND %s < CAST('2039-01-01' AS "+typ+") THEN CAST(date_part('epoch', %s) * 1000000 AS bigint) ELSE CAST(extract(epoch FROM %s) * 1000000 AS bigint) END", col, col, col, col)
}

func midnight(day sqlgen.SQL) sqlgen.SQL { return sqlgen.Format("%s * 86400000000", day) }

// less is the value less what the steps give for the argument.
func less(value, argument sqlgen.SQL, s steps) sqlgen.SQL {
	if n, ok := s.constant(); ok {
		if n == 0 {
			return value
		}
		return sqlgen.Format(fmt.Sprintf("(%%s - (%d))", n), value)
	}
	at, values := s.arrays()
	return sqlgen.Format("(%s - (%s::bigint[])[width_bucket(%s, %s::bigint[]) + 1])",
		value, sqlgen.Arg(sqlgen.List(values)), argument, sqlgen.Arg(sqlgen.List(at)))
}

// The grammar of a clock that is text: the same as everywhere in retentiond, ISO
// 8601 and nothing else, dates that exist only. No cast ever sees anything else.
const (
	datePattern = `((?!0000)[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|` +
		`([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)-02-29)`
	timePattern   = `[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?`
	offsetPattern = `(Z|[+-]((0[0-9]|1[0-7])(:?[0-5][0-9])?|18(:?00)?))?`
)

// textClock reads text. A date alone starts in the policy's zone; a time without
// offset is civil time in the member's.
func textClock(col sqlgen.SQL, typ retention.ClockType, m retention.MemberTest) sqlgen.SQL {
	l := limitsOf(m)
	text := bytewise(col)
	pattern := "^" + datePattern + "(" + timePattern + offsetPattern + ")?$"
	if typ == retention.AsDate {
		pattern = "^" + datePattern + "$"
	}
	v := sqlgen.Format(`SELECT %s AS v FROM (SELECT p.s, p.d, p.f, p.o, p.d * 86400000000 + p.f + 1000000 *
  (substr(p.s, 12, 2)::bigint * 3600 + substr(p.s, 15, 2)::bigint * 60 + coalesce(substring(p.s FROM '^.{16}:([0-9]{2})'), '0')::bigint) AS c
  FROM (SELECT q.s, CAST(left(q.s, 10)::date - DATE '1970-01-01' AS bigint) AS d, `+fractionSQL+` AS f, substring(q.s FROM '^.{16}[0-9:.,]*(Z|[+-].*)$') AS o
    FROM (SELECT CASE WHEN length(%s) = 10 THEN %s || 'T00:00' ELSE %s END AS s) AS q OFFSET 0) AS p OFFSET 0) AS x`,
		instantSQL(text, m, l), text, text, text)
	return sqlgen.Format(`CASE WHEN %s IS NULL THEN NULL WHEN %s ~ '`+pattern+`' THEN (SELECT CASE WHEN z.v >= %s AND z.v < %s AND z.v <> 0 THEN z.v ELSE %s END FROM (%s OFFSET 0) AS z) ELSE %s END`,
		col, text, sqlgen.Arg(l.from.UnixMicro()), sqlgen.Arg(l.to.UnixMicro()), never(), v, never())
}

// fractionSQL is the fraction of a second in microseconds; finer ones are rounded
// up, never early.
const fractionSQL = `coalesce(rpad(left(substring(q.s FROM '[.,]([0-9]+)'), 6), 6, '0')::bigint + CASE WHEN substr(substring(q.s FROM '[.,]([0-9]+)'), 7) ~ '[1-9]' THEN 1 ELSE 0 END, 0)`

// instantSQL is the instant of what was read: d days, c civil microseconds, o an
// offset as written.
func instantSQL(text sqlgen.SQL, m retention.MemberTest, l limits) sqlgen.SQL {
	date, civil := never(), never()
	if m.DateZone != nil {
		date = less(sqlgen.Raw("x.d * 86400000000"), sqlgen.Raw("x.d"), dayStarts(m.DateZone, l.from, l.to))
	}
	if m.Zone != nil {
		civil = less(sqlgen.Raw("x.c"), sqlgen.Raw("x.c"), offsets(m.Zone, l.from, l.to))
	}
	return sqlgen.Format(`CASE WHEN length(%s) = 10 THEN %s WHEN x.o IS NULL THEN %s WHEN x.o = 'Z' THEN x.c
  ELSE x.c - (CASE WHEN left(x.o, 1) = '-' THEN -1 ELSE 1 END) * 1000000 * (substr(x.o, 2, 2)::bigint * 3600 + coalesce(nullif(substr(translate(x.o, ':', ''), 4, 2), ''), '0')::bigint * 60) END`,
		text, date, civil)
}
