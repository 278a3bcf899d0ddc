package main

import (
	"testing"
	"time"
)

func TestParseAsOf(t *testing.T) {
	now := time.Date(2026, 5, 4, 8, 30, 15, 900, time.UTC)
	a := &app{now: func() time.Time { return now }}
	tests := []struct{ in, want string }{
		{"", "0001-01-01T00:00:00Z"},
		{"2026-01-31", "2026-01-31T12:00:00Z"},
		{"2027-01-31", "2027-01-31T12:00:00Z"},
		{"2026-05-04", "2026-05-04T08:30:15Z"}, // noon is still to come
		{"2026-01-31T01:02:03.999+01:00", "2026-01-31T01:02:03+01:00"},
	}
	for _, tt := range tests {
		got, err := a.parseAsOf(tt.in)
		if err != nil || got.Format(time.RFC3339Nano) != tt.want {
			t.Errorf("parseAsOf(%q) = %v, %v; want %s", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{"today", "2026-13-01", "2026-02-30", "31.01.2026", "2026-01-31 12:00"} {
		if got, err := a.parseAsOf(in); err == nil {
			t.Errorf("parseAsOf(%q) = %v, want an error", in, got)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"": "''", "a/b.yaml": "a/b.yaml", "a b": "'a b'", "l'été": `'l'\''été'`, "$HOME": "'$HOME'", "person:42": "person:42"} {
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}
