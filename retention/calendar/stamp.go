package calendar

import "time"

// Stamp is a timestamp as text gives it.
type Stamp struct {
	Date      Date
	Hour      int
	Min       int
	Sec       int
	Micro     int // 0 to 1000000: finer fractions are rounded up, never early
	Offset    int // seconds east of UTC, where HasOffset
	HasTime   bool
	HasOffset bool
}

const (
	dateLen   = len("2006-01-02")
	minuteLen = len("2006-01-02T15:04")
	// maxOffsetHours is beyond every offset in use; more is no offset.
	maxOffsetHours = 18
)

// ParseStamp reads strict ISO 8601 and nothing else: YYYY-MM-DD, or that and T
// or a space, HH:MM, optional :SS and fraction, optional Z, ±HH, ±HHMM or
// ±HH:MM. Year 0000, days that do not exist, 24:00 and second 60 are refused.
// It does not allocate.
func ParseStamp(s string) (Stamp, bool) {
	d, ok := parseDate(s)
	st := Stamp{Date: d}
	if !ok || len(s) == dateLen {
		return st, ok
	}
	if len(s) < minuteLen || s[10] != 'T' && s[10] != ' ' || s[13] != ':' {
		return Stamp{}, false
	}
	var okMin bool
	st.Hour, ok = digits(s, 11, 2)
	st.Min, okMin = digits(s, 14, 2)
	if !ok || !okMin || st.Hour > 23 || st.Min > 59 {
		return Stamp{}, false
	}
	st.HasTime = true
	rest, ok := st.parseSeconds(s[minuteLen:])
	if !ok || !st.parseOffset(rest) {
		return Stamp{}, false
	}
	return st, true
}

// parseSeconds takes an optional :SS and fraction off s and returns the rest.
func (st *Stamp) parseSeconds(s string) (rest string, ok bool) {
	if s == "" || s[0] != ':' {
		return s, true
	}
	if st.Sec, ok = digits(s, 1, 2); !ok || st.Sec > 59 {
		return "", false
	}
	s = s[3:]
	if s == "" || s[0] != '.' && s[0] != ',' {
		return s, true
	}
	n := st.parseFraction(s[1:])
	return s[1+n:], n > 0
}

// parseFraction reads the digits that s starts with as a fraction of a second,
// rounded up to the microsecond, and returns how many there are.
func (st *Stamp) parseFraction(s string) int {
	micro, unit, up := 0, 100_000, 0
	n := 0
	for ; n < len(s) && isDigit(s[n]); n++ {
		micro += int(s[n]-'0') * unit
		if unit == 0 && s[n] != '0' {
			up = 1
		}
		unit /= 10
	}
	st.Micro = micro + up
	return n
}

// parseOffset reads all of s: nothing, Z, ±HH, ±HHMM or ±HH:MM.
func (st *Stamp) parseOffset(s string) bool {
	if s == "" {
		return true
	}
	st.HasOffset = true
	if s == "Z" {
		return true
	}
	h, ok := digits(s, 1, 2)
	if !ok || s[0] != '+' && s[0] != '-' {
		return false
	}
	m := 0
	switch {
	case len(s) == 5:
		m, ok = digits(s, 3, 2)
	case len(s) == 6 && s[3] == ':':
		m, ok = digits(s, 4, 2)
	case len(s) != 3:
		return false
	}
	st.Offset = h*3600 + m*60
	if s[0] == '-' {
		st.Offset = -st.Offset
	}
	return ok && m < 60 && h*60+m <= maxOffsetHours*60
}

// Instant is the instant that the stamp names. A time without offset is civil
// time in naiveZone ([LocalTime]); a date without time is that day's start in
// dateZone ([StartOfDay]).
func (st Stamp) Instant(naiveZone, dateZone *time.Location) time.Time {
	switch {
	case !st.HasTime:
		return StartOfDay(st.Date, dateZone)
	case !st.HasOffset:
		return LocalTime(st.Date, st.Hour, st.Min, st.Sec, st.Micro, naiveZone)
	}
	unix := st.Date.number()*86400 + int64(st.Hour*3600+st.Min*60+st.Sec-st.Offset)
	return time.Unix(unix, int64(st.Micro)*1000).UTC()
}

// parseDate reads the YYYY-MM-DD that s starts with.
func parseDate(s string) (Date, bool) {
	if len(s) < dateLen || s[4] != '-' || s[7] != '-' {
		return Date{}, false
	}
	y, ok1 := digits(s, 0, 4)
	m, ok2 := digits(s, 5, 2)
	d, ok3 := digits(s, 8, 2)
	if !ok1 || !ok2 || !ok3 || y == 0 || m == 0 || m > 12 || d == 0 || d > monthLength(y, time.Month(m)) {
		return Date{}, false
	}
	return Date{y, time.Month(m), d}, true
}

// digits reads the n ASCII digits of s at i.
func digits(s string, i, n int) (int, bool) {
	if len(s) < i+n {
		return 0, false
	}
	v := 0
	for _, c := range []byte(s[i : i+n]) {
		if !isDigit(c) {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
