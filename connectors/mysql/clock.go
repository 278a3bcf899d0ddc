package mysql

import (
	"fmt"
	"strconv"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// margin is more than any offset from UTC, twice.
const margin = 48 * time.Hour

// reading is how a clock column's values are read.
type reading struct {
	retention.MemberTest
	typ      retention.ClockType
	col      sqlgen.SQL
	c        *retention.Column
	from, to int64 // plausible instants, both ends included
}

func read(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (reading, error) {
	r := reading{MemberTest: m, typ: m.Type, col: col, c: c}
	if m.NotBefore.IsZero() {
		r.NotBefore = retention.DefaultNotBefore()
	}
	if m.NotAfter.IsZero() {
		r.NotAfter = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	r.from, r.to = r.NotBefore.UnixMicro(), r.NotAfter.UnixMicro()
	unix := r.typ == retention.AsUnixSeconds || r.typ == retention.AsUnixMilliseconds
	switch c.Kind {
	case retention.KindInteger:
		if r.typ == "" {
			r.typ, unix = retention.AsUnixSeconds, true
		}
		if unix {
			return r, nil
		}
	case retention.KindDate, retention.KindTimestamp, retention.KindTimestampTZ, retention.KindText:
		if unix {
			break
		}
		if m.Zone == nil && c.Kind != retention.KindTimestampTZ {
			return r, fmt.Errorf("column %s: no zone for its naive values", c.Name)
		}
		return r, nil
	}
	return r, fmt.Errorf("column %s (%s): its values cannot be read as %s", c.Name, c.Decl, r.typ)
}

// clockOf is the value in microseconds.
func clockOf(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, error) {
	r, err := read(col, c, m)
	if err != nil {
		return sqlgen.SQL{}, err
	}
	if c.Kind == retention.KindText {
		return r.text(), nil
	}
	return sqlgen.Format("CASE WHEN %s IS NULL THEN NULL WHEN %s THEN %s ELSE "+never+" END", col, r.within(r.to+1), r.micros()), nil
}

const never = "9223372036854775807"

// micros is the instant of a plausible value.
func (r reading) micros() sqlgen.SQL {
	switch {
	case r.typ == retention.AsUnixSeconds:
		return sqlgen.Format("(CAST(%s AS SIGNED) * 1000000)", r.col)
	case r.typ == retention.AsUnixMilliseconds:
		return sqlgen.Format("(CAST(%s AS SIGNED) * 1000)", r.col)
	case r.c.Kind == retention.KindDate, r.typ == retention.AsDate:
		return r.dayStart(sqlgen.Format("(TO_DAYS(%s) - 719528)", r.col))
	}
	civil := sqlgen.Format("TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', %s)", r.col)
	if r.c.Kind == retention.KindTimestampTZ {
		return civil
	}
	return stepsOf(r.Zone, r.NotBefore, r.NotAfter).instant(civil)
}

// dayStart is the instant at which a day, an expression in days since 1970,
// starts.
func (r reading) dayStart(day sqlgen.SQL) sqlgen.SQL {
	if r.DateZone == nil {
		return sqlgen.Raw(never)
	}
	s := daysOf(r.DateZone, r.NotBefore, r.NotAfter)
	civil := sqlgen.Format(fmt.Sprintf("%%s * %d", dayMicros), day)
	if len(s.at) == 0 {
		return minus(civil, s.offsets[0])
	}
	return sqlgen.Format("(%s - CAST(ELT(1 + INTERVAL(%s, "+numbers(s.at)+"), "+numbers(s.offsets)+") AS SIGNED))", civil, day)
}

// within is TRUE where the value is readable, plausible and before the instant.
// Its comparisons are of the bare column, so that an index serves.
func (r reading) within(before int64) sqlgen.SQL {
	to := min(before, r.to+1)
	if to <= r.from {
		return sqlgen.Raw("FALSE")
	}
	switch {
	case r.typ == retention.AsUnixSeconds:
		return r.numbers(to, 1_000_000)
	case r.typ == retention.AsUnixMilliseconds:
		return r.numbers(to, 1_000)
	case r.c.Kind == retention.KindDate:
		return sqlgen.And(r.days(to), r.valid())
	case r.typ == retention.AsDate: // a day that somebody keeps with a time: only midnight is a day
		return sqlgen.And(r.days(to), r.valid(), sqlgen.Format("%s = DATE(%s)", r.col, r.col))
	case r.c.Kind == retention.KindTimestampTZ:
		return r.between(r.from, to)
	}
	var any []sqlgen.SQL
	for _, x := range stepsOf(r.Zone, r.NotBefore, time.UnixMicro(to)).within(r.from, to) {
		any = append(any, r.between(x.from, x.to))
	}
	return sqlgen.And(sqlgen.Or(any...), r.valid())
}

// numbers tests unix times; 0 is none.
func (r reading) numbers(to, unit int64) sqlgen.SQL {
	return sqlgen.Format("(%s >= %s AND %s <= %s AND %s <> 0)", r.col, sqlgen.Arg(ceil(r.from, unit)), r.col, sqlgen.Arg(ceil(to, unit)-1), r.col)
}

func ceil(n, unit int64) int64 { return n/unit + boolean(n%unit > 0) }

func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (r reading) days(to int64) sqlgen.SQL {
	if r.DateZone == nil {
		return sqlgen.Raw("FALSE")
	}
	day := func(micros int64) int64 { return firstDay(micros, r.DateZone) * dayMicros }
	return r.between(day(r.from), day(to))
}

// between compares with civil times, which travel as text with a cast.
func (r reading) between(from, to int64) sqlgen.SQL {
	lo, hi := time.UnixMicro(from).UTC(), time.UnixMicro(to).UTC()
	if first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC); lo.Before(first) {
		lo = first
	}
	if hi.Year() > 9999 {
		return sqlgen.Format("%s >= %s", r.col, r.at(lo))
	}
	return sqlgen.Format("(%s >= %s AND %s < %s)", r.col, r.at(lo), r.col, r.at(hi))
}

func (r reading) at(t time.Time) sqlgen.SQL {
	if r.c.Kind == retention.KindDate {
		return sqlgen.Format("CAST(%s AS DATE)", sqlgen.Arg(t.Format(time.DateOnly)))
	}
	return sqlgen.Format("CAST(%s AS DATETIME(6))", sqlgen.Arg(t.Format("2006-01-02 15:04:05.000000")))
}

// valid is whether the date exists: columns may hold zero months and days, and
// 30 February.
func (r reading) valid() sqlgen.SQL {
	c := r.col
	return sqlgen.Format("MONTH(%s) > 0 AND DAYOFMONTH(%s) > 0 AND (DAYOFMONTH(%s) < 29 OR DAYOFMONTH(%s) <= DAYOFMONTH(LAST_DAY(%s)))", c, c, c, c, c)
}

// before is the exact native test; texts have none.
func before(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, bool) {
	r, err := read(col, c, m)
	if err != nil || c.Kind == retention.KindText {
		return sqlgen.SQL{}, false
	}
	return sqlgen.Format("(%s)", r.within(m.Cutoff.UnixMicro())), true
}

func unresolved(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, bool) {
	r, err := read(col, c, m)
	if err != nil || c.Kind == retention.KindText {
		return sqlgen.SQL{}, false
	}
	return sqlgen.Format("%s IS NOT NULL AND (%s) IS NOT TRUE", col, r.within(r.to+1)), true
}

// bound is the native test where there is one. Texts start with their date, so
// those over sort before the date two days after the cutoff, wherever they were
// written.
func bound(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, bool) {
	if s, ok := before(col, c, m); ok {
		return s, true
	}
	at := m.Cutoff.UTC().Add(margin)
	if c.Kind != retention.KindText || at.Year() < 1 || at.Year() > 9999 {
		return sqlgen.SQL{}, false
	}
	return sqlgen.Format("%s < %s", col, sqlgen.Arg(at.Format(time.DateOnly))), true
}

// stamp writes microseconds as Go's RFC 3339 does: no zeros at the fraction's end.
func stamp(micros sqlgen.SQL) sqlgen.SQL {
	return sqlgen.Format("CONCAT(TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM DATE_FORMAT(TIMESTAMPADD(MICROSECOND, %s, '1970-01-01 00:00:00'), '%Y-%m-%dT%H:%i:%S.%f'))), 'Z')", micros)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// extreme skips NULLs: a subquery in FROM may not refer to the row around it.
func extreme(least bool, values []sqlgen.SQL) sqlgen.SQL {
	f, none := "GREATEST", "-"+never
	if least {
		f, none = "LEAST", never
	}
	given := make([]sqlgen.SQL, len(values))
	nulls := make([]sqlgen.SQL, len(values))
	for i, v := range values {
		given[i], nulls[i] = sqlgen.Format("COALESCE(%s, "+none+")", v), v
	}
	return sqlgen.Format("IF(COALESCE(%s) IS NULL, NULL, "+f+"(%s))", sqlgen.Join(", ", nulls...), sqlgen.Join(", ", given...))
}
