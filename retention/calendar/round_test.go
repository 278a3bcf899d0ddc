package calendar

import (
	"testing"
	"time"
)

// up is the first end on or after each day, down the last on or before it.
func TestRoundMovesToTheNearestEnd(t *testing.T) {
	isEnd := map[string]func(Date) bool{
		"month-end":      func(d Date) bool { return oracleNext(d).Day == 1 },
		"year-end":       func(d Date) bool { return d.Month == 12 && d.Day == 31 },
		"year-end 08-31": func(d Date) bool { return d.Month == 8 && d.Day == 31 },
		"year-end 02-29": func(d Date) bool { return d.Month == 2 && oracleNext(d).Day == 1 },
	}
	for text, end := range isEnd {
		r := mustRound(t, text)
		if r.String() != text || r.IsZero() {
			t.Errorf("%s is written %q", text, r)
		}
		last := r.down(Date{2022, 12, 31})
		for d := (Date{2023, 1, 1}); d.Year < 2029; d = oracleNext(d) {
			up := d
			for !end(up) {
				up = oracleNext(up)
			}
			if end(d) {
				last = d
			}
			if r.up(d) != up || r.down(d) != last {
				t.Fatalf("%s: %s goes up to %s and down to %s, want %s and %s", r, d, r.up(d), r.down(d), up, last)
			}
		}
	}
}

func TestRoundRefused(t *testing.T) {
	for _, s := range []string{"", "month", "Month-end", "year-end 8-31", "year-end 13-01", "year-end 04-31", "year-end 02-30", "year-end 00-10", "year-end 01-00", "year-end 08-31 ", "year-end 0a-31"} {
		if r, err := ParseRound(s); err == nil || !r.IsZero() {
			t.Errorf("%q was read as %q", s, r)
		}
	}
	if r, err := BusinessYearEnd(time.December, 31); err != nil || r != YearEnd() {
		t.Errorf("31 December: %q, %v", r, err)
	}
}

func TestDate(t *testing.T) {
	for d, n := (Date{1, 1, 1}), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC); d.Year < 2500; d, n = oracleNext(d), n.AddDate(0, 0, 1) {
		if got := (Date{1, 1, 1}).AddDays(int(n.Unix()/86400) + 719162); got != d || d.number() != n.Unix()/86400 {
			t.Fatalf("%s: %s, day %d", d, got, d.number())
		}
	}
	if d, err := ParseDate("2024-02-29"); err != nil || d.String() != "2024-02-29" {
		t.Error(d, err)
	}
	for _, s := range []string{"", "2023-02-29", "2024-2-1", "2024-02-29T", "2024-02-29 ", "0000-01-01", "20240229"} {
		if d, err := ParseDate(s); err == nil || !d.IsZero() {
			t.Errorf("%q was read as %s", s, d)
		}
	}
	a, b := Date{2024, 2, 29}, Date{2024, 3, 1}
	if !a.Before(b) || b.Before(a) || a.Compare(a) != 0 || b.Compare(a) != 1 || a.Compare(b) != -1 {
		t.Error("order")
	}
}
