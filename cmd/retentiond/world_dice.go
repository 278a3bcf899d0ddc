package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"
)

// dice makes plausible rows, the same ones for the same seed.
type dice struct {
	*rand.Rand
	asOf  time.Time
	paris *time.Location
	seed  uint64
	odds  int // odd values given so far
	names names
}

func newDice(seed uint64, name string, asOf time.Time) *dice {
	h := fnv.New64a()
	h.Write([]byte(name))
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil { // no time-zone data: winter time will do for a demo
		paris = time.FixedZone("CET", 3600)
	}
	return &dice{Rand: rand.New(rand.NewPCG(seed, h.Sum64())), asOf: asOf, paris: paris, seed: seed, names: readNames()}
}

// style is how a system writes its clocks.
type style int

const (
	asUTC   style = iota // ISO 8601 text with Z
	asLocal              // naive text, Paris time
	asDate               // a civil date in Paris
	asUnix               // seconds since 1970
)

// write writes an instant in a style.
func (d *dice) write(s style, t time.Time) any {
	switch s {
	case asUTC:
		return t.UTC().Format("2006-01-02T15:04:05Z")
	case asLocal:
		return t.In(d.paris).Format("2006-01-02 15:04:05")
	case asDate:
		return t.In(d.paris).Format("2006-01-02")
	}
	return t.Unix()
}

// ago is the instant so many months and days before as-of.
func (d *dice) ago(months, days int) time.Time { return d.asOf.AddDate(0, -months, -days) }

// within is an instant between from and to.
func (d *dice) within(from, to time.Time) time.Time {
	return from.Add(time.Duration(d.Float64() * float64(to.Sub(from)))).Truncate(time.Second)
}

// chance is true so many times in a hundred.
func (d *dice) chance(percent int) bool { return d.IntN(100) < percent }

// clock is an event's time in a table that keeps rows so many months: some 40
// in 100 overdue by up to four years, some 5 that no clock should say, one or
// two in the future, a few at the calendar's corners.
func (d *dice) clock(s style, months int) any {
	switch p := d.IntN(100); {
	case p < 4:
		return d.odd(s)
	case p < 6:
		return d.write(s, d.within(d.asOf, d.asOf.AddDate(1, 2, 0)))
	case p < 9:
		return d.corner(s)
	case p < 48, months == 0: // what ends at once is either open or over
		return d.write(s, d.within(d.ago(months+48, 0), d.ago(months, 3)))
	}
	return d.write(s, d.within(d.ago(months, -3), d.asOf))
}

// ended is clock for an event that may still be to come, with so many per cent
// NULL.
func (d *dice) ended(s style, months, open int) any {
	if d.chance(open) {
		return nil
	}
	return d.clock(s, months)
}

// odd is a value that is no usable time: each in turn.
func (d *dice) odd(s style) any {
	var all []any
	switch s {
	case asUnix:
		all = []any{0, -1, 253402300799, "n/a", d.asOf.UnixMilli(), 1e300, ""}
	case asDate:
		all = []any{"0000-00-00", "0001-01-01", "9999-12-31", "n/a", "1970-01-01", "2023-02-30", "31/12/2019", "", "2019"}
	case asLocal:
		all = []any{"0000-00-00 00:00:00", "1970-01-01 00:00:00", "9999-12-31 23:59:59", "n/a", "10:30", "2451545", "2023-02-30 10:00:00", "2019-13-01 00:00:00", ""}
	default:
		all = []any{"0000-00-00T00:00:00Z", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "n/a", "10:30", "2451545", "2023-02-30T10:00:00Z", "31/12/2019", ""}
	}
	d.odds++
	return all[d.odds%len(all)]
}

// corner is a time where calendars go wrong: ends of months, a leap day, the
// hours that summer time skips and repeats, the last second of a year.
func (d *dice) corner(s style) any {
	y := d.asOf.Year() - d.IntN(8)
	if s == asLocal && d.chance(40) {
		return fmt.Sprintf("%s 02:30:00", d.changeover(y).Format("2006-01-02"))
	}
	at := []time.Time{
		time.Date(y, time.January, 31, 23, 59, 59, 0, d.paris),
		time.Date(y-y%4, time.February, 29, 12, 0, 0, 0, d.paris),
		time.Date(y, time.August, 31, 0, 0, 0, 0, d.paris),
		time.Date(y, time.December, 31, 23, 30, 0, 0, time.UTC), // already the next year in Paris
		d.changeover(y).Add(30 * time.Minute),
	}
	t := at[d.IntN(len(at))]
	if t.After(d.asOf) {
		t = t.AddDate(-1, 0, 0)
	}
	return d.write(s, t)
}

// changeover is 01:00 UTC on a day on which summer time begins or ends.
func (d *dice) changeover(year int) time.Time {
	m := time.March
	if d.chance(50) {
		m = time.October
	}
	t := time.Date(year, m, 31, 1, 0, 0, 0, time.UTC)
	return t.AddDate(0, 0, -int(t.Weekday()))
}

// border returns the civil dates on either side of a period's end: the latest
// that is due at as-of, and the next day, which is not.
func (d *dice) border(months int) (due, active time.Time) {
	now := d.asOf.In(d.paris)
	today := time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, d.paris)
	for active = today.AddDate(0, -months, -4); lastDay(active, months).Before(today); {
		active = active.AddDate(0, 0, 1)
	}
	return active.AddDate(0, 0, -1), active
}

// lastDay adds months to a date and stays in the month that is reached.
func lastDay(t time.Time, months int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), 0, 0, 0, t.Location())
	days := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), days)-1)
}

// ip is an address of the ranges that are reserved for documentation.
func (d *dice) ip() string {
	switch n := d.IntN(250) + 1; d.IntN(4) {
	case 0:
		return fmt.Sprintf("192.0.2.%d", n)
	case 1:
		return fmt.Sprintf("198.51.100.%d", n)
	case 2:
		return fmt.Sprintf("203.0.113.%d", n)
	default:
		return fmt.Sprintf("2001:db8::%x:%x", d.IntN(0xffff), n)
	}
}

// pick is one of the words.
func (d *dice) pick(words string) string {
	all := strings.Split(words, "|")
	return all[d.IntN(len(all))]
}

// someone is a person's number: mostly one of the first so many, who are in
// several systems, and rarely the disputed person.
func (d *dice) someone(people int64) int64 {
	if d.IntN(500) == 0 {
		return disputedID
	}
	return firstPerson + d.Int64N(people)
}

// maybe is someone, or NULL for so many per cent.
func (d *dice) maybe(people int64, nobody int) any {
	if d.chance(nobody) {
		return nil
	}
	return d.someone(people)
}
