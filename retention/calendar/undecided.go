package calendar

import "strings"

// undecided says why a folded text leaves a decision open; "" if it does not.
func undecided(text string) string {
	if text == "" {
		return "is empty: " + howToWrite
	}
	return ""
}

// fold lowers s, takes accents off, and turns every kind of space into one.
func fold(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(s)), " ")
}
