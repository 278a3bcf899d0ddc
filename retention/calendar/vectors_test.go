package calendar

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
)

// vectors is testdata/calendar.json, which other packages read as well.
type vectors struct {
	Due []struct {
		Zone, Period, Round string
		Clock               time.Time
		LastDay             string    `json:"last_day"`
		DueAt               time.Time `json:"due_at"`
	}
	Cutoffs []struct {
		Zone, Period, Round string
		AsOf                time.Time `json:"as_of"`
		Cutoff              time.Time
	}
	Accepted []struct{ Text, English, ISO, French string }
	Refused  []struct{ Text, Why string }
	Stamps   struct {
		Zone       string
		Read       []struct{ Text, Instant string }
		Unreadable []string
	}
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	b, err := os.ReadFile("../../testdata/calendar.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Due) == 0 || len(v.Cutoffs) == 0 || len(v.Accepted) == 0 || len(v.Refused) == 0 ||
		len(v.Stamps.Read) == 0 || len(v.Stamps.Unreadable) == 0 {
		t.Fatal("a table of testdata/calendar.json is empty")
	}
	return v
}

func mustZone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func mustPeriod(t testing.TB, s string) Period {
	t.Helper()
	p, err := ParsePeriod(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustRound(t testing.TB, s string) Round {
	t.Helper()
	if s == "" {
		return Round{}
	}
	r, err := ParseRound(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDueVectors(t *testing.T) {
	for _, v := range readVectors(t).Due {
		loc, p, r := mustZone(t, v.Zone), mustPeriod(t, v.Period), mustRound(t, v.Round)
		last, due := Due(v.Clock, p, loc, r)
		if last.String() != v.LastDay || !due.Equal(v.DueAt) {
			t.Errorf("%s %s %s %s: got %s, due %s; want %s, due %s", v.Zone, v.Clock, v.Period, v.Round, last, due, v.LastDay, v.DueAt)
		}
		if c := Cutoff(due, p, loc, r); !v.Clock.Before(c) {
			t.Errorf("%s %s %s: due at %s, but not before its cutoff %s", v.Zone, v.Clock, v.Period, due, c)
		}
		if c := Cutoff(due.Add(-time.Second), p, loc, r); v.Clock.Before(c) {
			t.Errorf("%s %s %s: before the cutoff %s a second early", v.Zone, v.Clock, v.Period, c)
		}
	}
}

func TestCutoffVectors(t *testing.T) {
	for _, v := range readVectors(t).Cutoffs {
		got := Cutoff(v.AsOf, mustPeriod(t, v.Period), mustZone(t, v.Zone), mustRound(t, v.Round))
		if !got.Equal(v.Cutoff) {
			t.Errorf("%s as of %s, %s %s: cutoff %s, want %s", v.Zone, v.AsOf, v.Period, v.Round, got, v.Cutoff)
		}
	}
}

func TestPeriodsAccepted(t *testing.T) {
	for _, v := range readVectors(t).Accepted {
		p, err := ParsePeriod(v.Text)
		if err != nil {
			t.Error(err)
			continue
		}
		got := []string{p.String(), p.ISO(), p.French()}
		if d := cmp.Diff([]string{v.English, v.ISO, v.French}, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", v.Text, d)
		}
		for _, s := range got {
			if back, err := ParsePeriod(s); err != nil || back != p {
				t.Errorf("%q: written as %q, read back as %v, %v", v.Text, s, back, err)
			}
		}
	}
}

func TestPeriodsRefused(t *testing.T) {
	for _, v := range readVectors(t).Refused {
		p, err := ParsePeriod(v.Text)
		if err == nil {
			t.Errorf("%q was read as %s", v.Text, p)
			continue
		}
		if !p.IsZero() || !strings.Contains(err.Error(), v.Why) {
			t.Errorf("%q: %v; want an error with %q", v.Text, err, v.Why)
		}
	}
}

func TestStampVectors(t *testing.T) {
	v := readVectors(t).Stamps
	loc := mustZone(t, v.Zone)
	for _, s := range v.Read {
		st, ok := ParseStamp(s.Text)
		want, err := time.Parse(time.RFC3339Nano, s.Instant)
		if err != nil {
			t.Fatal(err)
		}
		if got := st.Instant(loc, loc); !ok || !got.Equal(want) {
			t.Errorf("%q: %v %s, want %s", s.Text, ok, got, want)
		}
	}
	for _, s := range v.Unreadable {
		if st, ok := ParseStamp(s); ok {
			t.Errorf("%q was read as %+v", s, st)
		}
	}
}
