package schedule

import "time"

// Prev is the last slot up to that instant; zero: there is none.
func (s *Schedule) Prev(until time.Time) (last time.Time) {
	for _, from := range []time.Time{until.Add(-48 * time.Hour), until.AddDate(0, -2, 0), until.AddDate(-farthest, 0, 0)} {
		for t := range s.Slots(from, until) {
			last = t
		}
		if !last.IsZero() {
			break
		}
	}
	return last
}

// manySlots are enough to know the pauses of a schedule that runs often.
const manySlots = 500

// WidestGap is the longest pause between two slots within the year after that instant,
// as far as its first slots tell; 0: there are not two.
func (s *Schedule) WidestGap(after time.Time) (widest time.Duration) {
	for _, until := range []time.Time{after.Add(48 * time.Hour), after.AddDate(1, 0, 0)} {
		n, last := 0, time.Time{}
		for t := range s.Slots(after, until) {
			if n++; n > 1 {
				widest = max(widest, t.Sub(last))
			}
			if last = t; n == manySlots {
				return widest
			}
		}
	}
	if widest == 0 {
		if first := s.Next(after); !first.IsZero() {
			widest = max(0, s.Next(first).Sub(first))
		}
	}
	return widest
}
