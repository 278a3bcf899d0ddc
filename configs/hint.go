package configs

import (
	"regexp"
	"strconv"
	"strings"
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
	best, dist := "", 1+max(1, len(word)/2)
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < dist {
			best, dist = k, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "one of: " + strings.Join(known, ", ")
}

// distance is the edit distance of two short words.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(row[j]+1, row[j-1]+1, cost)
		}
	}
	return row[len(b)]
}
