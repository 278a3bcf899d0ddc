package calendar

import "time"

// never is the last day of a clock without period: unknown harms nobody (L1).
func never() Date { return Date{9999, time.December, 31} }

// Due is the last day of period p from the clock, and the first instant at
// which the row is due. Civil dates are those of loc.
//
// Calendar: the clock's civil date, moved by r, plus p, is the last day; the
// row is due from the start of the next local day on. Exact: the row is due at
// clock + p, and under r at the end of the rounded day + p; the last day is that
// instant's. Without a period it is never due.
func Due(clock time.Time, p Period, loc *time.Location, r Round) (lastDay Date, dueAt time.Time) {
	switch {
	case p.IsZero():
		return never(), StartOfDay(never().AddDays(1), loc)
	case p.Exact():
		if !r.IsZero() {
			clock = StartOfDay(r.up(DateOf(clock, loc)).AddDays(1), loc)
		}
		dueAt = clock.Add(p.Duration()).In(loc)
		return DateOf(dueAt, loc), dueAt
	}
	lastDay = p.add(r.up(DateOf(clock, loc)))
	return lastDay, StartOfDay(lastDay.AddDays(1), loc)
}

// clockStep is the resolution of clocks.
const clockStep = time.Microsecond

// Cutoff is the instant before which exactly those clocks lie that are due at
// asOf: clock < Cutoff(asOf) if and only if Due(clock) <= asOf. asOf is in whole
// seconds, clocks in microseconds. For calendar periods it is the start of a
// local day, and the same for every asOf of one local day. In the few zones
// whose civil date has run backwards, it may be late, never early. Without a
// period it is the zero time, before which no clock is.
func Cutoff(asOf time.Time, p Period, loc *time.Location, r Round) time.Time {
	switch {
	case p.IsZero():
		return time.Time{}
	case p.Exact() && r.IsZero():
		return asOf.Add(-p.Duration()).Add(clockStep).In(loc)
	}
	// today is the day whose start has come for every period that is over.
	today := DateOf(asOf.Add(-p.Duration()), loc)
	last := r.down(p.latest(today.AddDays(-1)))
	return StartOfDay(last.AddDays(1), loc)
}
