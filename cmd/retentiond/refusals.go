package main

import (
	"fmt"

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
	if len(waiting) > 0 {
		t.blank()
		t.heading("Refused until this plan is approved")
		writeRefusals(t.printer, waiting)
	}
	if len(refused) > 0 {
		t.blank()
		t.heading("Refused")
		writeRefusals(t.printer, refused)
	}
}

// writeRefusals lists refusals, each kind with its remedy once.
func writeRefusals(p *printer, rs []retention.Refusal) {
	seen := map[retention.RefusalCode]bool{}
	for _, r := range rs {
		p.line("  %s %s: %s", p.paint(red, string(r.Code)), where(r), r.Message)
		if hint := remedy(r.Code); hint != "" && !seen[r.Code] && !r.Approvable {
			p.line("      %s", p.paint(dim, hint))
		}
		seen[r.Code] = true
	}
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
