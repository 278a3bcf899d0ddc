package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// refusals lists what stands in the way: what an approval of the plan lifts,
// then what needs its cause removed.
func (t planText) refusals() {
	var waiting, refused []retention.Refusal
	for _, r := range refusalsOf(t.plan) {
		if r.Approvable {
			waiting = append(waiting, r)
		} else {
			refused = append(refused, r)
		}
	}
	steps := t.waiting()
	if len(waiting)+len(steps) > 0 {
		t.blank()
		t.heading("Waits for an approval of this plan")
		for _, why := range slices.Sorted(maps.Keys(steps)) {
			t.wrapped("  "+t.paint(yellow, why)+": ", steps[why])
		}
		writeRefusals(t.printer, waiting)
	}
	if len(refused) > 0 {
		t.blank()
		t.heading("Refused")
		writeRefusals(t.printer, refused)
	}
}

// waiting are the steps that wait for an approval without being refused for
// something else, by the reason.
func (t planText) waiting() map[string][]string {
	out := map[string][]string{}
	for _, s := range t.plan.Steps {
		if !s.NeedsApproval || s.Classes.Due == 0 || s.ReportOnly {
			continue
		}
		if slices.ContainsFunc(refusalsOf(t.plan), func(r retention.Refusal) bool { return about(r, s) }) {
			continue
		}
		out[s.Why] = append(out[s.Why], s.Policy+"/"+ruleName(s.Rule, s.Stage, t.staged(s)))
	}
	return out
}

// writeRefusals lists refusals, each kind with its meaning or remedy once.
func writeRefusals(p *printer, rs []retention.Refusal) {
	seen := map[retention.RefusalCode]bool{}
	for _, r := range rs {
		p.line("  %s %s: %s", p.paint(red, string(r.Code)), where(r), p.typed(inWords(r.Message)))
		hint := meaning(r.Code)
		if !r.Approvable {
			hint = p.typed(remedy(r.Code))
		}
		if hint != "" && !seen[r.Code] {
			p.line("      %s", p.paint(dim, hint))
		}
		seen[r.Code] = true
	}
}

// meaning says in words what a code that an approval lifts stands for.
func meaning(c retention.RefusalCode) string {
	switch c {
	case retention.RefuseLimitShare:
		return "limit_share: more of a table at once than the limit allows without a person's yes"
	case retention.RefuseLimitRows:
		return "limit_rows: more rows at once than the limit allows without a person's yes"
	case retention.RefuseNeverArchived:
		return "never_archived: the rule archives before it deletes, and these rows were too old to have been archived"
	}
	return ""
}

func where(r retention.Refusal) string {
	switch {
	case r.Policy == "":
		return "the run"
	case r.Rule == "":
		return r.Policy
	case r.Stage > 1:
		return fmt.Sprintf("%s/%s #%d", r.Policy, r.Rule, r.Stage)
	}
	return r.Policy + "/" + r.Rule
}
