package objects

import (
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// What some database takes for one person is one, once it cannot be asked any more; a
// hold on another keeps nothing (L3).
func TestFilesAreKeptInEverySpelling(t *testing.T) {
	t.Parallel()
	f := &retention.OwnedFiles{Dataset: "p/docs", Datasets: []string{"p/cases"}, Tables: []string{"docs", "cases"}}
	for held, of := range map[string]string{
		"jose nunez": "José Núñez", "STRASSE": "straße", "ada ": "Ada", "042": "42", "7.0": "7", "+7": "7", "12345678901234567890.0": "12345678901234567890",
		"A0EEBC999C0B4EF8BB6D6BB9BD380A11": "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
	} {
		k := keepingBy(&retention.HoldSet{Subjects: map[string][]string{"person": {"zoe", held}}})
		if !k.held(f, map[string][]string{"person": {"bob", of}}) {
			t.Errorf("a hold on %q does not keep what is about %q", held, of)
		}
		if k.held(f, map[string][]string{"person": {"bob"}, "other": {of}}) {
			t.Errorf("a hold on %q keeps what is about another", held)
		}
	}
	for _, c := range []struct {
		s    retention.ScopedHold
		kept bool
	}{
		{retention.ScopedHold{Dataset: "p/docs"}, true}, {retention.ScopedHold{Dataset: "p/cases"}, true}, {retention.ScopedHold{Dataset: "p/renamed", Table: retention.TableName{Schema: "s", Name: "CASES"}}, true},
		{retention.ScopedHold{Dataset: "p/others", Table: retention.TableName{Name: "others"}}, false},
		{retention.ScopedHold{Dataset: "p/cases", Subjects: map[string][]string{"person": {"BOB"}}}, true}, {retention.ScopedHold{Dataset: "p/cases", Subjects: map[string][]string{"person": {"zoe"}}}, false},
	} {
		if got := keepingBy(&retention.HoldSet{Named: []retention.ScopedHold{c.s}}).held(f, map[string][]string{"person": {"bob"}}); got != c.kept {
			t.Errorf("%+v keeps: %t", c.s, got)
		}
	}
	if !keepingBy(nil).held(f, nil) {
		t.Error("holds that cannot be read keep nothing")
	}
}
