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
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1", true}, {"2001:0db8:0:0::0:1", "2001:db8::1", true}, {"10.0.0.7/32", "10.0.0.7", true},
		{"10.0.0.7", "10.0.0.7/24", true}, {"::ffff:a00:9", "::ffff:10.0.0.9", true}, {"::ffff:10.0.0.9", "10.0.0.9", true}, {"::FFFF:A00:9", "10.0.0.9/8", true},
		{"fe80::1%eth0", "fe80:0::1", true}, {"2001:db8::1", "2001:db8::2", false}, {"10.0.0.7/32", "10.0.0.8/32", false},
		{"123456781234423482341234567890e1", "12345678-1234-4234-8234-1234567890e1", true}, {"0000.2e00.0003", "00:00:2e:00:00:03", true},
		{"08:00:2b:01:02:03", "08:00:2b:ff:fe:01:02:03", true}, {"0000.2e00.0003", "00:00:2e:ff:fe:00:00:03", true}, {"08:00:2b:01:02:04", "08:00:2b:ff:fe:01:02:03", false},
		{"00002e-000003", "00:00:2e:00:00:03", true}, {"12345678123442348234123456789012", "12345678-1234-4234-8234-123456789012", true},
		{"9007199254740993.0", "9007199254740993", true}, {"50e-1", "5", true}, {"42.50", "42.5", true}, {"123456789012345678.50", "123456789012345678.5", true},
		{"7", "{7,8}", true}, {"8", "{7,8}", true}, {"78", "{7,9}", false}, {"ada", `{"Ada","B, \"C\""}`, true}, {`b, "c"`, `{"Ada","B, \"C\""}`, true},
		{"10.0.0.7", "{10.0.0.8,10.0.0.7}", true}, {"9", "{{7,8},{9,NULL}}", true},
		{"42", "43", false}, {"11", "1", false}, {"100", "10", false}, {"ada", "ida", false}, {"παπας", "παππα", false}, {"田中", "山田", false}, {"a1", "a2", false},
	} {
		d := v.digester()
		b := d.value(nil, "person", x.b)
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
