package calendar

import (
	"fmt"
	"strconv"
	"strings"
)

// ParsePeriod reads a period: English (`1 year 6 months`), French (`1 an 6
// mois`) or ISO 8601 (`P1Y6M`). Numbers are integers in digits; calendar units
// (years to days) and exact ones (hours to seconds) do not mix. The error says
// what a person has to decide: a range, "generally" and "as long as necessary"
// are not periods.
func ParsePeriod(s string) (Period, error) {
	text := fold(s)
	if why := undecided(text); why != "" {
		return Period{}, fmt.Errorf("period %s %s", quote(s), why)
	}
	parts, why := split(text)
	if why == "" {
		var p Period
		if p, why = assemble(parts); why == "" {
			return p, nil
		}
	}
	return Period{}, fmt.Errorf("period %s: %s", quote(s), why)
}

// part is a number and its unit.
type part struct {
	n    int64
	unit unit
}

// split reads the folded text as parts; why says what is wrong.
func split(text string) (parts []part, why string) {
	if rest, ok := strings.CutPrefix(text, "p"); ok && rest != "" && (isDigit(rest[0]) || rest[0] == 't') {
		return splitISO(rest)
	}
	return splitWords(text)
}

// assemble makes the period of parts: each unit once, longest first, one kind,
// within bounds.
func assemble(parts []part) (p Period, why string) {
	for i, x := range parts {
		kind := calendarPeriod
		if x.unit.exact() {
			kind = exactPeriod
		}
		switch {
		case p.kind != noPeriod && p.kind != kind:
			return p, "calendar units (years, months, weeks, days) and exact ones (hours, minutes, seconds) do not mix; decide on one kind"
		case i > 0 && x.unit <= parts[i-1].unit:
			return p, "write each unit once, the longest first"
		}
		p.kind = kind
		p.n[x.unit] = x.n
	}
	return p, p.tooLong()
}

// Bounds of a period, far beyond any law, within what dates and durations hold.
const (
	maxDays    = 366_000 // 1000 years
	maxSeconds = 876_600 * 3600
	maxNumber  = maxSeconds
)

func (p Period) tooLong() string {
	calendarDays := (p.n[years]*12+p.n[months])*61/2 + p.n[weeks]*7 + p.n[days]
	exactSeconds := p.n[hours]*3600 + p.n[minutes]*60 + p.n[seconds]
	switch {
	case calendarDays > maxDays:
		return "it is longer than 1000 years; where data is kept on purpose, write exempt with the reason"
	case exactSeconds > maxSeconds:
		return "it is longer than 100 years in exact units; write it in years"
	}
	return ""
}

// number reads an integer in digits.
func number(s string) (n int64, why string) {
	if !isAllDigits(s) {
		return 0, quote(s) + " is no whole number; " + howToWrite
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > maxNumber {
		return 0, "the number " + quote(s) + " is too large; a period is at most 1000 years"
	}
	return n, ""
}

func isAllDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func quote(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
