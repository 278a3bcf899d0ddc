package bind

import (
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// Way is how rows are about subjects of a type: over a column of theirs, or over other
// rows.
type Way struct {
	Type  string
	Child string // table of child rows; empty: the rule's own
	path  string
}

// String is the same while the policies mean the same.
func (w Way) String() string {
	if w.Child == "" {
		return w.Type + ": " + w.path
	}
	return fmt.Sprintf("%s of %q: %s", w.Type, w.Child, w.path)
}

// SealedWays are the ways by which rows of the selection, and children that go with
// them, are about subjects: those that a sealed segment's index is made by.
func SealedWays(sel *retention.Selection) []Way {
	out := WaysOf(sel.Reach, "")
	for i := range sel.Blocked {
		c := &sel.Blocked[i]
		name := c.Child.Table
		if t := sel.Schema.Table(name); t != nil {
			name = t.Name
		}
		out = append(out, WaysOf(c.Reach, name.String())...)
	}
	return out
}

// WaysOf are those of one table's rows. Ways over a vault's copies are none of their
// own: what is there was found in the table that it left. Nor is the very row that a
// child goes with: whom that is about is told of itself.
func WaysOf(r *retention.Reach, child string) []Way {
	var out []Way
	walkWays(r, "", nil, func(typ, path string) {
		if w := (Way{typ, child, path}); !slices.Contains(out, w) {
			out = append(out, w)
		}
	})
	return out
}

func walkWays(r *retention.Reach, to string, path []*retention.Reach, f func(typ, path string)) {
	if r == nil || slices.Contains(path, r) {
		return
	}
	path = append(slices.Clone(path), r)
	for _, s := range r.Subjects {
		if s.Copied {
			continue
		}
		for _, way := range subjectWays(s) {
			f(s.Type, to+way)
		}
	}
	for i := range r.Parents {
		p := &r.Parents[i]
		if !p.Back && p.Reach != nil {
			walkWays(p.Reach, fmt.Sprintf("%s%s in %q, ", to, parentWay(&p.Child), p.Reach.Table), path, f)
		}
	}
}
