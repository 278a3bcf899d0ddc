package main

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDay(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		at   time.Time
		want string
	}{
		{time.Time{}, ""},
		{time.Date(2025, 2, 28, 23, 0, 0, 0, time.UTC), "2025-03-01"},
		{time.Date(2025, 2, 28, 23, 1, 0, 0, time.UTC), "2025-03-01 00:01 CET"},
	}
	for _, tt := range tests {
		if got := day(tt.at, paris); got != tt.want {
			t.Errorf("day(%v) = %q, want %q", tt.at, got, tt.want)
		}
	}
}

func TestGridLeavesEmptyColumnsOut(t *testing.T) {
	var b bytes.Buffer
	p := &printer{w: &b}
	g := &grid{cols: []gridColumn{col("rule"), num("due"), numOpt("held"), colOpt("why")}}
	g.add("a", "1,000", "0", "")
	g.add("bb", "2", "0", "")
	p.grid(g)
	want := "rule    due\n─────────────\na     1,000\nbb        2\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestColourOnlyWhereAsked(t *testing.T) {
	if got := (&printer{}).paint(red, "x"); got != "x" {
		t.Errorf("without colour: %q", got)
	}
	if got := (&printer{colour: true}).paint(red, "x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("with colour: %q", got)
	}
	a := newApp(streams{Env: []string{"NO_COLOR=1"}})
	if a.colour(&bytes.Buffer{}) {
		t.Error("a buffer is no terminal")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// A result that could not be written is an error, not a success.
func TestWriteErrorIsKept(t *testing.T) {
	p := &printer{w: full{}}
	p.line("x")
	p.line("y")
	if p.err == nil {
		t.Error("no error")
	}
	a := newApp(streams{Out: full{}})
	if err := a.document(1); err == nil {
		t.Error("no error of a document")
	}
}

func TestSentence(t *testing.T) {
	for in, want := range map[string]string{"": "", "the end": "The end.", "The end.": "The end.", "été": "Été."} {
		if got := sentence(in); got != want {
			t.Errorf("sentence(%q) = %q, want %q", in, got, want)
		}
	}
}
