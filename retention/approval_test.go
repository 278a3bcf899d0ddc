package retention

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Names are one person's whatever their case and the spaces around them, and no
// other's.
func TestPersonKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching(`[A-Za-zÀ-ÿ.]{1,8}( [A-Za-zÀ-ÿſK]{1,8})?`).Draw(t, "name")
		b := rapid.StringMatching(`[A-Za-zÀ-ÿ.]{1,8}( [A-Za-zÀ-ÿſK]{1,8})?`).Draw(t, "other")
		if PersonKey(a) != PersonKey("\t"+strings.ReplaceAll(a, " ", "   ")+" ") {
			t.Fatalf("%q between spaces is another", a)
		}
		if got := PersonKey(a) == PersonKey(b); got != strings.EqualFold(a, b) {
			t.Fatalf("%q and %q: %v", a, b, got)
		}
	})
}

func TestVisaRef(t *testing.T) {
	for ref, ok := range map[string]bool{"DITN/2026/0412": true, "n° 12 (2026)": true, "Mme Dupont": false, "": false, " 1": false, "1\n": false,
		"ada@example.org 1": false, strings.Repeat("1", 65): false} {
		if err := VisaRef(ref); (err == nil) != ok {
			t.Errorf("%q: %v", ref, err)
		}
	}
}
