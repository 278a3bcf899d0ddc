package spelling

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	words := []string{"delete", "redact", "anonymise", "keep", "to", "customer_id", "id"}
	for in, want := range map[string]string{
		"delte": "delete", "dleete": "delete", "DELETE": "delete", "anonimyse": "anonymise", "kep": "keep",
		"custmer_id": "customer_id", "purge": "", "xy": "", "archive": "", strings.Repeat("x", 65): "",
	} {
		if got := Nearest(in, words); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestDistanceIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringN(2, 20, -1).Draw(t, "word")
		letters := []rune(word)
		at := rapid.IntRange(0, len(letters)-1).Draw(t, "at")
		less := string(letters[:at]) + string(letters[at+1:])
		if d := Distance(word, less); d != 1 || Distance(less, word) != d || Distance(word, word) != 0 {
			t.Errorf("%q to %q: %d", word, less, d)
		}
	})
}
