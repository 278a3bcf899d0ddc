package mysql

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention/calendar"
)

// A zone turns civil time into instants by steps: from a civil time on, one
// offset holds. An ambiguous civil time is its later instant, and one in a gap is
// read with the offset before it; both put the step at the transition plus the
// offset after it. Times are microseconds.
type steps struct {
	at      []int64 // civil times at which the next offset begins
	offsets []int64 // one more than at
}

// noTransitionAfter bounds the steps: rules of zones are not known farther ahead.
const noTransitionAfter = 2200

// stepsOf are the steps of a zone between two instants.
func stepsOf(loc *time.Location, from, to time.Time) steps {
	if limit := time.Date(noTransitionAfter, 1, 1, 0, 0, 0, 0, time.UTC); to.After(limit) {
		to = limit
	}
	t := from.Add(-margin).In(loc)
	_, offset := t.Zone()
	s := steps{offsets: []int64{int64(offset) * 1e6}}
	for {
		_, end := t.ZoneBounds()
		if end.IsZero() || end.After(to.Add(margin)) {
			return s
		}
		if !end.After(t) { // package time may end a zone at a turn of the year, and begin it there
			end = t.Add(24 * time.Hour)
		}
		t = end
		start, _ := t.ZoneBounds()
		_, offset = t.Zone()
		s.add(start.UnixMicro()+int64(offset)*1e6, int64(offset)*1e6)
	}
}

// add appends a step; steps that a later one overtakes never hold.
func (s *steps) add(at, offset int64) {
	for n := len(s.at); n > 0 && s.at[n-1] >= at; n-- {
		s.at, s.offsets = s.at[:n-1], s.offsets[:n]
	}
	if s.offsets[len(s.offsets)-1] != offset {
		s.at, s.offsets = append(s.at, at), append(s.offsets, offset)
	}
}

// interval is [from, to) of civil times.
type interval struct{ from, to int64 }

// within are the civil times whose instants lie in [from, to).
func (s steps) within(from, to int64) []interval {
	var out []interval
	for i, offset := range s.offsets {
		x := interval{from + offset, to + offset}
		if i > 0 {
			x.from = max(x.from, s.at[i-1])
		}
		if i < len(s.at) {
			x.to = min(x.to, s.at[i])
		}
		switch n := len(out); {
		case x.from >= x.to:
		case n > 0 && out[n-1].to == x.from:
			out[n-1].to = x.to
		default:
			out = append(out, x)
		}
	}
	return out
}

// instant is the civil time, an expression in microseconds, as an instant.
func (s steps) instant(civil sqlgen.SQL) sqlgen.SQL {
	if len(s.at) == 0 {
		return minus(civil, s.offsets[0])
	}
	return sqlgen.Format("(%s - CAST(ELT(1 + INTERVAL(%s, "+numbers(s.at)+"), "+numbers(s.offsets)+") AS SIGNED))", civil, civil)
}

func minus(v sqlgen.SQL, n int64) sqlgen.SQL {
	if n == 0 {
		return v
	}
	return sqlgen.Format(fmt.Sprintf("(%%s - (%d))", n), v)
}

func numbers(list []int64) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(out, ", ")
}

// dayMicros is a day without transitions.
const dayMicros = 86_400_000_000

// daysOf are the steps of whole days: a day starts where its civil date does.
// at is in days since 1970.
func daysOf(loc *time.Location, from, to time.Time) steps {
	civil := stepsOf(loc, from, to)
	first := from.Add(-margin).UnixMicro()/dayMicros - 2
	s := steps{offsets: []int64{first*dayMicros - startOf(first, loc)}}
	for _, at := range civil.at {
		for day := at/dayMicros - 2; day <= at/dayMicros+2; day++ {
			s.add(day, day*dayMicros-startOf(day, loc))
		}
	}
	return s
}

// startOf is the first instant of a day since 1970.
func startOf(day int64, loc *time.Location) int64 {
	t := time.Unix(day*86400, 0).UTC()
	y, m, d := t.Date()
	return calendar.StartOfDay(calendar.Date{Year: y, Month: m, Day: d}, loc).UnixMicro()
}

// firstDay is the first day that starts at or after the instant.
func firstDay(micros int64, loc *time.Location) int64 {
	day := micros/dayMicros - 4
	for startOf(day, loc) < micros {
		day++
	}
	return day
}
