package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// notes says of a step what its counts do not.
func (t planText) notes(s retention.Step) {
	name := ruleName(s.Rule, s.Stage, t.staged(s))
	if s.Classes.Due == 0 {
		t.note(name, "nothing due: %s", whyZero(s))
		return
	}
	var parts []string
	for _, table := range slices.Sorted(maps.Keys(s.Children)) {
		if n := s.Children[table]; n > 0 {
			parts = append(parts, "with "+rowsOf(n)+" of "+table)
		}
	}
	if len(parts) > 0 {
		t.note(name, "%s go %s", rowsOf(s.Classes.Due), strings.Join(parts, ", "))
	}
	if n := s.NeverArchived; n > 0 {
		t.note(name, "%s never archived by the stage before", wasWere(n))
	}
}

// general says what holds for every step of a policy: what is never acted on,
// and the limits.
func (t planText) general(name string) {
	var unresolved bool
	limits := map[string]bool{}
	for _, s := range t.steps(name) {
		unresolved = unresolved || s.Classes.Unresolved > 0
		if s.Limit.Rows > 0 {
			limits[limitText(s.Limit)] = true
		}
	}
	if unresolved {
		t.line("  %s", t.paint(dim, "unresolved: the clock cannot be read or is implausible; such rows are never acted on (L1)"))
	}
	for _, l := range slices.Sorted(maps.Keys(limits)) {
		t.line("  %s", t.paint(dim, "limit of a rule and run: "+l))
	}
}

func limitText(l retention.Limits) string {
	s := rowsOf(l.Rows)
	if l.Share > 0 {
		s += fmt.Sprintf(", or %.4g %% of a table of over %s", l.Share*100, rowsOf(retention.ShareFloor))
	}
	return s
}

func wasWere(n int64) string {
	if n == 1 {
		return "1 row was"
	}
	return rowsOf(n) + " were"
}

// whyZero says in words why no row of a step is due (L11).
func whyZero(s retention.Step) string {
	c := s.Classes
	if c.Total == 0 {
		return "the table is empty"
	}
	var parts []string
	for _, r := range []struct {
		n   int64
		why string
	}{
		{c.Held, "under a hold"}, {c.Protected, "protected by a minimum"}, {c.Blocked, "blocked by a child row"},
		{c.Active, "still in their period"}, {c.Open, "whose clock has not started"}, {c.Unresolved, "with an unreadable clock"},
		{c.Done, "already done"}, {c.Excluded, "outside the rule's condition"},
	} {
		if r.n > 0 {
			parts = append(parts, count(r.n)+" "+r.why)
		}
	}
	return strings.Join(parts, ", ")
}
