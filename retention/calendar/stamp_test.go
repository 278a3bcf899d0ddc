package calendar

import (
	"testing"
	"time"
)

// ParseStamp and Instant run once for each row of a table.
func TestStampDoesNotAllocate(t *testing.T) {
	loc := mustZone(t, "Europe/Paris")
	for _, s := range []string{"2024-01-31", "2024-07-31 10:00:30.123456", "2024-01-31T10:00:30Z"} {
		n := testing.AllocsPerRun(100, func() {
			st, ok := ParseStamp(s)
			if !ok || st.Instant(loc, loc).IsZero() {
				t.Fatal(s)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", s, n)
		}
	}
}

func BenchmarkStamp(b *testing.B) {
	loc := mustZone(b, "Europe/Paris")
	cutoff := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range []string{"2024-01-31", "2024-07-31 10:00:30", "2024-01-31T10:00:30.123456Z", "not a date"} {
		b.Run(s, func(b *testing.B) {
			for b.Loop() {
				if st, ok := ParseStamp(s); ok {
					_ = st.Instant(loc, loc).Before(cutoff)
				}
			}
		})
	}
}

// What is read is a real time, and package time agrees where it can read it too.
func FuzzParseStamp(f *testing.F) {
	v := readVectors(f).Stamps
	for _, s := range v.Read {
		f.Add(s.Text)
	}
	for _, s := range v.Unreadable {
		f.Add(s)
	}
	loc := mustZone(f, v.Zone)
	f.Fuzz(func(t *testing.T, s string) {
		st, ok := ParseStamp(s)
		std, err := time.Parse(time.RFC3339Nano, s)
		if !ok {
			if st != (Stamp{}) {
				t.Fatalf("%q: refused with %+v", s, st)
			}
			return
		}
		if st.Date.Year < 1 || st.Date.AddDays(0) != st.Date || st.Hour > 23 || st.Min > 59 || st.Sec > 59 || st.Micro > 1_000_000 {
			t.Fatalf("%q: %+v", s, st)
		}
		got := st.Instant(loc, loc)
		if err == nil && (got.Before(std) || got.Sub(std) > time.Microsecond) {
			t.Fatalf("%q: %s, package time says %s", s, got, std)
		}
	})
}
