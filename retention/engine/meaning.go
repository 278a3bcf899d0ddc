package engine

import (
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention/bind"
)

// meaningOf is what a person approves of a step: the rule's own meaning, and the
// minimums that protect its rows. A minimum that goes or gets shorter makes rows due
// as a shorter period of the rule would (L4, L12).
func meaningOf(b *bind.Step) string {
	return strings.Join(append([]string{b.Rule.Meaning}, b.Protectors...), " ")
}

// within reports whether now means nothing that then did not: the same rule, under
// every minimum of then. One that came since only keeps more.
func within(then, now string) bool {
	a, b := strings.Split(then, " "), strings.Split(now, " ")
	return a[0] == b[0] && !slices.ContainsFunc(a[1:], func(m string) bool { return !slices.Contains(b[1:], m) })
}

// sameRule reports whether only minimums differ.
func sameRule(then, now string) bool {
	a, _, _ := strings.Cut(then, " ")
	b, _, _ := strings.Cut(now, " ")
	return a == b
}
