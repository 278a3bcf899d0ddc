package policies

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// bases lists the legal bases of GDPR art. 6(1).
func bases() []string {
	return []string{"consent", "contract", "legal-obligation", "vital-interest", "public-task", "legitimate-interest"}
}

// rules reads the list of rules; it may be empty, which decides nothing.
func (d *decoder) rules(n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.reject(n, "rules: [{id: …, title: …}]", "rules must be a list, not %s", kindName(n))
		return
	}
	lines := map[string]int{}
	for _, c := range n.Content {
		d.rule = idOf(c)
		if m, ok := d.mapping(c, shapeRule, "the rule"); ok {
			r := d.ruleOf(m)
			if first := lines[r.ID]; first > 0 && r.ID != "" {
				d.fail(m.values["id"], "give each rule its own id", "two rules have the id %q (first on line %d)", r.ID, first)
			} else {
				lines[r.ID] = c.Line
			}
			d.policy.Rules = append(d.policy.Rules, r)
		}
		d.rule = ""
	}
}

// ruleOf reads one rule.
func (d *decoder) ruleOf(m *mapping) retention.Rule {
	r := retention.Rule{Pos: d.pos(m.node), Approve: retention.ApproveFirst}
	r.ID = d.name(m.need("id", "id: a short name"), "id")
	r.Title = d.text(m.need("title", "title: what people call it"), "title")
	r.Dataset = d.datasetOf(m)
	if d.files = d.policy.Dataset(r.Dataset); d.files != nil && d.files.Files == nil {
		d.files = nil
	}
	d.legal(m, &r)
	r.Clock = d.clock(m.need("from", "from: the column with the event that the period runs from"))
	if v := m.get("where"); v != nil {
		r.Where = d.predicate(v, "where")
	}
	if v := m.get("at_least"); v != nil {
		r.AtLeast = d.period(v, "at_least")
	}
	r.Stages = d.stages(m)
	d.safety(m, &r)
	d.checkPeriods(m, &r)
	d.checkFiles(m, &r)
	return r
}

// datasetOf reads the rule's dataset, which must be there and not be exempt.
func (d *decoder) datasetOf(m *mapping) string {
	v := m.need("dataset", "dataset: one of the datasets above")
	name := d.text(v, "dataset")
	if name == "" {
		return ""
	}
	ds := d.policy.Dataset(name)
	var names []string
	for _, x := range d.policy.Datasets {
		names = append(names, x.Name)
	}
	switch {
	case ds == nil:
		d.reject(v, didYouMean(name, names), "unknown dataset %q", name)
	case ds.Exempt != "":
		d.reject(v, "drop exempt, or the rule", "the dataset %s is exempt and cannot have rules", name)
	}
	return name
}

// legal reads the keys that a register prints.
func (d *decoder) legal(m *mapping, r *retention.Rule) {
	if v := m.get("purpose"); v != nil {
		r.Purpose = d.text(v, "purpose")
	}
	if v := m.get("basis"); v != nil {
		r.Basis = d.word(v, "basis", bases()...)
	}
	if v := m.get("categories"); v != nil {
		r.Categories = d.texts(v, "categories")
	}
	if v := m.get("cite"); v != nil {
		r.Cite = d.text(v, "cite")
	}
}

// safety reads when and under which ceilings the rule acts.
func (d *decoder) safety(m *mapping, r *retention.Rule) {
	r.Schedule = d.schedule(m.get("schedule"))
	r.Limits = d.limits(m.get("limits"))
	if v := m.get("approve"); v != nil {
		r.Approve = retention.Approve(d.word(v, "approve", "first", "always", "never"))
	}
	d.approvals(m, r)
	if v := m.get("enabled"); v != nil {
		on, ok := d.boolean(v, "enabled")
		r.Disabled = ok && !on
	}
	if v := m.get("effective_from"); v != nil {
		r.EffectiveFrom = d.instant(v, "effective_from", false)
	}
}

// approvals reads who must say yes. A visa is of one list of what goes: each plan
// needs its own, so a rule that asks for one always waits.
func (d *decoder) approvals(m *mapping, r *retention.Rule) {
	if v := m.get("approvers"); v != nil {
		r.Approvers = int(d.integer(v, "approvers", 1, 9))
	}
	v := m.get("visa")
	if v == nil {
		return
	}
	r.Visa = d.word(v, "visa", "required") == "required"
	if a := m.get("approve"); a != nil && r.Visa && r.Approve != retention.ApproveAlways {
		d.fail(a, "approve: always, or leave it out", "a visa is of one list for destruction: a rule with visa: required waits each time")
	}
	if r.Visa {
		r.Approve = retention.ApproveAlways
	}
}

// checkPeriods refuses periods that contradict each other or the clock.
func (d *decoder) checkPeriods(m *mapping, r *retention.Rule) {
	exact := r.AtLeast != nil && r.AtLeast.Exact()
	for _, s := range r.Stages {
		exact = exact || s.Keep.Exact()
		if r.AtLeast != nil && restrains(s.Action.Kind) && r.AtLeast.Longer(s.Keep) {
			d.fail(m.keys["at_least"], "keep at least as long as the minimum",
				"at_least %s is longer than keep %s (then: %s)", r.AtLeast, s.Keep, s.Action.Kind)
		}
	}
	if !exact {
		return
	}
	for _, member := range r.Clock.Members {
		at := &yaml.Node{Line: member.Pos.Line, Column: member.Pos.Col}
		if !member.Round.IsZero() {
			d.fail(at, "a period in days, or no round", "round moves the clock by days; it cannot be used with a period in hours, minutes or seconds")
		}
		if member.As == retention.AsDate {
			d.fail(at, "a period in days", "a date has no time of day; a period in hours, minutes or seconds cannot run from it")
		}
	}
}

// restrains reports whether a minimum forbids the action before its end: it
// does not forbid to archive or to count.
func restrains(k retention.ActionKind) bool {
	return k != retention.Archive && k != retention.Report && k != ""
}

// stageName names a stage in messages.
func stageName(i int) string { return fmt.Sprintf("stage %d", i+1) }
