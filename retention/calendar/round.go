package calendar

import (
	"fmt"
	"strings"
	"time"
)

// Round moves a clock to the end of its month, civil year or business year
// before its period runs. The zero Round leaves it. Rounds are comparable.
type Round struct {
	kind  roundKind
	month time.Month // of a business year's last day
	day   int
}

type roundKind uint8

const (
	noRound roundKind = iota
	monthEnd
	yearEnd
	businessYearEnd
)

// MonthEnd rounds to the last day of the month.
func MonthEnd() Round { return Round{kind: monthEnd} }

// YearEnd rounds to 31 December.
func YearEnd() Round { return Round{kind: yearEnd} }

// BusinessYearEnd rounds to the last day of a business year that ends on that
// day of each year. The 28th or 29th of February means the end of February. The
// error names a day that no year has.
func BusinessYearEnd(month time.Month, day int) (Round, error) {
	const leapYear = 2000
	if month < time.January || month > time.December || day < 1 || day > monthLength(leapYear, month) {
		return Round{}, fmt.Errorf("year end %02d-%02d: no year has that day; write the business year's last day as MM-DD, e.g. 08-31", int(month), day)
	}
	switch {
	case month == time.December && day == 31:
		return YearEnd(), nil
	case month == time.February && day == 28:
		day = 29
	}
	return Round{kind: businessYearEnd, month: month, day: day}, nil
}

// ParseRound reads month-end, year-end, and "year-end MM-DD" as String writes it.
func ParseRound(s string) (Round, error) {
	switch s {
	case "month-end":
		return MonthEnd(), nil
	case "year-end":
		return YearEnd(), nil
	}
	if rest, ok := strings.CutPrefix(s, "year-end "); ok && len(rest) == 5 && rest[2] == '-' {
		if m, d, ok := twoPairs(rest[:2], rest[3:]); ok {
			return BusinessYearEnd(time.Month(m), d)
		}
	}
	return Round{}, fmt.Errorf("round %s: write month-end, year-end, or {year_end: MM-DD} for a business year", quote(s))
}

func twoPairs(a, b string) (int, int, bool) {
	m, ok := digits(a, 0, 2)
	d, ok2 := digits(b, 0, 2)
	return m, d, ok && ok2
}

// IsZero reports whether r leaves the clock as it is.
func (r Round) IsZero() bool { return r == Round{} }

// String is month-end, year-end, "year-end MM-DD", or empty for none.
func (r Round) String() string {
	switch r.kind {
	case monthEnd:
		return "month-end"
	case yearEnd:
		return "year-end"
	case businessYearEnd:
		return fmt.Sprintf("year-end %02d-%02d", int(r.month), r.day)
	}
	return ""
}

// up is the first end of r's unit that is d or later.
func (r Round) up(d Date) Date {
	switch r.kind {
	case monthEnd:
		return d.monthEnd()
	case noRound:
		return d
	}
	if end := r.endIn(d.Year); !end.Before(d) {
		return end
	}
	return r.endIn(d.Year + 1)
}

// down is the last day that up moves to d or before: the last end of r's unit
// that is d or earlier.
func (r Round) down(d Date) Date {
	switch r.kind {
	case noRound:
		return d
	case monthEnd:
		if d == d.monthEnd() {
			return d
		}
		return Date{d.Year, d.Month, 1}.AddDays(-1)
	}
	if end := r.endIn(d.Year); !d.Before(end) {
		return end
	}
	return r.endIn(d.Year - 1)
}

// endIn is the year end that falls in civil year y.
func (r Round) endIn(y int) Date {
	if r.kind == yearEnd {
		return Date{y, time.December, 31}
	}
	return Date{y, r.month, min(r.day, monthLength(y, r.month))}
}
