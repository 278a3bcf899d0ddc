package postgres

import (
	"strconv"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention/calendar"
)

// farthest is more than any zone's offset from UTC.
const farthest = 26 * time.Hour

// stretch is a stretch of instants with one offset from UTC.
type stretch struct {
	from   time.Time // zero: since ever
	offset int       // seconds east of UTC
}

// stretches are those of loc that touch the instants from a to b.
func stretches(loc *time.Location, a, b time.Time) []stretch {
	_, offset := a.In(loc).Zone()
	out := []stretch{{offset: offset}}
	for t := a; ; {
		_, end := t.In(loc).ZoneBounds()
		if !end.IsZero() && !end.After(t) { // package time cuts bounds at the 365th day of leap years
			end = t.Truncate(24 * time.Hour).Add(24 * time.Hour)
		}
		if end.IsZero() || end.After(b) {
			return out
		}
		if _, o := end.In(loc).Zone(); o != out[len(out)-1].offset {
			out = append(out, stretch{end, o})
		}
		t = end
	}
}

// span is a half-open range of civil times, in microseconds since 1970.
type span struct{ from, to int64 }

// since is the beginning of civil time.
const since = -1 << 62

// civilsBefore are the civil times of loc whose instants are before t: an
// ambiguous time is its later instant, one in a gap is read with the offset
// before it, so that they are one range or, in a gap, two.
func civilsBefore(t time.Time, loc *time.Location) []span {
	all := stretches(loc, t.Add(-2*farthest), t.Add(2*farthest))
	starts := civilStarts(all)
	var out []span
	for i, s := range all {
		to := t.UnixMicro() + int64(s.offset)*1e6
		for _, later := range starts[i+1:] {
			to = min(to, later)
		}
		switch n := len(out); {
		case starts[i] >= to:
		case n > 0 && out[n-1].to == starts[i]:
			out[n-1].to = to
		default:
			out = append(out, span{starts[i], to})
		}
	}
	return out
}

// civilStarts are the civil times at which each stretch begins, by its own clock.
func civilStarts(all []stretch) []int64 {
	out := make([]int64, len(all))
	for i, s := range all {
		out[i] = since
		if !s.from.IsZero() {
			out[i] = s.from.UnixMicro() + int64(s.offset)*1e6
		}
	}
	return out
}

// steps is a function of a number that is constant between thresholds.
type steps struct {
	at     []int64 // ascending
	values []int64 // one more than at
}

// constant is the value of a function without thresholds.
func (s steps) constant() (int64, bool) { return s.values[0], len(s.at) == 0 }

// add says the value from at on, whatever was said of that before.
func (s *steps) add(at, value int64) {
	for n := len(s.at); n > 0 && s.at[n-1] >= at; n-- {
		s.at, s.values = s.at[:n-1], s.values[:n]
	}
	if s.values[len(s.values)-1] != value {
		s.at, s.values = append(s.at, at), append(s.values, value)
	}
}

// offsets gives for a civil time of loc, in microseconds, its offset in
// microseconds, for instants from a to b.
func offsets(loc *time.Location, a, b time.Time) steps {
	all := stretches(loc, a.Add(-2*farthest), b.Add(2*farthest))
	out := steps{values: []int64{int64(all[0].offset) * 1e6}}
	for i, start := range civilStarts(all) {
		if i > 0 {
			out.add(start, int64(all[i].offset)*1e6)
		}
	}
	return out
}

// dayStarts gives for a date, in days since 1970, how much its midnight in UTC
// lies after its start in loc, in microseconds, for instants from a to b.
func dayStarts(loc *time.Location, a, b time.Time) steps {
	all := stretches(loc, a.Add(-2*farthest), b.Add(2*farthest))
	out := steps{values: []int64{int64(all[0].offset) * 1e6}}
	last := int64(since)
	for _, s := range all[1:] {
		day := floorDay(s.from.Add(-farthest))
		for d := max(day, last+1); d <= day+4; d++ {
			out.add(d, d*86400*1e6-startOfDay(d, loc).UnixMicro())
			last = d
		}
	}
	return out
}

func floorDay(t time.Time) int64 {
	d := t.Unix() / 86400
	if t.Unix()%86400 < 0 {
		d--
	}
	return d
}

func startOfDay(day int64, loc *time.Location) time.Time {
	y, m, d := time.Unix(day*86400, 0).UTC().Date()
	return calendar.StartOfDay(calendar.Date{Year: y, Month: m, Day: d}, loc)
}

// firstDay is the first date, in days since 1970, that starts in loc at t or
// later: every earlier date starts before t.
func firstDay(t time.Time, loc *time.Location) int64 {
	d := floorDay(t.Add(-2 * farthest))
	for startOfDay(d, loc).Before(t) {
		d++
	}
	return d
}

// arrays writes thresholds and values as PostgreSQL reads arrays.
func (s steps) arrays() (at, values string) { return numbers(s.at), numbers(s.values) }

func numbers(ns []int64) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, n := range ns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(n, 10))
	}
	b.WriteByte('}')
	return b.String()
}
