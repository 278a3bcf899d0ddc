package schedule

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/retentiond/retentiond/retention/calendar"
)

// Schedule is a cron expression in a zone.
type Schedule struct {
	spec           *cron.SpecSchedule
	zone           *time.Location
	hours, minutes []int
}

// Parse reads a cron expression of five fields, or @daily and its like, as policies
// write it. A zone inside of it, and @every, are refused.
func Parse(expr string, zone *time.Location) (*Schedule, error) {
	if zone == nil {
		return nil, errors.New("a schedule needs a time zone")
	}
	if strings.Contains(expr, "TZ=") {
		return nil, fmt.Errorf("schedule %q: its zone is the policy's, leave it out", expr)
	}
	parsed, err := cron.ParseStandard(expr)
	if err != nil {
		return nil, fmt.Errorf("schedule %q is no cron expression: %w", expr, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("schedule %q has no fixed times: write minute hour day month weekday, or @daily", expr)
	}
	return &Schedule{spec: spec, zone: zone, hours: bits(spec.Hour, 24), minutes: bits(spec.Minute, 60)}, nil
}

func bits(set uint64, n int) (out []int) {
	for i := range n {
		if set&(1<<i) != 0 {
			out = append(out, i)
		}
	}
	return out
}

// anyDay is the bit by which robfig/cron marks a field that was written as *.
const anyDay = 1 << 63

// on reports whether the schedule names that day. As in every cron, day of month
// and weekday are alternatives where both are given.
func (s *Schedule) on(d calendar.Date) bool {
	noon := time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC)
	month, day, weekday := s.spec.Month&(1<<uint(d.Month)) != 0, s.spec.Dom&(1<<uint(d.Day)) != 0, s.spec.Dow&(1<<uint(noon.Weekday())) != 0
	if s.spec.Dom&anyDay != 0 || s.spec.Dow&anyDay != 0 {
		return month && day && weekday
	}
	return month && (day || weekday)
}

// hourly reports whether the schedule names every hour. It then follows the hours
// that pass, and runs in both of those that a fold repeats: a chat that is cleared
// every minute does not wait for an hour. Any other runs once in a fold.
func (s *Schedule) hourly() bool { return len(s.hours) == 24 }

// Slots are the slots after and up to those instants, in order. A time that the
// clocks skip has its slot at the first instant after the gap.
func (s *Schedule) Slots(after, until time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for from := after; from.Before(until); {
			to := from.AddDate(0, 1, 0)
			if to.After(until) {
				to = until
			}
			for _, t := range s.between(from, to) {
				if !yield(t) {
					return
				}
			}
			from = to
		}
	}
}

// between is all slots after and up to those instants, which are not far apart.
func (s *Schedule) between(after, until time.Time) []time.Time {
	const reach = 48 * time.Hour // more than any offset and any gap
	walls := calendar.WallsBetween(after.Add(-reach), until.Add(reach), s.zone)
	var found []int64
	for t := after.UTC().Add(-reach); !t.After(until.Add(reach)); t = t.AddDate(0, 0, 1) {
		d := calendar.DateOf(t, time.UTC)
		if !s.on(d) {
			continue
		}
		for _, h := range s.hours {
			for _, m := range s.minutes {
				at := walls.Instants(d, h, m)
				if len(at) > 1 && !s.hourly() {
					at = at[:1]
				}
				found = append(found, at...)
			}
		}
	}
	slices.Sort(found)
	var out []time.Time
	for _, u := range slices.Compact(found) {
		if t := time.Unix(u, 0).UTC(); t.After(after) && !t.After(until) {
			out = append(out, t)
		}
	}
	return out
}

// farthest is longer than from any slot to its next: the 29th of February can be
// eight years away.
const farthest = 9

// Next is the first slot after that instant; zero: there is none.
func (s *Schedule) Next(after time.Time) time.Time {
	for t := range s.Slots(after, after.Add(48*time.Hour)) {
		return t
	}
	for t := range s.Slots(after, after.AddDate(farthest, 0, 0)) {
		return t
	}
	return time.Time{}
}
