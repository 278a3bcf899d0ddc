package calendar

import "time"

// offsetSpan is the widest change of a zone's offset: those in use on earth go
// from -12:00 to +14:00.
const offsetSpan = 26 * time.Hour

const day = 24 * time.Hour

// Longer reports whether p can end later than q for some start. Calendar
// periods are compared from every day of the Gregorian cycle: 12 months are
// longer than 365 days, and 366 days are longer than 12 months. Exact against
// calendar periods, any zone may be meant, so a doubt counts as longer.
func (p Period) Longer(q Period) bool {
	switch {
	case p.IsZero() || q.IsZero():
		return false
	case p.Exact() && q.Exact():
		return p.Duration() > q.Duration()
	case p.Exact():
		return p.Duration() > q.shortest()
	case q.Exact():
		return p.longest() > q.Duration()
	case p.months() == q.months():
		return p.days() > q.days()
	}
	return longerFromSomeDay(p, q)
}

func longerFromSomeDay(p, q Period) bool {
	found := false
	eachStart(func(d Date) bool {
		found = q.add(d).Before(p.add(d))
		return !found
	})
	return found
}

// eachStart visits start days of the 400-year cycle until f returns false. Days
// 1 to 28 of a month are never clamped, so the first stands for them all.
func eachStart(f func(Date) bool) {
	for m := range 400 * 12 {
		first := Date{2000 + m/12, time.Month(m%12) + 1, 1}
		for _, n := range [...]int{1, 29, 30, 31} {
			if n <= monthLength(first.Year, first.Month) && !f(Date{first.Year, first.Month, n}) {
				return
			}
		}
	}
}

// shortest is a lower bound of the time that calendar period p takes: from the
// last instant of a day, in a zone that skips one.
func (p Period) shortest() time.Duration {
	low := int64(1 << 62)
	eachStart(func(d Date) bool {
		low = min(low, p.add(d).number()-d.number())
		return true
	})
	return max(0, time.Duration(low)*day-offsetSpan)
}

// longest is an upper bound: from the first instant of a day, in a zone that
// repeats one.
func (p Period) longest() time.Duration {
	var high int64
	eachStart(func(d Date) bool {
		high = max(high, p.add(d).number()-d.number())
		return true
	})
	return time.Duration(high+1)*day + offsetSpan
}
