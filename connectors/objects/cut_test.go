package objects

import (
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// A time whose offset the expression leaves out is not read in another zone (L2).
func TestDatesBeforeTheirOffset(t *testing.T) {
	for match, of := range map[string]map[string]string{
		`(?P<at>\d{8}T\d{6})`: {
			"20240101T000000+0200": "?", "20240101T000000+02:00.log": "?", "20240101T000000+02": "?", "20240101T000000-0500.gz": "?", "20240101T000000-05": "?",
			"20240101T000000Z": "?", "20240101T000000z.log": "?", "20240101T000000.123+0200": "?", "20240101T000000.123Z": "?",
			"20240101T000000": "2024-01-01T00:00:00", "20240101T000000.log": "2024-01-01T00:00:00", "20240101T000000-1.log": "2024-01-01T00:00:00",
			"20240101T000000-123.log": "2024-01-01T00:00:00", "20240101T000000Zebra": "2024-01-01T00:00:00", "20240101T000000-17": "2024-01-01T00:00:00", "20240101T000000.123.log": "2024-01-01T00:00:00",
		},
		`^(?P<at>\d{8})`: {
			"20240101T233000-0500": "?", "20240101-2330Z": "?", "20240101T23:30:00+02:00": "?", "20240101_233000-05": "?",
			"20240101": "2024-01-01", "20240101.log": "2024-01-01", "20240101-01.log": "2024-01-01", "20240101T233000.log": "2024-01-01", "20240101-x": "2024-01-01",
		},
		`(?P<at>\d{8}T\d{6})-\d\d\.log$`:      {"20240101T000000-05.log": "2024-01-01T00:00:00"}, // a number, the expression says
		`(?P<at>\d{8}T\d{6}).*\.log$`:         {"20240101T000000-0500.log": "?", "20240101T000000+02.log": "?"},
		`(?P<at>\d{8}T\d{6}(?:[+-]\d{4}|Z)?)`: {"20240101T000000+0200": "2024-01-01T00:00:00+02:00", "20240101T000000Z": "2024-01-01T00:00:00Z", "20240101T000000": "2024-01-01T00:00:00"},
	} {
		s, err := newSets([]retention.Files{{Pattern: "*", Columns: []retention.FileColumn{{Name: "c", Match: match, Clock: true}}}})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range of {
			if got := s[0].columns[0].of(name); got != want {
				t.Errorf("%s of %q: %v, want %v", match, name, got, want)
			}
		}
	}
}
