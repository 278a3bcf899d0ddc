package sqlite

import (
	"database/sql/driver"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/retentiond/retentiond/retention/calendar"
)

// A change keeps NULL, and gives ok = false for what it cannot read: that is
// replaced by the last argument (NULL where the column takes it, else an empty
// value), since an unreadable value must not survive as it is.
type change func(v driver.Value, args []driver.Value) (driver.Value, bool)

func changeFunction(c change) func([]driver.Value) (driver.Value, error) {
	return func(args []driver.Value) (driver.Value, error) {
		if args[0] == nil {
			return nil, nil
		}
		last := len(args) - 1
		if v, ok := c(args[0], args[1:last]); ok {
			return v, nil
		}
		return args[last], nil
	}
}

// truncate moves a date to the start of its unit and keeps its written form: a
// date stays a date, a timestamp keeps separator, fraction and offset.
func truncate(v driver.Value, args []driver.Value) (driver.Value, bool) {
	s, ok := v.(string)
	if !ok {
		return nil, false
	}
	st, ok := calendar.ParseStamp(s)
	if !ok {
		return nil, false
	}
	month, day := int(st.Date.Month), st.Date.Day
	switch args[0] {
	case "year":
		month, day = 1, 1
	case "quarter":
		month, day = (month-1)/3*3+1, 1
	case "month":
		day = 1
	case "day":
	default:
		return nil, false
	}
	out := fmt.Sprintf("%04d-%02d-%02d", st.Date.Year, month, day)
	return out + zeroed(s[len(out):]), true
}

// zeroed is a written time of day with its digits zero, before the offset.
func zeroed(rest string) string {
	b := []byte(rest)
	for i, c := range b {
		if i > 0 && (c == '+' || c == '-' || c == 'Z') {
			break
		}
		if '0' <= c && c <= '9' {
			b[i] = '0'
		}
	}
	return string(b)
}

// bucket is the greatest multiple of n that is not above the value.
func bucket(v driver.Value, args []driver.Value) (driver.Value, bool) {
	return multiple(v, args, func(v, n int64) (int64, bool) {
		r := v % n
		if r < 0 {
			r += n
		}
		return v - r, v >= math.MinInt64+r
	}, math.Floor)
}

// round is the nearest multiple of n; a value halfway goes up.
func round(v driver.Value, args []driver.Value) (driver.Value, bool) {
	return multiple(v, args, func(v, n int64) (int64, bool) {
		r := v % n
		if r < 0 {
			r += n
		}
		if r >= n-r {
			return v - r + n, v <= math.MaxInt64-n
		}
		return v - r, v >= math.MinInt64+r
	}, func(q float64) float64 { return math.Floor(q + 0.5) })
}

// multiple applies whole to integers and real to quotients of fractions. Text
// that is a number stays text.
func multiple(v driver.Value, args []driver.Value, whole func(v, n int64) (int64, bool), real func(float64) float64) (driver.Value, bool) {
	n, ok := args[0].(int64)
	if !ok || n <= 0 {
		return nil, false
	}
	switch x := v.(type) {
	case int64:
		return whole(x, n)
	case float64:
		return realMultiple(x, n, real)
	case string:
		if i, err := strconv.ParseInt(x, 10, 64); err == nil {
			r, ok := whole(i, n)
			return strconv.FormatInt(r, 10), ok
		}
		f, err := strconv.ParseFloat(x, 64)
		r, ok := realMultiple(f, n, real)
		if err != nil || !ok {
			return nil, false
		}
		return strconv.FormatFloat(r.(float64), 'f', -1, 64), true
	}
	return nil, false
}

func realMultiple(x float64, n int64, real func(float64) float64) (driver.Value, bool) {
	if math.IsNaN(x) || math.Abs(x) > 1<<53 || n > 1<<53 {
		return nil, false
	}
	return real(x/float64(n))*float64(n) + 0, true
}

// maskIP zeroes the host bits of an address: args are the bits kept of IPv4 and
// of IPv6. A mapped IPv4 address is an IPv4 address; a zone is dropped.
func maskIP(v driver.Value, args []driver.Value) (driver.Value, bool) {
	s, ok := v.(string)
	if !ok {
		return nil, false
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return nil, false
	}
	ip = ip.Unmap().WithZone("")
	bits := args[0]
	if ip.Is6() {
		bits = args[1]
	}
	n, _ := bits.(int64)
	p, err := ip.Prefix(int(n))
	if err != nil {
		return nil, false
	}
	return p.Addr().String(), true
}

// emailDomain is what follows the last @.
func emailDomain(v driver.Value, _ []driver.Value) (driver.Value, bool) {
	s, ok := v.(string)
	i := strings.LastIndexByte(s, '@')
	if !ok || i < 0 || i == len(s)-1 {
		return nil, false
	}
	return strings.Clone(s[i+1:]), true
}

func keepLeft(v driver.Value, args []driver.Value) (driver.Value, bool) {
	s, n, ok := characters(v, args)
	if !ok {
		return nil, false
	}
	for i := range s {
		if n == 0 {
			return s[:i], true
		}
		n--
	}
	return s, true
}

func keepRight(v driver.Value, args []driver.Value) (driver.Value, bool) {
	s, n, ok := characters(v, args)
	if !ok {
		return nil, false
	}
	for skip := int64(utf8.RuneCountInString(s)) - n; skip > 0; skip-- {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	return s, true
}

func characters(v driver.Value, args []driver.Value) (s string, n int64, ok bool) {
	n, ok = args[0].(int64)
	if !ok || n < 0 {
		return "", 0, false
	}
	switch x := v.(type) {
	case string:
		return strings.Clone(x), n, utf8.ValidString(x)
	case int64:
		return strconv.FormatInt(x, 10), n, true
	}
	return "", 0, false
}
