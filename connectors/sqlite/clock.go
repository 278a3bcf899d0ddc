package sqlite

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// clockSpec is how retentiond_clock reads a column's values.
type clockSpec struct {
	typ                 retention.ClockType
	dates               bool // AsDate, in a column not declared a date: dates only
	naive, date         *time.Location
	notBefore, notAfter int64 // microseconds
}

// specText writes a member's reading as text, the function's second argument.
func specText(c *retention.Column, m retention.MemberTest) (string, error) {
	typ := m.Type
	if typ == "" {
		typ = declaredClock(c)
	}
	if m.Zone == nil && typ != retention.AsUnixSeconds && typ != retention.AsUnixMilliseconds {
		return "", fmt.Errorf("column %s: no zone for its naive values", c.Name)
	}
	shape := "any"
	if typ == retention.AsDate && c.Kind != retention.KindDate {
		shape = "dates"
	}
	from, to := m.NotBefore, m.NotAfter
	if from.IsZero() {
		from = retention.DefaultNotBefore()
	}
	if to.IsZero() {
		to = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	return strings.Join([]string{string(typ), shape, zoneText(m.Zone), zoneText(m.DateZone),
		strconv.FormatInt(from.UnixMicro(), 10), strconv.FormatInt(to.UnixMicro(), 10)}, "|"), nil
}

// declaredClock is what an unwritten clock type means for the column.
func declaredClock(c *retention.Column) retention.ClockType {
	switch c.Kind {
	case retention.KindInteger:
		return retention.AsUnixSeconds
	case retention.KindDate:
		return retention.AsDate
	}
	return retention.AsText
}

// zoneText names a zone; one that is in no database (a fixed offset) is written
// as seconds east of UTC, and none as "-".
func zoneText(l *time.Location) string {
	if l == nil {
		return "-"
	}
	if _, err := time.LoadLocation(l.String()); err == nil && l.String() != "" {
		return l.String()
	}
	_, offset := time.Unix(0, 0).In(l).Zone()
	return "+" + strconv.Itoa(offset)
}

func parseZone(s string) (*time.Location, error) {
	switch {
	case s == "-":
		return nil, nil
	case strings.HasPrefix(s, "+"):
		n, err := strconv.Atoi(s[1:])
		return time.FixedZone(s, n), err
	}
	return time.LoadLocation(s)
}

func parseSpec(text string) (*clockSpec, error) {
	f := strings.Split(text, "|")
	if len(f) != 6 {
		return nil, fmt.Errorf("retentiond_clock: bad specification %q", text)
	}
	naive, err1 := parseZone(f[2])
	date, err2 := parseZone(f[3])
	from, err3 := strconv.ParseInt(f[4], 10, 64)
	to, err4 := strconv.ParseInt(f[5], 10, 64)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return nil, fmt.Errorf("retentiond_clock: %w", err)
		}
	}
	return &clockSpec{retention.ClockType(f[0]), f[1] == "dates", naive, date, from, to}, nil
}

// read is the value as microseconds since 1970, or [sqlgen.Never].
func (s *clockSpec) read(v any) int64 {
	micros, ok := int64(0), false
	switch s.typ {
	case retention.AsUnixSeconds:
		micros, ok = scaled(v, 1_000_000)
	case retention.AsUnixMilliseconds:
		micros, ok = scaled(v, 1_000)
	default:
		micros, ok = s.stamp(v)
	}
	if !ok || micros < s.notBefore || micros > s.notAfter {
		return sqlgen.Never
	}
	return micros
}

// scaled reads integers only: a fraction, a text or a blob is no unix time.
func scaled(v any, unit int64) (int64, bool) {
	n, ok := v.(int64)
	if !ok || n == 0 || n > math.MaxInt64/unit || n < math.MinInt64/unit {
		return 0, false
	}
	return n * unit, true
}

func (s *clockSpec) stamp(v any) (int64, bool) {
	text, ok := v.(string)
	if !ok {
		return 0, false
	}
	st, ok := calendar.ParseStamp(text)
	switch {
	case !ok, st.HasTime && s.dates:
		return 0, false
	case !st.HasTime && s.date == nil, st.HasTime && !st.HasOffset && s.naive == nil:
		return 0, false
	}
	t := st.Instant(s.naive, s.date)
	micros := t.UnixMicro()
	if t.Nanosecond()%1000 != 0 {
		micros++
	}
	return micros, micros != 0
}

// specs remembers parsed specifications; it is bounded, since as-of moves
// their plausibility bounds with every run.
type specs struct {
	last atomic.Pointer[namedSpec] // a statement asks for one of them row after row
	mu   sync.RWMutex
	m    map[string]*clockSpec
}

type namedSpec struct {
	text string
	spec *clockSpec
}

const maxSpecs = 256

// get returns the specification. text may be SQLite's own memory: it is copied
// before it is kept.
func (s *specs) get(text string) (*clockSpec, error) {
	if l := s.last.Load(); l != nil && l.text == text {
		return l.spec, nil
	}
	s.mu.RLock()
	spec := s.m[text]
	s.mu.RUnlock()
	if spec != nil {
		s.last.Store(&namedSpec{strings.Clone(text), spec})
		return spec, nil
	}
	text = strings.Clone(text)
	spec, err := parseSpec(text)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil || len(s.m) >= maxSpecs {
		s.m = map[string]*clockSpec{}
	}
	s.m[text] = spec
	return spec, nil
}
