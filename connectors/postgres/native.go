package postgres

import (
	"strconv"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// What PostgreSQL and RFC 3339 both write without an era.
func firstYear() time.Time { return time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC) }
func lastYear() time.Time  { return time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC) }

// limits are a member's plausible instants and what is over of them, within what
// the types can say: [from, to) and before the cutoff.
type limits struct {
	from, to, cutoff time.Time
}

func limitsOf(m retention.MemberTest) limits {
	from, to := m.NotBefore, m.NotAfter
	if from.IsZero() {
		from = retention.DefaultNotBefore()
	}
	if to.IsZero() {
		to = lastYear()
	}
	clamp := func(t time.Time) time.Time {
		if t.Before(firstYear()) {
			return firstYear()
		}
		if t.After(lastYear()) {
			return lastYear()
		}
		return t
	}
	l := limits{from: clamp(from.Truncate(time.Microsecond)), to: clamp(to).Truncate(time.Microsecond).Add(time.Microsecond), cutoff: clamp(m.Cutoff)}
	if m.Cutoff.After(l.to) {
		l.cutoff = l.to
	}
	return l
}

// clockType is how the column's values are read.
func clockType(c *retention.Column, m retention.MemberTest) retention.ClockType {
	if m.Type != "" {
		return m.Type
	}
	switch c.Kind {
	case retention.KindInteger:
		return retention.AsUnixSeconds
	case retention.KindDate:
		return retention.AsDate
	case retention.KindTimestamp:
		return retention.AsTimestamp
	case retention.KindTimestampTZ:
		return retention.AsTimestampZone
	}
	return retention.AsText
}

// raw is a type whose values are compared as they are.
type raw struct {
	// under is whether the value, which is there, is before the instant.
	under func(col sqlgen.SQL, t time.Time) sqlgen.SQL
	// most is a value that every value before the instant is less than.
	most func(t time.Time) sqlgen.SQL
	// odd is what the type can hold that says no instant; empty: nothing.
	odd func(col sqlgen.SQL) sqlgen.SQL
}

// rawOf is the comparison of the column's type; ok = false: it has none.
func rawOf(c *retention.Column, m retention.MemberTest) (r raw, ok bool) {
	unix := m.Type == retention.AsUnixSeconds || m.Type == retention.AsUnixMilliseconds
	switch typ := clockType(c, m); {
	case c.Kind == retention.KindInteger, c.Kind == retention.KindNumber && unix:
		return integerRaw(c, typ)
	case unix:
		return raw{}, false
	case c.Kind == retention.KindTimestampTZ && typ != retention.AsDate:
		return simple("timestamptz", func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999") + "+00" }), true
	case c.Kind == retention.KindTimestamp && typ != retention.AsDate && m.Zone != nil:
		return civilRaw(m.Zone), true
	case c.Kind == retention.KindDate && m.DateZone != nil:
		return simple("date", func(t time.Time) string { return dayText(firstDay(t, m.DateZone)) }), true
	}
	return raw{}, false
}

func dayText(day int64) string { return time.Unix(day*86400, 0).UTC().Format(time.DateOnly) }

// simple types order their values as their instants.
func simple(typ string, write func(time.Time) string) raw {
	bound := func(t time.Time) sqlgen.SQL { return cast(sqlgen.Arg(write(t)), typ) }
	return raw{
		under: func(col sqlgen.SQL, t time.Time) sqlgen.SQL { return sqlgen.Format("%s < %s", col, bound(t)) },
		most:  bound,
	}
}

// civilRaw is a timestamp without zone, read in loc.
func civilRaw(loc *time.Location) raw {
	bound := func(micros int64) sqlgen.SQL {
		return cast(sqlgen.Arg(time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05.999999")), "timestamp")
	}
	return raw{
		under: func(col sqlgen.SQL, t time.Time) sqlgen.SQL {
			var any []sqlgen.SQL
			for _, s := range civilsBefore(t, loc) {
				in := sqlgen.Format("%s < %s", col, bound(s.to))
				if s.from != since {
					in = sqlgen.And(sqlgen.Format("%s >= %s", col, bound(s.from)), in)
				}
				any = append(any, in)
			}
			return sqlgen.Or(any...)
		},
		most: func(t time.Time) sqlgen.SQL {
			all := civilsBefore(t, loc)
			return bound(all[len(all)-1].to)
		},
	}
}

// integerRaw counts from 1970; 0 says nothing. Fractions of a unit say none either.
func integerRaw(c *retention.Column, typ retention.ClockType) (raw, bool) {
	unit := int64(1_000_000)
	switch typ {
	case retention.AsUnixSeconds:
	case retention.AsUnixMilliseconds:
		unit = 1000
	default:
		return raw{}, false
	}
	r := simple(bindable(c), func(t time.Time) string {
		n := t.UnixMicro() / unit
		if t.UnixMicro()%unit > 0 {
			n++
		}
		return strconv.FormatInt(n, 10)
	})
	r.odd = func(col sqlgen.SQL) sqlgen.SQL {
		zero := sqlgen.Format("%s = 0", col)
		if c.Kind == retention.KindInteger {
			return zero
		}
		return sqlgen.Or(zero, sqlgen.Format("%s <> floor(%s)", col, col))
	}
	return r, true
}

// oddOf is what must be left out beside what lies out of bounds.
func (r raw) oddOf(col sqlgen.SQL, c *retention.Column, l limits) sqlgen.SQL {
	switch {
	case r.odd != nil && (c.Kind != retention.KindInteger || l.from.UnixMicro() <= 0):
		return r.odd(col)
	case r.odd == nil && l.from.UnixMicro() <= 0: // 1970 itself is a zero that somebody converted
		epoch := time.UnixMicro(0)
		return sqlgen.And(sqlgen.Not(r.under(col, epoch)), r.under(col, epoch.Add(time.Microsecond)))
	}
	return sqlgen.Raw("FALSE")
}

// before compares the raw value: exactly the readable, plausible values before
// the cutoff pass. NULL, and both infinities, do not.
func before(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, bool) {
	r, ok := rawOf(c, m)
	if !ok {
		return sqlgen.SQL{}, false
	}
	l := limitsOf(m)
	if m.Cutoff.Before(firstYear()) || !l.from.Before(l.cutoff) {
		return sqlgen.Raw("FALSE"), true
	}
	return sqlgen.And(sqlgen.Not(r.under(col, l.from)), r.under(col, l.cutoff), sqlgen.Not(r.oddOf(col, c, l))), true
}

// unresolved is whether the raw value is there and says no plausible instant.
func unresolved(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, bool) {
	r, ok := rawOf(c, m)
	if !ok {
		return sqlgen.SQL{}, false
	}
	l := limitsOf(m)
	return sqlgen.Or(r.under(col, l.from), sqlgen.Not(r.under(col, l.to)), r.oddOf(col, c, l)), true
}

// bound is a range that an index serves.
func bound(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, bool) {
	r, ok := rawOf(c, m)
	if !ok {
		return sqlgen.SQL{}, false
	}
	return sqlgen.Format("%s < %s", col, r.most(limitsOf(m).cutoff)), true
}
