package objects

import (
	"slices"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// What is read from a name is a date in full, or it is unreadable (L1).
func TestDatesOfNames(t *testing.T) {
	s, err := newSets([]retention.Files{{Pattern: "*", Columns: []retention.FileColumn{
		{Name: "c", Match: `log-(?P<date>[0-9TZ:._+-]+)`, Clock: true}, {Name: "d", Match: `d/(?P<date>\d{8})`, Clock: true}, {Name: "who", Match: `u(?P<id>\d+)`},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	c, d, who := &s[0].columns[0], &s[0].columns[1], &s[0].columns[2]
	for path, want := range map[string]string{
		"log-20240131": "2024-01-31", "log-2024-01-31": "2024-01-31", "log-2024_01_31": "2024-01-31", "log-20240131T101112Z": "2024-01-31T10:11:12Z",
		"log-2024-01-31T10:11:12": "2024-01-31T10:11:12", "log-20240131-1011": "2024-01-31T10:11:00", "log-20240131101112": "2024-01-31T10:11:12",
		"x/y": "?", "log-": "?", "log-2024": "?", "log-202401311": "?", "log-2024-0131": "?", "log-20240131T1": "?", "log-20240131_": "?",
	} {
		if got := c.of(path); got != want {
			t.Errorf("%q: %v, want %v", path, got, want)
		}
	}
	for s, want := range map[string]string{
		"20251121T2330-05": "2025-11-21T23:30:00-05:00", "20251121T2330-0530": "2025-11-21T23:30:00-05:30", "2025-11-21T23:30:59-05:00": "2025-11-21T23:30:59-05:00",
		"20251121T15-0900": "?", "20251121T15-09": "?", "20251121T23-30": "?", "2025-11-21-23-30-05": "2025-11-21T23:30:05", "2025-11-21T23-30-05-05": "2025-11-21T23:30:05-05:00",
		"20251121T2330+0100": "2025-11-21T23:30:00+01:00", "20251121T23:30": "2025-11-21T23:30:00", "20251121T23_30_05z": "2025-11-21T23:30:05Z", "20251121T23.30-05": "2025-11-21T23:30:00-05:00",
		"20251121T2330-": "?", "20251121T2330-5": "?", "20251121T2330--05": "?", "20251121T23:30_05": "?", "20251121T2330-05-00": "?", "20251121T2330-050000": "?", "20251121T233-005": "?", "20251121-05:00": "2025-11-21T05:00:00",
	} {
		if got := isoOf(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
	for path, want := range map[string]string{"d/20240131.gz": "2024-01-31", "d/202401311.gz": "?", "e/20240131.gz": "?"} {
		if got := d.of(path); got != want {
			t.Errorf("%q: %v, want %v", path, got, want)
		}
	}
	if who.of("a/u42-x") != "42" || who.of("u42/x") != nil {
		t.Errorf("subjects are %v and %v", who.of("a/u42-x"), who.of("u42/x"))
	}
	if seconds(Object{Nanos: 1}) != 1 || seconds(Object{}) != 0 || seconds(Object{Nanos: -1}) != 0 || told(int64(1), true) != int64(1) || told(int64(1000), true) != int64(1) {
		t.Error("a clock is rounded down: a file would be due early")
	}
}

func TestPatterns(t *testing.T) {
	for pattern, paths := range map[string]map[string]bool{
		"a/*.log":     {"a/x.log": true, "a/b/x.log": false, "x.log": false, "A/x.log": false},
		"**/*.log":    {"a/x.log": true, "a/b/x.log": true, "x.log": true, "x.logs": false},
		"a/**/b/x?":   {"a/b/x1": true, "a/c/d/b/x1": true, "a/b/c/x1": false, "b/x1": false},
		"a*/[0-9]*":   {"ab/1": true, "a/x": false, "a/b/1": false},
		"x.log-\xff*": {"x.log-\xff1": true, "x.log-1": false},
	} {
		p := ParsePatterns([]string{pattern})
		for path, want := range paths {
			if got := slices.Equal(p.Matching(path), []int{0}); got != want {
				t.Errorf("%q matches %q: %t", pattern, path, got)
			}
		}
	}
	p := ParsePatterns([]string{"a/**/b/*", "c/d"})
	for dir, want := range map[string]bool{"a": true, "c": true, "b": false} {
		if got := p.In("").Enters(dir); got != want {
			t.Errorf("enters %q: %t", dir, got)
		}
	}
	if p.In("c").Enters("d") || !p.In("a/x").Enters("y") {
		t.Error("it enters where nothing can match, or not where something can")
	}
	if Prefix("a/b*/c") != "a/" || Prefix("a/b") != "a/b" || Prefix("*") != "" {
		t.Error("prefixes")
	}
	if quote("aB") == quote("Ab") || quote("^a") == quote("A") || quote(`a"b`) != `"a""b"` {
		t.Error("two names are one")
	}
}
