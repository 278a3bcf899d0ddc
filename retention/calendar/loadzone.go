package calendar

import (
	_ "embed"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // an empty image has no zones, and no policy would load there

	"github.com/retentiond/retentiond/retention/spelling"
)

// zoneNames are the IANA names of tzdata's zone.tab, one a line, for
// suggestions only: newer data may know more.
//
//go:embed zones.txt
var zoneNames string

// LoadZone loads a zone by its IANA name. Refused: the machine's own zone
// ("Local", or an empty name), because a policy means the same everywhere;
// offsets, which know no summer time; and the right/ and posix/ copies of the
// data, of which the first count leap seconds. The error suggests a name.
func LoadZone(name string) (*time.Location, error) {
	const example = "write an IANA name, e.g. Europe/Paris"
	near := suggestZone(name)
	switch {
	case name == "":
		return nil, fmt.Errorf("time zone is empty: %s", example)
	case strings.EqualFold(name, "local"), strings.EqualFold(name, "localtime"):
		return nil, fmt.Errorf("time zone %s is the machine's own: %s", quote(name), example)
	case strings.HasPrefix(name, "right/"), strings.HasPrefix(name, "posix"), name == "Factory":
		return nil, fmt.Errorf("time zone %s is not an IANA name: %s", quote(name), example)
	case near != name && strings.EqualFold(near, name):
		return nil, fmt.Errorf("time zone %s: did you mean %s?", quote(name), near)
	}
	loc, err := time.LoadLocation(name)
	switch {
	case err == nil:
		return loc, nil
	case near != "":
		return nil, fmt.Errorf("time zone %s is not known; did you mean %s?", quote(name), near)
	case strings.ContainsAny(name, "+-:0123456789"):
		return nil, fmt.Errorf("time zone %s is not known; an offset knows no summer time: %s", quote(name), example)
	}
	return nil, fmt.Errorf("time zone %s is not known: %s", quote(name), example)
}

// suggestZone is the known name nearest to what was written: the same but for
// case, the same city, or a slip of the pen away; "" where there is none.
func suggestZone(written string) string {
	const slips = 2
	w := strings.ReplaceAll(strings.ToLower(fold(written)), " ", "_")
	if w == "" {
		return ""
	}
	best, bestCost := "", slips+1
	for name := range strings.Lines(zoneNames) {
		name = strings.TrimSuffix(name, "\n")
		lower := strings.ToLower(name)
		if lower == w || lower[strings.LastIndexByte(lower, '/')+1:] == w {
			return name
		}
		if len(w) > 2*slips {
			if c := spelling.Distance(lower, w); c < bestCost {
				best, bestCost = name, c
			}
		}
	}
	return best
}
