package calendar

import (
	"testing"
	"time"
)

// The oracle is a second, slow calendar that shares no code with the package:
// it steps through days, months and minutes one at a time.

var oracleZones = []string{
	"Europe/Paris", "UTC", "America/Havana", "America/Santiago", "Asia/Beirut", "Pacific/Apia", "Pacific/Kiritimati",
	"America/Sao_Paulo", "Atlantic/Azores", "America/St_Johns", "America/Moncton", "America/Goose_Bay",
	"Antarctica/Casey", "Australia/Lord_Howe",
}

// runBack are the zones among them whose civil date runs backwards at times.
var runBack = map[string]bool{
	"America/St_Johns": true, "America/Moncton": true, "America/Goose_Bay": true, "Antarctica/Casey": true,
}

// span is a period that the oracle can add.
type span struct {
	text                       string
	years, months, weeks, days int
}

var spans = []span{
	{text: "0 days"}, {text: "1 month", months: 1}, {text: "13 months", months: 13}, {text: "6 months", months: 6},
	{text: "1 year", years: 1}, {text: "3 years", years: 3}, {text: "5 years", years: 5}, {text: "10 years", years: 10},
	{text: "1 year 6 months", years: 1, months: 6}, {text: "90 days", days: 90}, {text: "2 weeks", weeks: 2},
	{text: "1 month 1 day", months: 1, days: 1}, {text: "1 year 1 week 3 days", years: 1, weeks: 1, days: 3},
}

const firstYear, lastYear = 1990, 2040

func oracleLength(y, m int) int {
	lengths := []int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if m == 2 && (y%400 == 0 || y%4 == 0 && y%100 != 0) {
		return 29
	}
	return lengths[m-1]
}

func oracleNext(d Date) Date {
	y, m, n := d.Year, int(d.Month), d.Day+1
	if n > oracleLength(y, m) {
		n, m = 1, m+1
	}
	if m > 12 {
		m, y = 1, y+1
	}
	return Date{y, time.Month(m), n}
}

// oracleAdd steps month by month, clamps once, then steps day by day.
func oracleAdd(d Date, s span) Date {
	y, m, n := d.Year+s.years, int(d.Month), d.Day
	for range s.months {
		if m++; m > 12 {
			m, y = 1, y+1
		}
	}
	if n > oracleLength(y, m) {
		n = oracleLength(y, m)
	}
	d = Date{y, time.Month(m), n}
	for range s.weeks*7 + s.days {
		d = oracleNext(d)
	}
	return d
}

// oracleDay is a civil day of a zone, skipped ones included.
type oracleDay struct {
	date  Date
	start time.Time // first instant whose civil date is date or later
}

// oracleDays sweeps a zone minute by minute near every change of date, and
// reports whether the date ever runs backwards.
func oracleDays(loc *time.Location) (list []oracleDay, back bool) {
	t := time.Date(firstYear-1, 12, 30, 0, 0, 0, 0, time.UTC)
	y, m, d := t.In(loc).Date()
	reached := Date{y, m, d}
	for t.Year() <= lastYear+1 {
		hour := t.Add(time.Hour)
		_, a := t.In(loc).Zone()
		_, b := hour.In(loc).Zone()
		y, m, d := hour.In(loc).Date()
		if a == b && reached == (Date{y, m, d}) {
			t = hour
			continue
		}
		for range 60 {
			t = t.Add(time.Minute)
			y, m, d := t.In(loc).Date()
			date := Date{y, m, d}
			back = back || oracleBefore(date, reached)
			for oracleBefore(reached, date) {
				reached = oracleNext(reached)
				list = append(list, oracleDay{reached, t})
			}
		}
	}
	return list, back
}

func oracleBefore(a, b Date) bool {
	return a.Year*372+int(a.Month)*31+a.Day < b.Year*372+int(b.Month)*31+b.Day
}

func TestStartOfDayAgainstOracle(t *testing.T) {
	for _, name := range oracleZones {
		loc := mustZone(t, name)
		list, back := oracleDays(loc)
		if back != runBack[name] {
			t.Errorf("%s: the civil date runs backwards: %v", name, back)
		}
		if n := len(list); n < (lastYear-firstYear+1)*365 {
			t.Fatalf("%s: only %d days", name, n)
		}
		for _, d := range list {
			if got := StartOfDay(d.date, loc); !got.Equal(d.start) {
				t.Errorf("%s: %s starts %s, want %s", name, d.date, got, d.start.In(loc))
			}
		}
	}
}

// Every day of the years, every clamp: the last day, and its inverse.
func TestAddAgainstOracle(t *testing.T) {
	for _, s := range spans {
		p := mustPeriod(t, s.text)
		for d := (Date{firstYear, 1, 1}); d.Year <= lastYear; d = oracleNext(d) {
			want := oracleAdd(d, s)
			if got := p.add(d); got != want {
				t.Fatalf("%s + %s = %s, want %s", d, p, got, want)
			}
			from := p.latest(d)
			if oracleBefore(d, oracleAdd(from, s)) || !oracleBefore(d, oracleAdd(oracleNext(from), s)) {
				t.Fatalf("%s is not the last day from which %s ends by %s", from, p, d)
			}
		}
	}
}

// Due is the oracle's last day and the oracle's start of the day after, for
// clocks at both ends of each day.
func TestDueAgainstOracle(t *testing.T) {
	for _, name := range oracleZones {
		loc := mustZone(t, name)
		list, _ := oracleDays(loc)
		starts := map[Date]time.Time{}
		for _, d := range list {
			starts[d.date] = d.start
		}
		for i, d := range list[:len(list)-1] {
			s := spans[i%len(spans)]
			p := mustPeriod(t, s.text)
			for _, clock := range []time.Time{d.start, list[i+1].start.Add(-time.Microsecond)} {
				y, m, n := clock.In(loc).Date()
				want := oracleAdd(Date{y, m, n}, s)
				dueAt, known := starts[oracleNext(want)]
				last, due := Due(clock, p, loc, Round{})
				if last != want || known && !due.Equal(dueAt) {
					t.Fatalf("%s: %s + %s: last day %s, due %s; want %s, %s", name, clock.In(loc), p, last, due, want, dueAt.In(loc))
				}
			}
		}
	}
}
