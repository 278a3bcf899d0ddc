package configs

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/retention/spelling"
)

// shown is a key in messages. What does not look like a key may be a piece of a
// password that a comma cut off, and is not shown.
func shown(key string) string {
	if regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,40}$`).MatchString(key) {
		return strconv.Quote(key)
	}
	return "(not shown)"
}

// didYouMean makes the hint of an unknown key.
func didYouMean(word string, known []string) string {
	if best := spelling.Nearest(word, known); best != "" {
		return "did you mean " + best + "?"
	}
	return "one of: " + strings.Join(known, ", ")
}
