package objects

import (
	"math"
	"path"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// unreadable is the clock of a name that has none: no date, so that the file is
// unresolved (L1).
const unreadable = "?"

// of is what the file's path says for a column that is a part of it; nil for a
// subject that it does not name.
func (c *column) of(p string) any {
	text := path.Base(p)
	if strings.Contains(c.Match, "/") {
		text = p
	}
	at := c.match.FindStringSubmatchIndex(text)
	found := at != nil && at[2*c.group] >= 0
	switch {
	case !found && c.Clock:
		return unreadable
	case !found:
		return nil
	case !c.Clock:
		return text[at[2*c.group]:at[2*c.group+1]]
	}
	from, to := at[2*c.group], at[2*c.group+1]
	if from > 0 && digit(text[from-1]) || to < len(text) && digit(text[to]) {
		return unreadable // a part of a longer number is no date
	}
	if cutsZone(text[from:to], text[to:], max(0, at[1]-to)) {
		return unreadable
	}
	return isoOf(text[from:to])
}

func digit(b byte) bool { return '0' <= b && b <= '9' }

// isoOf writes a date of a name as ISO 8601: 20060102, 2006-01-02 or 2006_01_02,
// each also with a time (150405, 1504, 15:04:05, 15:04, 15-04-05) and, after a time,
// Z or an offset. A dash parts three pairs, or it is a sign: a time west of Greenwich
// that were read without its offset would be over early (L2). What is none of them
// stays unreadable.
func isoOf(s string) string {
	date, rest, ok := isoDate(s)
	if !ok {
		return unreadable
	}
	if rest == "" {
		return date
	}
	if strings.IndexByte("Tt_- .", rest[0]) >= 0 {
		rest = rest[1:]
	}
	hms, zone, ok := isoTime(rest)
	if !ok {
		return unreadable
	}
	if len(hms) == 4 {
		hms += "00"
	}
	return date + "T" + hms[:2] + ":" + hms[2:4] + ":" + hms[4:] + zone
}

// isoTime takes a time apart: its four or six digits, and Z or the offset.
func isoTime(s string) (hms, zone string, ok bool) {
	n := timeLength(s)
	if n == 0 {
		return "", "", false
	}
	hms = strings.NewReplacer(":", "", "-", "", "_", "", ".", "").Replace(s[:n])
	switch zone = s[n:]; {
	case zone == "":
		return hms, "", true
	case zone == "Z" || zone == "z":
		return hms, "Z", true
	case zone[0] != '+' && zone[0] != '-':
		return "", "", false
	}
	of := zone[1:]
	if len(of) == 5 && of[2] == ':' {
		of = of[:2] + of[3:]
	}
	if len(of) == 2 {
		of += "00"
	}
	if len(of) != 4 || !number(of) {
		return "", "", false
	}
	return hms, zone[:1] + of[:2] + ":" + of[2:], true
}

// timeLength is how much of the text is a time, 0: it begins with none.
func timeLength(s string) int {
	form := func(sep string, pairs int) int {
		n := 2*pairs + len(sep)*(pairs-1)
		if len(s) < n || len(s) > n && digit(s[n]) {
			return 0
		}
		parts := []string{s[:n]}
		if sep != "" {
			parts = strings.Split(s[:n], sep)
		}
		for _, p := range parts {
			if sep != "" && len(p) != 2 || !number(p) {
				return 0
			}
		}
		return n
	}
	for _, sep := range []string{"", ":", "_", "."} {
		for pairs := 3; pairs > 1; pairs-- {
			if n := form(sep, pairs); n > 0 {
				return n
			}
		}
	}
	return form("-", 3)
}

func number(s string) bool { return strings.Trim(s, "0123456789") == "" }

func isoDate(s string) (date, rest string, ok bool) {
	switch {
	case len(s) >= 8 && number(s[:8]):
		return s[:4] + "-" + s[4:6] + "-" + s[6:8], s[8:], true
	case len(s) >= 10 && number(s[:4]+s[5:7]+s[8:10]) && s[4] == s[7] && (s[4] == '-' || s[4] == '_' || s[4] == '.'):
		return s[:4] + "-" + s[5:7] + "-" + s[8:10], s[10:], true
	}
	return "", "", false
}

// ours is the file's own side of a relation.
func ours(p, column string) string {
	name := path.Base(p)
	switch column {
	case retention.FileName:
		return name
	case retention.FileStem:
		return stem(name)
	}
	return p
}

// stem is a name without its last extension.
func stem(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i]
	}
	return name
}

// seconds rounds up: a file is never older than it is (L2). A time that nanoseconds
// cannot say is not known (L1).
func seconds(o Object) int64 {
	if o.Far != 0 {
		return math.MaxInt64
	}
	s := o.Nanos / 1e9
	if o.Nanos%1e9 > 0 {
		s++
	}
	return s
}

// told is a related value as the listing keeps it: clocks in milliseconds, rounded
// up, 0 for what cannot be read.
func told(v any, clock bool) any {
	n, ok := v.(int64)
	switch {
	case !clock || !ok:
		return v
	case n == math.MaxInt64:
		return int64(0)
	}
	ms := n / 1000
	if n%1000 > 0 {
		ms++
	}
	return ms
}
