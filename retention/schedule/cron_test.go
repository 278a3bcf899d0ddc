package schedule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/retentiond/retentiond/retention/calendar"
)

// zones are those with clocks that do what clocks elsewhere do not.
var zones = []string{"Europe/Paris", "UTC", "America/Havana", "America/Santiago", "Asia/Beirut", "Pacific/Apia", "Pacific/Kiritimati",
	"America/Sao_Paulo", "Atlantic/Azores", "America/St_Johns", "America/Moncton", "America/Goose_Bay", "Antarctica/Casey", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "Antarctica/Troll", "America/New_York"}

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	loc, err := calendar.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// field is one field of a cron expression, read by the oracle with a plain list of
// values; nil is any.
type field struct {
	text   string
	values []int
}

func (f field) has(n int) bool { return f.values == nil || slices.Contains(f.values, n) }

func drawField(t *rapid.T, what string, low, high int) field {
	switch rapid.IntRange(0, 3).Draw(t, what) {
	case 0:
		n := rapid.IntRange(low, high).Draw(t, what+" value")
		return field{fmt.Sprint(n), []int{n}}
	case 1:
		step := rapid.IntRange(2, 7).Draw(t, what+" step")
		f := field{text: fmt.Sprintf("*/%d", step)}
		for n := low; n <= high; n += step {
			f.values = append(f.values, n)
		}
		return f
	}
	return field{text: "*"}
}

// cronCase is a cron expression as the oracle understands it.
type cronCase struct {
	text                       string
	minute, hour, dom, mon, dw field
}

func drawCron(t *rapid.T) cronCase {
	c := cronCase{minute: drawField(t, "minute", 0, 59), hour: drawField(t, "hour", 0, 23), dom: field{text: "*"}, mon: field{text: "*"}, dw: field{text: "*"}}
	if rapid.Bool().Draw(t, "days") {
		c.dom, c.dw = drawField(t, "day", 1, 31), drawField(t, "weekday", 0, 6)
	}
	c.text = strings.Join([]string{c.minute.text, c.hour.text, c.dom.text, c.mon.text, c.dw.text}, " ")
	return c
}

// at reports whether clocks that show this time of a civil day mean a slot.
func (c cronCase) at(civil time.Time) bool {
	day := c.dom.has(civil.Day()) && c.dw.has(int(civil.Weekday()))
	if c.dom.text != "*" && c.dw.text != "*" {
		day = c.dom.has(civil.Day()) || c.dw.has(int(civil.Weekday()))
	}
	return day && c.minute.has(civil.Minute()) && c.hour.has(civil.Hour())
}

// civilOf is what the clocks of the zone show, written as if it were UTC.
func civilOf(t time.Time, loc *time.Location) time.Time {
	l := t.In(loc)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
}

// walk goes minute by minute and looks at the clock: minutes that it jumps over are
// had at once, those that it shows again were had, unless every hour counts.
func (c cronCase) walk(loc *time.Location, after, until time.Time) (out []time.Time) {
	every := c.hour.values == nil || len(c.hour.values) == 24
	start := after.Truncate(time.Minute).Add(-72 * time.Hour)
	shown := civilOf(start, loc)
	last := shown
	for t := start.Add(time.Minute); !t.After(until); t = t.Add(time.Minute) {
		now := civilOf(t, loc)
		slot := false
		for m := last.Add(time.Minute); !m.After(now); m = m.Add(time.Minute) {
			slot = slot || c.at(m) && (every || m.After(shown))
		}
		if now.Before(last) {
			slot = every && c.at(now)
		}
		if now.After(shown) {
			shown = now
		}
		if last = now; slot && t.After(after) {
			out = append(out, t.UTC())
		}
	}
	return out
}

// Slots are those that somebody sees who looks at the clock every minute.
func TestSlotsAgainstTheClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		c := drawCron(t)
		s, err := Parse(c.text, loc)
		if err != nil {
			t.Fatal(err)
		}
		after := near(t, loc)
		until := after.Add(time.Duration(rapid.IntRange(1, 4*24*60).Draw(t, "minutes")) * time.Minute)
		got, want := slices.Collect(s.Slots(after, until)), c.walk(loc, after, until)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s in %s after %s: %s", c.text, loc, after, diff)
		}
		if len(want) > 0 && !s.Next(after).Equal(want[0]) {
			t.Fatalf("%s in %s: next after %s is %s, want %s", c.text, loc, after, s.Next(after), want[0])
		}
	})
}

// near draws an instant, as a rule close to a change of the clocks.
func near(t *rapid.T, loc *time.Location) time.Time {
	base := time.Date(rapid.IntRange(1996, 2039).Draw(t, "year"), time.January, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 525_000).Draw(t, "minute")) * time.Minute)
	if _, end := base.In(loc).ZoneBounds(); !end.IsZero() && end.Year() < 2040 && rapid.IntRange(0, 4).Draw(t, "near") > 0 {
		base = end.UTC().Add(-time.Duration(rapid.IntRange(0, 3*24*60).Draw(t, "before")) * time.Minute)
	}
	return base
}

// The days on which clocks change, by hand.
func TestSlotsOnDaysOfChange(t *testing.T) {
	for _, tt := range []struct{ zone, cron, day, want string }{
		{"Europe/Paris", "30 2 * * *", "2026-03-29", "2026-03-29T03:00:00+02:00"},        // the gap
		{"Europe/Paris", "30 2 * * *", "2026-10-25", "2026-10-25T02:30:00+02:00"},        // the fold, once
		{"Europe/Paris", "15,45 2 * * *", "2026-03-29", "2026-03-29T03:00:00+02:00"},     // two of a gap are one
		{"Europe/Paris", "0 2,3 * * *", "2026-03-29", "2026-03-29T03:00:00+02:00"},       // and one with what follows
		{"Europe/Paris", "@daily", "2026-03-29", "2026-03-29T00:00:00+01:00"},            // untouched
		{"America/Havana", "@daily", "2026-03-08", "2026-03-08T01:00:00-04:00"},          // no midnight
		{"America/Havana", "0 0 * * *", "2026-11-01", "2026-11-01T00:00:00-04:00"},       // two midnights
		{"Pacific/Apia", "30 2 30 12 *", "2011-12-31", "2011-12-31T00:00:00+14:00"},      // no such day
		{"Europe/Paris", "0 12 29 2 *", "2028-02-29", "2028-02-29T12:00:00+01:00"},       // every four years
		{"Australia/Lord_Howe", "15 2 * * *", "2026-10-04", "2026-10-04T02:30:00+11:00"}, // half an hour's gap
		{"Europe/Paris", "0 4 1 * 1", "2026-11-30", "2026-11-30T04:00:00+01:00"},         // a Monday, not the first
		{"America/St_Johns", "30 23 * * *", "2006-10-28", "2006-10-28T23:30:00-02:30"},   // the date runs backwards
		{"Europe/Paris", "*/30 * * * *", "2026-10-25 02", "2026-10-25T02:00:00+02:00 2026-10-25T02:30:00+02:00 2026-10-25T02:00:00+01:00 2026-10-25T02:30:00+01:00"},
	} {
		loc := zone(t, tt.zone)
		s, err := Parse(tt.cron, loc)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.Parse(time.DateOnly, tt.day[:10])
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for at := range s.Slots(day.Add(-48*time.Hour), day.Add(72*time.Hour)) {
			if l := at.In(loc).Format(time.RFC3339); strings.HasPrefix(strings.Replace(l, "T", " ", 1), tt.day) {
				got = append(got, l)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s %s on %s: %v, want %s", tt.zone, tt.cron, tt.day, got, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{"", "* * * *", "61 * * * *", "@every 5m", "CRON_TZ=UTC 0 0 * * *", "TZ=UTC 0 0 * * *", "@reboot", "0 0 0 * * *"} {
		if _, err := Parse(bad, time.UTC); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	if _, err := Parse("@daily", nil); err == nil {
		t.Error("a schedule without a zone was read")
	}
}
