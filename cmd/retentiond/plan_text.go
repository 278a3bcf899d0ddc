package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// planText writes a plan for people: a table a policy, then what stands in the
// way and how to lift it.
type planText struct {
	*app
	*printer
	house *house
	plan  retention.Plan
}

func (t planText) write() {
	t.heading("Plan %s, as of %s", t.plan.ID, instant(t.plan.AsOf))
	for _, name := range t.policies() {
		t.policy(name)
	}
	if len(t.plan.Steps) == 0 {
		t.blank()
		t.line("No rule had anything to plan: %s.", t.whyNothing())
	}
	t.footnotes()
	t.refusals()
	t.end()
}

func (t planText) policies() []string {
	var names []string
	for _, s := range t.plan.Steps {
		if !slices.Contains(names, s.Policy) {
			names = append(names, s.Policy)
		}
	}
	return names
}

func (t planText) steps(policy string) []retention.Step {
	var out []retention.Step
	for _, s := range t.plan.Steps {
		if s.Policy == policy {
			out = append(out, s)
		}
	}
	return out
}

func (t planText) policy(name string) {
	t.blank()
	t.heading("%s", t.house.title(name))
	zone := t.house.zone(name)
	g := &grid{cols: []gridColumn{col("rule"), col("table"), col("action"), col("due if before"), num("due"), numOpt("held"),
		numOpt("protected"), numOpt("blocked"), numOpt("active"), numOpt("open"), numOpt("unresolved"), numOpt("done"), numOpt("excluded"),
		num("total"), colOpt("oldest clock"), colOpt("")}}
	for _, s := range t.steps(name) {
		c := s.Classes
		g.add(ruleName(s.Rule, s.Stage, t.staged(s)), tableName(s), actionName(s), day(s.Cutoff, zone), t.due(s), count(c.Held), count(c.Protected),
			count(c.Blocked), count(c.Active), count(c.Open), count(c.Unresolved), count(c.Done), count(c.Excluded), count(c.Total),
			oldest(s.OldestDue, c.Due, zone), t.mark(s))
	}
	t.grid(g)
	for _, s := range t.steps(name) {
		t.notes(s)
	}
}

// staged reports whether the rule has several steps, so that stages matter.
func (t planText) staged(s retention.Step) bool {
	n := 0
	for _, o := range t.plan.Steps {
		if o.Policy == s.Policy && o.Rule == s.Rule && o.Source == s.Source {
			n++
		}
	}
	return n > 1 || s.Stage > 1
}

func ruleName(rule string, stage int, staged bool) string {
	if staged {
		return fmt.Sprintf("%s #%d", rule, stage)
	}
	return rule
}

// tableName names the table, of a tenant with the tenant's name.
func tableName(s retention.Step) string {
	name := s.Table.String()
	if t := retention.Tenant(s.Source); t != "" {
		name = t + ":" + name
	}
	if s.Archived {
		name += " (archive)"
	}
	return name
}

func actionName(s retention.Step) string {
	switch {
	case s.Vault != "" && !s.Archived:
		return string(s.Action) + " to " + s.Vault
	case s.ReportOnly && s.Action != retention.Report:
		return string(s.Action) + " (report only)"
	case s.Action == "":
		return "protect"
	}
	return string(s.Action)
}

func (t planText) due(s retention.Step) string {
	if s.Classes.Due > 0 {
		return t.paint(bold, count(s.Classes.Due))
	}
	return "0"
}

func (t planText) mark(s retention.Step) string {
	waits := s.NeedsApproval && s.Classes.Due > 0
	for _, r := range refusalsOf(t.plan) {
		switch {
		case !about(r, s) || r.Approvable && s.Classes.Due == 0:
		case !r.Approvable:
			return t.paint(red, "refused: "+string(r.Code))
		default:
			return t.paint(yellow, waitsMark)
		}
	}
	switch {
	case waits:
		return t.paint(yellow, waitsMark)
	case strings.HasPrefix(s.Why, "nothing due"): // the notes say why, in full
		return ""
	}
	return s.Why
}

// waitsMark is the mark of a step that an approval of the plan lets act.
const waitsMark = "waits"

// about reports whether a refusal stops the step.
func about(r retention.Refusal, s retention.Step) bool { return r.About(&s) }

func (t planText) note(name, format string, args ...any) {
	t.line("  %s %s", t.paint(dim, name+":"), fmt.Sprintf(format, args...))
}

func (t planText) whyNothing() string {
	if len(t.plan.Refusals) > 0 {
		return "see the refusals"
	}
	return "no policy has a rule that matches what was asked"
}

// end says what can be done with the plan.
func (t planText) end() {
	t.blank()
	if t.plan.Preview {
		t.line("This is a preview of the future: it can be neither approved nor run.")
	} else if approvable(t.plan) {
		t.asks()
		t.line("then run it:   %s", t.retry("run --plan %s", t.plan.ID))
	} else if due(t.plan) > 0 {
		t.line("Run it with:   %s", t.retry("run --plan %s", t.plan.ID))
	}
	t.line("%s", t.paint(dim, "Nothing was changed: this is a dry run. Classes without any row are left out."))
}

// asks says how the plan is approved, and by how many.
func (t planText) asks() {
	visa := ""
	if t.plan.WantsVisa() {
		visa = " --visa REF"
		t.line("List for destruction:  %s", t.retry("bordereau %s", t.plan.ID))
	}
	t.line("Approve with:  %s", t.retry(`approve %s --by NAME --reason "…"%s`, t.plan.ID, visa))
	if n := t.plan.Approvers(); n > 1 {
		t.line("               by %d people, each another one", n)
	}
	if t.house.engine.FourEyes {
		t.line("               by somebody else than %s, who planned", t.plan.By)
	}
}

// approvable reports whether an approval of the plan would lift something.
func approvable(p retention.Plan) bool {
	for _, s := range p.Steps {
		if s.NeedsApproval && s.Classes.Due > 0 && !s.ReportOnly {
			return true
		}
	}
	return slices.ContainsFunc(p.Refusals, func(r retention.Refusal) bool { return r.Approvable })
}

func due(p retention.Plan) int64 {
	var n int64
	for _, s := range p.Steps {
		if !s.ReportOnly {
			n += s.Classes.Due
		}
	}
	return n
}
