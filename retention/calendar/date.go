package calendar

import (
	"cmp"
	"fmt"
	"time"
)

// Date is a day of the proleptic Gregorian calendar, without zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads YYYY-MM-DD, years 0001 to 9999, and only days that exist.
func ParseDate(s string) (Date, error) {
	d, ok := parseDate(s)
	if !ok || len(s) != dateLen {
		return Date{}, fmt.Errorf("date %s: write a day that exists as YYYY-MM-DD", quote(s))
	}
	return d, nil
}

// DateOf is the civil date of t in loc.
func DateOf(t time.Time, loc *time.Location) Date {
	y, m, d := t.In(loc).Date()
	return Date{y, m, d}
}

// String returns YYYY-MM-DD.
func (d Date) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// Compare returns -1, 0 or +1 as d is before, the same as, or after e.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// AddDays is the day n days later, or earlier for a negative n.
func (d Date) AddDays(n int) Date { return dateOfNumber(d.number() + int64(n)) }

// addMonths is the same day of the month n months later, clamped to that
// month's last day.
func (d Date) addMonths(n int) Date {
	y, m := shiftMonth(d.Year, d.Month, n)
	return Date{y, m, min(d.Day, monthLength(y, m))}
}

// monthEnd is the last day of d's month.
func (d Date) monthEnd() Date { return Date{d.Year, d.Month, monthLength(d.Year, d.Month)} }

// shiftMonth is the month n months after month m of year y.
func shiftMonth(y int, m time.Month, n int) (int, time.Month) {
	total := y*12 + int(m) - 1 + n
	return floorDiv(total, 12), time.Month(total-12*floorDiv(total, 12)) + 1
}

// monthLength is how many days month m of year y has.
func monthLength(y int, m time.Month) int {
	switch m {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if isLeap(y) {
			return 29
		}
		return 28
	}
	return 31
}

func isLeap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func floorDiv[T int | int64](a, b T) T {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Days of the Gregorian cycle, and from 0000-03-01 to 1970-01-01.
const (
	cycleDays = 146_097
	epochDays = 719_468
)

// number counts the days since 1970-01-01. Years are taken to start in March,
// so that the leap day is the last of its year.
func (d Date) number() int64 {
	y, m := int64(d.Year), int64(d.Month)
	if m <= 2 {
		y, m = y-1, m+12
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + int64(d.Day) - 1
	return era*cycleDays + yoe*365 + yoe/4 - yoe/100 + doy - epochDays
}

// dateOfNumber is the inverse of number.
func dateOfNumber(n int64) Date {
	n += epochDays
	era := floorDiv(n, cycleDays)
	doe := n - era*cycleDays
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	y, m := yoe+era*400, mp+3
	if m > 12 {
		y, m = y+1, m-12
	}
	return Date{int(y), time.Month(m), int(doy - (153*mp+2)/5 + 1)}
}
