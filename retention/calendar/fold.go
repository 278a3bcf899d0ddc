package calendar

import (
	"strings"
	"unicode"
)

// fold lowers s, takes accents off (composed or combining), and writes each kind
// of space, dash and apostrophe one way.
func fold(s string) string {
	return strings.Join(strings.Fields(strings.Map(foldRune, s)), " ")
}

func foldRune(r rune) rune {
	r = unicode.ToLower(r)
	switch {
	case '\u0300' <= r && r <= '\u036f':
		return -1
	case unicode.IsSpace(r):
		return ' '
	case '\u2010' <= r && r <= '\u2015' || r == '\u2212':
		return '-'
	}
	switch r {
	case '\u2019', '\u02bc':
		return '\''
	case 'à', 'â', 'ä':
		return 'a'
	case 'é', 'è', 'ê', 'ë':
		return 'e'
	case 'î', 'ï':
		return 'i'
	case 'ô', 'ö':
		return 'o'
	case 'û', 'ù', 'ü':
		return 'u'
	case 'ç':
		return 'c'
	}
	return r
}
