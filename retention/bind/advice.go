package bind

import (
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// indexes warns where a clock has no index that leads with it: batches would
// then walk the table in key order.
func (b *binder) indexes() {
	for i := range b.rule.Clock.Members {
		m := &b.rule.Clock.Members[i]
		t, col := b.table, m.Column
		if m.Related != nil {
			b.relationIndex(m.Related)
			continue
		}
		if t.Column(col) == nil || leads(t, col) {
			continue
		}
		b.warn("clock_index", fmt.Sprintf("CREATE INDEX %s ON %s (%s);", quote("idx_"+t.Name.Name+"_"+col), quote(t.Name.Name), quote(col)),
			"table %q has no index on its clock %q", t.Name, col)
	}
	for _, c := range b.dataset.Children {
		b.relationIndex(&c.Relation)
	}
}

// relationIndex warns where related rows would be found by walking their table.
func (b *binder) relationIndex(r *retention.Relation) {
	t := b.schema.Table(r.Table)
	if t == nil || len(r.On) == 0 {
		return
	}
	for _, p := range r.On {
		if t.Column(p.Theirs) == nil || leads(t, p.Theirs) {
			return
		}
	}
	col := r.On[0].Theirs
	b.warn("relation_index", fmt.Sprintf("CREATE INDEX %s ON %s (%s);", quote("idx_"+t.Name.Name+"_"+col), quote(t.Name.Name), quote(col)),
		"table %q has no index on %q, by which its rows are found", t.Name, col)
}

func leads(t *retention.Table, column string) bool {
	if len(t.Key) > 0 && t.Key[0] == column {
		return true
	}
	for _, i := range t.Indexes {
		if !i.Partial && len(i.Columns) > 0 && i.Columns[0] == column {
			return true
		}
	}
	return false
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// datasets checks what no rule covers: purposes without a rule, missing tables,
// disabled minimums, and rules of one purpose that overlap.
func (w *world) datasets(p *retention.Policy) []Problem {
	var out []Problem
	for i := range p.Datasets {
		d := &p.Datasets[i]
		s := w.Schemas[d.Source]
		if s != nil && s.Table(d.Table) == nil && !hasRule(p, d) {
			q := problem(p, "", d, retention.RefuseSchemaDrift, "create it, or correct `table:`", "source %q has no table %q", d.Source, d.Table)
			out = append(out, q)
		}
		if !hasRule(p, d) && d.Exempt == "" {
			q := problem(p, "", d, "", "decide a period and write a rule, or exempt: why", "dataset %q (%s) has no rule: undecided, never acted on", d.Name, d.Purpose)
			q.Level, q.Name = Warning, "undecided"
			out = append(out, q)
		}
	}
	return append(out, w.rules(p)...)
}

func hasRule(p *retention.Policy, d *retention.Dataset) bool {
	for i := range p.Rules {
		if p.Rules[i].Dataset == d.Name {
			return true
		}
	}
	return false
}

func (w *world) rules(p *retention.Policy) []Problem {
	var out []Problem
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Disabled && r.AtLeast != nil {
			q := problem(p, r.ID, p.Dataset(r.Dataset), "", "remove at_least to end the protection", "the rule is disabled, its minimum still protects")
			q.Level, q.Name = Warning, "disabled_minimum"
			out = append(out, q)
		}
		walk(r.Where, func(pr *retention.Predicate) {
			if pr.SQL != "" {
				q := problem(p, r.ID, p.Dataset(r.Dataset), "", "have it reviewed by a person who knows the schema", "the condition contains SQL of its own: %s", pr.SQL)
				q.Level, q.Name = Warning, "sql_condition"
				out = append(out, q)
			}
		})
		out = append(out, w.overlaps(p, i)...)
	}
	return out
}

// overlaps tells of rules on one table: each stands alone, the earlier wins.
func (w *world) overlaps(p *retention.Policy, i int) []Problem {
	var out []Problem
	a := p.Dataset(p.Rules[i].Dataset)
	for j := range p.Rules[:i] {
		c := p.Dataset(p.Rules[j].Dataset)
		if a == nil || c == nil || a.Table != c.Table || a.Source != c.Source || len(p.Rules[i].Stages) == 0 || len(p.Rules[j].Stages) == 0 {
			continue
		}
		q := problem(p, p.Rules[i].ID, a, "", "", "rule %q acts on the same table: each stands alone, and the earlier due date wins", p.Rules[j].ID)
		q.Level, q.Name = Info, "overlap"
		out = append(out, q)
	}
	return out
}
