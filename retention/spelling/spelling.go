// Package spelling finds what a misspelt word meant: one judge for keys, flags,
// columns and time zones.
package spelling

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns the candidate that a misspelt word most likely meant: at most a
// third of its letters differ, and at least one may. Empty: none is near.
func Nearest(word string, candidates []string) string {
	best, far := "", 1+max(1, utf8.RuneCountInString(word)/3)
	for _, c := range candidates {
		if d := Distance(strings.ToLower(word), strings.ToLower(c)); d < far {
			best, far = c, d
		}
	}
	return best
}

// Long is the distance of a word that is too long to be compared.
const Long = 64

// Distance is how many letters to insert, drop, change or swap with their neighbour
// to get from a to b (optimal string alignment). A word of more than [Long] letters
// is Long from everything.
func Distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > Long || len(y) > Long {
		return Long
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			rows[i][j] = edit(rows, x, y, i, j)
		}
	}
	return rows[len(x)][len(y)]
}

// edit is one cell of the distance table.
func edit(rows [][]int, x, y []rune, i, j int) int {
	cost := 1
	if x[i-1] == y[j-1] {
		cost = 0
	}
	d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
	if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
		d = min(d, rows[i-2][j-2]+1)
	}
	return d
}
