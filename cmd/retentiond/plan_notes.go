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
			parts = append(parts, rowsOf(n)+" of "+table)
		}
	}
	if len(parts) > 0 {
		t.note(name, "%s with %s", goes(s.Classes.Due), strings.Join(parts, ", "))
	}
	if w := s.Whole; w != nil && w.Partitions > 0 {
		t.note(name, "%s due as a whole, with %s: run drops them, run --plan takes the rows that it names", plural(int64(w.Partitions), "partition is", "partitions are"), rowsOf(w.Rows))
	}
	if n := s.NeverArchived; n > 0 {
		t.note(name, "%s never archived by the stage before", wasWere(n))
	}
}

// footnotes says once what holds for every step: what is never acted on, which
// instant the oldest clock is, and the limits.
func (t planText) footnotes() {
	var lines []string
	var unresolved, clocks, unknown bool
	for _, s := range t.plan.Steps {
		unresolved = unresolved || s.Classes.Unresolved > 0
		clocks = clocks || s.OldestDue != nil
		unknown = unknown || s.OldestDue == nil && s.Classes.Due > 0
	}
	if unresolved {
		lines = append(lines, unresolvedNote)
	}
	lines = append(lines, clockNotes(clocks, unknown)...)
	for _, l := range t.limits() {
		lines = append(lines, "limit of a rule and run: "+l)
	}
	if len(lines) > 0 {
		t.blank()
	}
	for _, l := range lines {
		t.line("  %s", t.paint(dim, l))
	}
}

const unresolvedNote = "unresolved: the clock cannot be read or is implausible, or is not the one that rows were sealed by; such rows are never acted on"

// clockNotes explains the column of the oldest clock.
func clockNotes(some, unknown bool) []string {
	var out []string
	if some {
		out = append(out, "oldest clock: where the period of the oldest due row began, not the day from which it is due")
	}
	if unknown {
		out = append(out, "oldest clock n/a: the clock is computed over related rows")
	}
	return out
}

// limits lists the limits once each; where they differ, with their policies.
func (t planText) limits() []string {
	of := map[string][]string{}
	for _, s := range t.plan.Steps {
		if s.Limit.Rows <= 0 {
			continue
		}
		l := limitText(s.Limit)
		if !slices.Contains(of[l], s.Policy) {
			of[l] = append(of[l], s.Policy)
		}
	}
	out := slices.Sorted(maps.Keys(of))
	if len(out) > 1 {
		for i, l := range out {
			out[i] = l + " (" + strings.Join(of[l], ", ") + ")"
		}
	}
	return out
}

func limitText(l retention.Limits) string {
	s := rowsOf(l.Rows)
	if l.Share > 0 {
		s += fmt.Sprintf(", or %.4g %% of a table of over %s", l.Share*100, rowsOf(retention.ShareFloor))
	}
	return s
}

func goes(n int64) string {
	if n == 1 {
		return "1 row goes"
	}
	return rowsOf(n) + " go"
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
		{c.Active, "still in their period"}, {c.Open, "whose clock has not started"}, {c.Unresolved, unreadable(s)},
		{c.Done, "already done"}, {c.Excluded, "outside the rule's condition"},
	} {
		if r.n > 0 {
			parts = append(parts, count(r.n)+" "+r.why)
		}
	}
	return strings.Join(parts, ", ")
}

// unreadable says why rows are unresolved.
func unreadable(s retention.Step) string {
	if s.Archived {
		return "archived by another clock than the rule's of now, or one that cannot be read"
	}
	return "with an unreadable clock"
}
