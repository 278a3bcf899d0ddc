package vault

import (
	"slices"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// TestSpellingsOfOnePerson: what some database takes for one has a digest in common,
// and other persons have not.
func TestSpellingsOfOnePerson(t *testing.T) {
	v := &Vault{secret: []byte("a key")}
	for _, x := range []struct {
		a, b string
		same bool
	}{
		{"ΠΑΠΑΣ", "παπας", true}, {"παπασ", "παπας", true}, {"たなか", "タナカ", true}, {"x٤٢", "X42", true}, {"४२", "42", true}, {"ħal", "HAL", true},
		{"straße", "STRASSE", true}, {"strase", "straße", true}, {"Å", "aa", true}, {"Müller", "mueller", true}, {"😀", "😂", true}, {"𝐀da", "ada", true},
		{"042", "42", true}, {"1e2", "100", true}, {"6F-aa", "0x6faa", true},
		{"42", "43", false}, {"11", "1", false}, {"100", "10", false}, {"ada", "ida", false}, {"παπας", "παππα", false}, {"田中", "山田", false}, {"a1", "a2", false},
	} {
		b := v.Digests("person", x.b)
		got := slices.ContainsFunc(v.Digests("person", x.a), func(n uint64) bool { return slices.Contains(b, n) })
		if got != x.same || sameID(x.a, x.b) != x.same {
			t.Errorf("%q and %q: %t, want %t", x.a, x.b, got, x.same)
		}
	}
}

// TestOlderIndexMayBeAboutAnybody: a segment whose index was made by other rules may
// have rows of whoever is asked for.
func TestOlderIndexMayBeAboutAnybody(t *testing.T) {
	v := &Vault{secret: []byte("a key")}
	s := &retention.Segment{About: v.Digests("person", "1")}
	for loose, want := range map[bool]bool{false: false, true: true} {
		if s.Loose = loose; s.MayBeAbout(v.Digests("person", "2")) != want || !s.MayBeAbout(v.Digests("person", "1")) {
			t.Errorf("loose %t: person 2 may be in the segment: %t", loose, !want)
		}
	}
}
