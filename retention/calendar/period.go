package calendar

import (
	"strconv"
	"strings"
	"time"
)

// Period is a length of time as a policy writes it. It keeps its units: twelve
// months and one year are equally long and not ==. The zero Period is none.
type Period struct {
	kind periodKind
	n    [unitCount]int64
}

type periodKind uint8

const (
	noPeriod periodKind = iota
	calendarPeriod
	exactPeriod
)

// unit indexes Period.n, longest first.
type unit int

const (
	years unit = iota
	months
	weeks
	days
	hours
	minutes
	seconds
	unitCount
)

func (u unit) exact() bool { return u >= hours }

// IsZero reports whether p is no period at all; `0 days` is one.
func (p Period) IsZero() bool { return p.kind == noPeriod }

// Exact reports whether p is a length of elapsed time (hours, minutes, seconds)
// instead of calendar days.
func (p Period) Exact() bool { return p.kind == exactPeriod }

// Duration is the length of an exact period, and 0 for a calendar one.
func (p Period) Duration() time.Duration {
	return time.Duration(p.n[hours])*time.Hour +
		time.Duration(p.n[minutes])*time.Minute + time.Duration(p.n[seconds])*time.Second
}

func (p Period) months() int { return int(p.n[years])*12 + int(p.n[months]) }
func (p Period) days() int   { return int(p.n[weeks])*7 + int(p.n[days]) }

// String is the period in English; [ParsePeriod] reads it back as p.
func (p Period) String() string {
	return p.words([unitCount]string{"year", "month", "week", "day", "hour", "minute", "second"}, 1)
}

// French is the period in French; [ParsePeriod] reads it back as p.
func (p Period) French() string {
	return p.words([unitCount]string{"an", "mois", "semaine", "jour", "heure", "minute", "seconde"}, 0)
}

// words joins number and unit. A number is singular when it is 1 or, in French,
// 0: singularFrom is the lowest singular number.
func (p Period) words(names [unitCount]string, singularFrom int64) string {
	var parts []string
	for u, n := range p.n {
		if n == 0 && unit(u) != p.zeroUnit() {
			continue
		}
		name := names[u]
		if (n > 1 || n < singularFrom) && !strings.HasSuffix(name, "s") {
			name += "s"
		}
		parts = append(parts, strconv.FormatInt(n, 10)+" "+name)
	}
	return strings.Join(parts, " ")
}

// ISO is the period as an ISO 8601 duration; [ParsePeriod] reads it back as p.
func (p Period) ISO() string {
	if p.IsZero() {
		return ""
	}
	s := "P"
	if p.Exact() {
		s = "PT"
	}
	for u, n := range p.n {
		if n != 0 || unit(u) == p.zeroUnit() {
			s += strconv.FormatInt(n, 10) + string("YMWDHMS"[u])
		}
	}
	return s
}

// zeroUnit is the unit in which a period of no length is written, and unitCount
// for every other period.
func (p Period) zeroUnit() unit {
	switch p {
	case Period{kind: calendarPeriod}:
		return days
	case Period{kind: exactPeriod}:
		return seconds
	}
	return unitCount
}

// add is the last day of calendar period p from d on: years and months, clamped
// to the month's end, then weeks and days.
func (p Period) add(d Date) Date { return d.addMonths(p.months()).AddDays(p.days()) }

// latest is the last day from which p still ends on day last or before: the
// inverse of add, which never decreases.
func (p Period) latest(last Date) Date {
	last = last.AddDays(-p.days())
	y, m := shiftMonth(last.Year, last.Month, -p.months())
	if last == last.monthEnd() {
		return Date{y, m, monthLength(y, m)}
	}
	return Date{y, m, min(last.Day, monthLength(y, m))}
}
