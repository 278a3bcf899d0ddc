package retention

import (
	"strconv"
	"strings"
)

// Seen is how far a state store had come when it last passed a place or ended a run
// there. A place keeps it itself, beside the gate, where gate and store can be copied or
// restored together: the place alone is the same for all copies (L3).
type Seen struct {
	Holds int64 // version of the holds
	Log   int64 // entries of the audit log, over all years; 0: none were told
	Root  string
}

// slashes: names of files and of objects have none.
var (
	slashes = strings.NewReplacer("/", "_", "+", "-")
	slashed = strings.NewReplacer("_", "/", "-", "+")
)

// String is one word, which may be part of a name: three fields with dots between them.
func (s Seen) String() string {
	return strconv.FormatInt(s.Holds, 10) + "." + strconv.FormatInt(s.Log, 10) + "." + slashes.Replace(s.Root)
}

// ParseSeen reads what [Seen.String] wrote; ok is false for anything else.
func ParseSeen(text string) (s Seen, ok bool) {
	f := strings.Split(text, ".")
	if len(f) != 3 {
		return s, false
	}
	var errs [2]error
	s.Holds, errs[0] = strconv.ParseInt(f[0], 10, 64)
	s.Log, errs[1] = strconv.ParseInt(f[1], 10, 64)
	s.Root = slashed.Replace(f[2])
	return s, errs[0] == nil && errs[1] == nil && s.Holds >= 0 && s.Log >= 0
}

// Beyond is whether a store that had come as far as s does not account for o: o has
// holds or entries that s has not, or another log of the same length.
func (s Seen) Beyond(o Seen) bool {
	return o.Holds > s.Holds || o.Log > s.Log || o.Log == s.Log && o.Log > 0 && o.Root != s.Root
}

// With is the furthest of both.
func (s Seen) With(o Seen) Seen {
	if o.Log > s.Log {
		s.Log, s.Root = o.Log, o.Root
	}
	s.Holds = max(s.Holds, o.Holds)
	return s
}

// Seen is what the gate says of its store.
func (g Gate) Seen() Seen { return Seen{g.HoldsVersion, g.LogSize, g.LogRoot} }

// Saw makes the gate say what its place keeps. Of the log the place's word counts, also
// where it is of fewer entries: one that went back was restored from a copy.
func (g *Gate) Saw(s Seen) {
	g.HoldsVersion = max(g.HoldsVersion, s.Holds)
	if s.Log > 0 {
		g.LogSize, g.LogRoot = s.Log, s.Root
	}
}
