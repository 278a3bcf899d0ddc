package objects

import "strings"

// cutsZone is whether a date that is read ends before the offset of its time: without
// it, a time east or west of the policy's zone would be another one, and might be over
// early (L2). So the file is unresolved, and the expression has to take the offset in.
// seen is how much of what follows the expression itself goes through: two digits after
// a dash (a number, more often than an offset) are no offset where it does.
func cutsZone(date, rest string, seen int) bool {
	_, clock, ok := isoDate(date)
	if !ok {
		return false
	}
	if clock == "" { // the time is cut off too
		if rest != "" && strings.IndexByte("Tt_- .", rest[0]) >= 0 {
			rest, seen = rest[1:], seen-1
		}
		n := timeLength(rest)
		if n == 0 {
			return false
		}
		rest, seen = rest[n:], seen-n
	} else if _, zone, ok := isoTime(strings.TrimLeft(clock[:1], "Tt_- .") + clock[1:]); !ok || zone != "" {
		return false
	}
	rest, seen = past(rest, seen)
	return zoneLength(rest) > 0 && (rest[0] != '-' || zoneLength(rest) != 3 || seen < 3)
}

// past leaves out a fraction of a second.
func past(rest string, seen int) (string, int) {
	if len(rest) < 2 || rest[0] != '.' && rest[0] != ',' || !digit(rest[1]) {
		return rest, seen
	}
	n := 1
	for n < len(rest) && digit(rest[n]) {
		n++
	}
	return rest[n:], seen - n
}

// zoneLength is how much of the text is an offset, 0: it begins with none. None is
// larger than 14 hours.
func zoneLength(s string) int {
	ends := func(n int) bool { return len(s) == n || len(s) > n && !digit(s[n]) && !letter(s[n]) }
	if s == "" {
		return 0
	}
	if s[0] == 'Z' || s[0] == 'z' {
		if ends(1) {
			return 1
		}
		return 0
	}
	if s[0] != '+' && s[0] != '-' || len(s) < 3 || !number(s[1:3]) || s[1:3] > "14" {
		return 0
	}
	for _, n := range []int{6, 5, 3} {
		switch {
		case !ends(n):
		case n == 6 && s[3] == ':' && number(s[4:6]), n == 5 && number(s[3:5]), n == 3:
			return n
		}
	}
	return 0
}

func letter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }
