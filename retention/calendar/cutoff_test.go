package calendar

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// L2: on every day of 1990-2040, in every zone, for every period, exactly the
// clocks before the cutoff are due, all day long; where the civil date runs
// backwards, none is before the cutoff too early.
func TestCutoffAgreesWithDue(t *testing.T) {
	for _, name := range oracleZones {
		t.Run(name, func(t *testing.T) {
			z := zoneCase{name: name, loc: mustZone(t, name), back: runBack[name]}
			list, _ := oracleDays(z.loc)
			rng := rand.New(rand.NewPCG(1, 2))
			for i, d := range list[:len(list)-1] {
				next := list[i+1].start
				if !d.start.Before(next) {
					continue // a skipped day has no instant
				}
				for _, s := range spans {
					z.checkDay(t, d.start, next, mustCached(t, s.text), Round{}, rng)
				}
				r := rounds(t)[i%4]
				z.checkDay(t, d.start, next, mustCached(t, spans[i%len(spans)].text), r, rng)
				z.checkDay(t, d.start, next, mustCached(t, "36 hours"), r, rng)
			}
		})
	}
}

type zoneCase struct {
	name string
	loc  *time.Location
	back bool
}

// checkDay checks the as-of instants of one local day [start, next).
func (z zoneCase) checkDay(t *testing.T, start, next time.Time, p Period, r Round, rng *rand.Rand) {
	t.Helper()
	first, last := start, next.Add(-time.Second)
	early, late := Cutoff(first, p, z.loc, r), Cutoff(last, p, z.loc, r)
	if !p.Exact() && !z.back && !early.Equal(late) {
		t.Fatalf("%s, %s %s: the set changes during the day: %s and %s", z.name, p, r, early, late)
	}
	z.checkCutoff(t, first, early, p, r, 0)
	z.checkCutoff(t, last, late, p, r, 0)
	if rng.IntN(4) == 0 {
		z.checkCutoff(t, first, early, p, r, time.Duration(rng.Int64N(int64(72*time.Hour)))-36*time.Hour)
	}
}

// checkCutoff checks the clocks just before c and at c, both moved by shift.
func (z zoneCase) checkCutoff(t *testing.T, asOf, c time.Time, p Period, r Round, shift time.Duration) {
	t.Helper()
	shift = shift.Truncate(time.Microsecond)
	for _, clock := range [...]time.Time{c.Add(shift - time.Microsecond), c.Add(shift)} {
		_, dueAt := Due(clock, p, z.loc, r)
		over, before := !dueAt.After(asOf), clock.Before(c)
		if before && !over {
			t.Fatalf("EARLY: %s: clock %s + %s (round %q) is due %s, but selected as of %s by cutoff %s", z.name, clock.In(z.loc), p, r, dueAt, asOf.In(z.loc), c)
		}
		if over && !before && !z.back {
			t.Fatalf("LATE: %s: clock %s + %s (round %q) is due %s, but not selected as of %s by cutoff %s", z.name, clock.In(z.loc), p, r, dueAt, asOf.In(z.loc), c)
		}
	}
}

var cachedPeriods = map[string]Period{}

func mustCached(t *testing.T, s string) Period {
	p, ok := cachedPeriods[s]
	if !ok {
		p = mustPeriod(t, s)
		cachedPeriods[s] = p
	}
	return p
}

func rounds(t testing.TB) [4]Round {
	august, err := BusinessYearEnd(time.August, 31)
	if err != nil {
		t.Fatal(err)
	}
	february, err := BusinessYearEnd(time.February, 28)
	if err != nil {
		t.Fatal(err)
	}
	return [4]Round{MonthEnd(), YearEnd(), august, february}
}

// Where the date has run backwards, the cutoff is late only within the hours
// that are lived twice: at noon it is exact at its own instant.
func TestCutoffIsNotLateAtNoon(t *testing.T) {
	for name := range runBack {
		loc := mustZone(t, name)
		list, _ := oracleDays(loc)
		z := zoneCase{name: name, loc: loc}
		for _, d := range list {
			z.checkCutoff(t, d.start.Add(12*time.Hour), Cutoff(d.start.Add(12*time.Hour), mustCached(t, "13 months"), loc, Round{}), mustCached(t, "13 months"), Round{}, 0)
		}
	}
}

// Any period, round, zone and clock near the cutoff.
func TestCutoffProperty(t *testing.T) {
	rs := append([]Round{{}}, func() []Round { r := rounds(t); return r[:] }()...)
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(oracleZones).Draw(rt, "zone")
		loc := mustZone(t, name)
		r := rapid.SampledFrom(rs).Draw(rt, "round")
		p := drawPeriod(rt)
		asOf := time.Unix(rapid.Int64Range(631152000, 2240611200).Draw(rt, "as_of"), 0)
		c := Cutoff(asOf, p, loc, r)
		clock := c.Add(time.Duration(rapid.Int64Range(-4e11, 4e11).Draw(rt, "micros")) * time.Microsecond)
		_, dueAt := Due(clock, p, loc, r)
		over, before := !dueAt.After(asOf), clock.Before(c)
		if before && !over || over && !before && !runBack[name] {
			rt.Fatalf("%s as of %s, %s (round %q): clock %s due %s, cutoff %s", name, asOf.In(loc), p, r, clock.In(loc), dueAt, c)
		}
	})
}

func drawPeriod(rt *rapid.T) Period {
	n := func(label string, most int64) int64 { return rapid.Int64Range(0, most).Draw(rt, label) }
	p := Period{kind: calendarPeriod}
	if rapid.Bool().Draw(rt, "exact") {
		p.kind = exactPeriod
		p.n[hours], p.n[minutes], p.n[seconds] = n("hours", 100_000), n("minutes", 100), n("seconds", 100)
		return p
	}
	p.n[years], p.n[months], p.n[weeks], p.n[days] = n("years", 60), n("months", 40), n("weeks", 60), n("days", 800)
	return p
}

// A row without period is never due (L1).
func TestNoPeriodIsNeverDue(t *testing.T) {
	loc := mustZone(t, "Europe/Paris")
	clock := time.Date(1990, 1, 1, 0, 0, 0, 0, loc)
	if last, due := Due(clock, Period{}, loc, YearEnd()); last.Year != 9999 || due.Year() != 10000 {
		t.Errorf("last day %s, due %s", last, due)
	}
	if c := Cutoff(time.Date(2040, 1, 1, 0, 0, 0, 0, loc), Period{}, loc, Round{}); !c.IsZero() {
		t.Errorf("cutoff %s", c)
	}
}
