package policies

import (
	"strings"

	"github.com/retentiond/retentiond/retention/spelling"
)

// didYouMean makes the hint of an unknown word.
func didYouMean(word string, candidates []string) string {
	if n := spelling.Nearest(word, candidates); n != "" {
		return "did you mean " + n + "?"
	}
	if len(candidates) == 0 {
		return ""
	}
	return "one of: " + strings.Join(candidates, ", ")
}
