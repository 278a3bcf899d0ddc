package engine_test

import (
	"regexp"
	"strconv"
	"time"
)

// The oracle's calendar: slow, and written from the policy language alone. A
// civil date is that day's midnight in UTC.

func civil(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func lengthOf(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }

// startOfDay is the first instant whose civil date is d or later, found by
// looking at every quarter of an hour around it.
func startOfDay(d time.Time, zone *time.Location) time.Time {
	for t := d.Add(-27 * time.Hour); ; t = t.Add(15 * time.Minute) {
		if !civil(t, zone).Before(d) {
			return t
		}
	}
}

// localTime is the instant of a civil time: the later one where there are two;
// in a gap, read with the offset before it.
func localTime(wall time.Time, zone *time.Location) time.Time {
	var found, before time.Time
	for u := wall.Add(-27 * time.Hour); u.Before(wall.Add(27 * time.Hour)); u = u.Add(15 * time.Minute) {
		_, offset := u.In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		if _, o := at.In(zone).Zone(); o == offset {
			found = at
		}
		if y, mo, d := u.In(zone).Date(); !time.Date(y, mo, d, u.In(zone).Hour(), u.In(zone).Minute(), u.In(zone).Second(), 0, time.UTC).After(wall) {
			before = at
		}
	}
	if found.IsZero() {
		return before
	}
	return found
}

// lastDay is the last day of the period from the clock's civil date.
func lastDay(day time.Time, p wPeriod, round string) time.Time {
	day = rounded(day, round)
	months := int(day.Month()) - 1 + p.Months
	y, m := day.Year()+p.Years+months/12, time.Month(months%12+1)
	d := min(day.Day(), lengthOf(y, m))
	return time.Date(y, m, d+7*p.Weeks+p.Days, 0, 0, 0, 0, time.UTC)
}

// rounded is the end of the day's month, civil year, or business year (MM-DD,
// where the 28th of February is the end of that month).
func rounded(day time.Time, round string) time.Time {
	switch round {
	case "":
		return day
	case "month-end":
		return time.Date(day.Year(), day.Month(), lengthOf(day.Year(), day.Month()), 0, 0, 0, 0, time.UTC)
	case "year-end":
		round = "12-31"
	case "02-28":
		round = "02-29"
	}
	m, _ := strconv.Atoi(round[:2])
	d, _ := strconv.Atoi(round[3:])
	end := func(y int) time.Time {
		return time.Date(y, time.Month(m), min(d, lengthOf(y, time.Month(m))), 0, 0, 0, 0, time.UTC)
	}
	if e := end(day.Year()); !day.After(e) {
		return e
	}
	return end(day.Year() + 1)
}

// over reports whether the period from the clock is over at as-of.
func over(clock, asOf time.Time, p wPeriod, round string, zone *time.Location) bool {
	if p.Exact {
		return !clock.Add(time.Duration(p.Seconds) * time.Second).After(asOf)
	}
	return civil(asOf, zone).After(lastDay(civil(clock, zone), p, round))
}

var iso = regexp.MustCompile(`^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$`)

// parsed is what a text says: a date alone, a civil time, or an instant.
type parsed struct {
	wall       time.Time // as if in UTC
	timed, set bool      // has a time of day; has an offset
	offset     time.Duration
}

func parseISO(s string) (p parsed, ok bool) {
	g := iso.FindStringSubmatch(s)
	if g == nil {
		return p, false
	}
	n := func(i int) int { v, _ := strconv.Atoi(g[i]); return v }
	y, m, d := n(1), n(2), n(3)
	if y == 0 || m < 1 || m > 12 || d < 1 || d > lengthOf(y, time.Month(m)) || n(4) > 23 || n(5) > 59 || n(6) > 59 {
		return p, false
	}
	micros, _ := strconv.Atoi((g[7] + "000000")[:6])
	p.wall = time.Date(y, time.Month(m), d, n(4), n(5), n(6), micros*1000, time.UTC)
	p.timed, p.set = g[4] != "", g[8] != ""
	if p.set && g[8] != "Z" {
		digits := regexp.MustCompile(`\d\d`).FindAllString(g[8], 2)
		h, _ := strconv.Atoi(digits[0])
		p.offset = time.Duration(h) * time.Hour
		if len(digits) > 1 {
			mm, _ := strconv.Atoi(digits[1])
			p.offset += time.Duration(mm) * time.Minute
		}
		if p.offset > 18*time.Hour { // further than any zone: no offset
			return p, false
		}
		if g[8][0] == '-' {
			p.offset = -p.offset
		}
	}
	return p, true
}
