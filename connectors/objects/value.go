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
	return isoOf(text[from:to])
}

func digit(b byte) bool { return '0' <= b && b <= '9' }

// isoOf writes a date of a name as ISO 8601: 20060102, 2006-01-02 or 2006_01_02,
// each also with a time (150405, 15:04:05, 15-04-05, 1504, Z or an offset after it).
// What is none of them stays unreadable.
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
	zone := ""
	if i := strings.IndexAny(rest, "Zz+"); i >= 0 {
		rest, zone = rest[:i], strings.ToUpper(rest[i:])
	}
	digits := strings.NewReplacer(":", "", "-", "", "_", "", ".", "").Replace(rest)
	if strings.Trim(digits, "0123456789") != "" || len(digits) != 4 && len(digits) != 6 {
		return unreadable
	}
	out := date + "T" + digits[:2] + ":" + digits[2:4]
	if len(digits) == 6 {
		out += ":" + digits[4:]
	} else {
		out += ":00"
	}
	return out + zone
}

func isoDate(s string) (date, rest string, ok bool) {
	number := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
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

// seconds rounds up: a file is never older than it is (L2).
func seconds(nanos int64) int64 {
	s := nanos / 1e9
	if nanos%1e9 > 0 {
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
