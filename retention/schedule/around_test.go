package schedule

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The last slot up to an instant is the last of those that the daemon fires.
func TestPrevIsTheLastSlot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		s, err := Parse(drawCron(t).text, loc)
		if err != nil {
			t.Fatal(err)
		}
		until := time.Unix(rapid.Int64Range(1_600_000_000, 1_800_000_000).Draw(t, "until"), 0).UTC()
		got := s.Prev(until)
		if got.IsZero() {
			if next := s.Next(until.AddDate(-farthest, 0, 0)); !next.IsZero() && !next.After(until) {
				t.Fatalf("no slot up to %s, and there is %s", until, next)
			}
			return
		}
		if next := s.Next(got); got.After(until) || !next.IsZero() && !next.After(until) {
			t.Fatalf("%s is the last slot up to %s, and the next is %s", got, until, next)
		}
		if again := s.Next(got.Add(-time.Second)); !again.Equal(got) {
			t.Fatalf("%s is no slot: it would be %s", got, again)
		}
	})
}

// On a day whose clocks skip a slot's time the slot is there all the same, and pauses
// are as long as they are in fact.
func TestAroundDaysOfChange(t *testing.T) {
	t.Parallel()
	paris := zone(t, "Europe/Paris")
	for _, c := range []struct {
		expr, now, prev string
		from            string
		widest          time.Duration
	}{
		{"30 2 * * *", "2026-03-29T10:00:00Z", "2026-03-29T01:00:00Z", "2026-03-20T00:00:00Z", 25 * time.Hour},
		{"30 2 * * *", "2026-10-25T10:00:00Z", "2026-10-25T00:30:00Z", "2026-10-20T00:00:00Z", 25 * time.Hour},
		{"0 6 1 * *", "2026-03-29T10:00:00Z", "2026-03-01T05:00:00Z", "2026-01-02T00:00:00Z", 31*24*time.Hour + time.Hour},
		{"0 0 29 2 *", "2027-05-01T00:00:00Z", "2024-02-28T23:00:00Z", "2026-01-01T00:00:00Z", 4*365*24*time.Hour + 24*time.Hour},
		{"* * * * *", "2026-10-25T00:59:59Z", "2026-10-25T00:59:00Z", "2026-10-25T00:00:00Z", time.Minute},
	} {
		s, err := Parse(c.expr, paris)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Prev(at(t, c.now)).Format(time.RFC3339); got != c.prev {
			t.Errorf("%s: the last slot up to %s is %s, want %s", c.expr, c.now, got, c.prev)
		}
		if got := s.WidestGap(at(t, c.from)); got != c.widest {
			t.Errorf("%s: the widest gap is %s, want %s", c.expr, got, c.widest)
		}
	}
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
