package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// indexes warns of each search by which batches find their rows, or holds
// theirs, where no index leads with its columns: the clock, related rows, the
// children's side of foreign keys, subjects.
func (b *binder) indexes() {
	if b.dataset.Files != nil { // a listing is made for the purpose
		return
	}
	for i := range b.rule.Clock.Members {
		m := &b.rule.Clock.Members[i]
		if m.Related != nil {
			b.relationIndex(m.Related)
			continue
		}
		if b.table.Column(m.Column) != nil && !leads(b.table, m.Column) {
			b.wantIndex("clock_index", b.table, []string{m.Column}, "table %q has no index on its clock %q", b.table.Name, m.Column)
		}
	}
	for _, c := range b.dataset.Children {
		b.relationIndex(&c.Relation)
	}
	for i := range b.dataset.Subjects {
		b.subjectIndex(&b.dataset.Subjects[i])
	}
	b.referenceIndexes()
}

// referenceIndexes warns where the database itself looks for referring rows, for
// each row that goes, by walking their table.
func (b *binder) referenceIndexes() {
	takes := false
	for i := range b.rule.Stages {
		takes = takes || b.rule.Stages[i].Action.Kind.Takes()
	}
	if !takes {
		return
	}
	going := []*retention.Table{b.table}
	for _, c := range b.dataset.Children {
		if t := b.schema.Table(c.Table); t != nil && c.Then == retention.ChildDelete {
			going = append(going, t)
		}
	}
	for _, t := range going {
		for _, fk := range t.Referenced {
			from := b.schema.Table(fk.From)
			if from == nil || len(fk.Columns) == 0 || leadsAny(from, fk.Columns) {
				continue
			}
			b.wantIndex("reference_index", from, fk.Columns,
				"table %q has no index on its foreign key (%s) to %q: each row that goes there walks it", from.Name, strings.Join(fk.Columns, ", "), t.Name)
		}
	}
}

// relationIndex warns where related rows would be found by walking their table.
func (b *binder) relationIndex(r *retention.Relation) {
	t := b.schema.Table(r.Table)
	if t == nil || len(r.On) == 0 {
		return
	}
	var cols []string
	for _, p := range r.On {
		if t.Column(p.Theirs) == nil {
			return
		}
		cols = append(cols, p.Theirs)
	}
	if !leadsAny(t, cols) {
		b.wantIndex("relation_index", t, cols[:1], "table %q has no index on %q, by which its rows are found", t.Name, cols[0])
	}
}

// subjectIndex warns where the rows of a held person would be found by walking
// the table.
func (b *binder) subjectIndex(s *retention.Subject) {
	if s.Related != nil {
		b.relationIndex(s.Related)
		return
	}
	for _, c := range s.Columns {
		if b.table.Column(c) != nil && !leads(b.table, c) {
			b.wantIndex("subject_index", b.table, []string{c}, "table %q has no index on %q, by which a hold finds its rows", b.table.Name, c)
		}
	}
}

// wantIndex warns once for each index that would help.
func (b *binder) wantIndex(name string, t *retention.Table, cols []string, format string, args ...any) {
	for _, p := range b.problems {
		if p.Index != nil && p.Index.Table == t.Name && slices.Equal(p.Index.Columns, cols) {
			return
		}
	}
	var quoted []string
	for _, c := range cols {
		quoted = append(quoted, quote(c))
	}
	b.warn(name, fmt.Sprintf("CREATE INDEX %s ON %s (%s);", quote("idx_"+t.Name.Name+"_"+strings.Join(cols, "_")), qualified(t.Name), strings.Join(quoted, ", ")), format, args...)
	b.problems[len(b.problems)-1].Index = &Index{Table: t.Name, Columns: cols}
}

func qualified(t retention.TableName) string {
	if t.Schema == "" {
		return quote(t.Name)
	}
	return quote(t.Schema) + "." + quote(t.Name)
}

func leadsAny(t *retention.Table, cols []string) bool {
	return slices.ContainsFunc(cols, func(c string) bool { return leads(t, c) })
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
		if s.Table(d.Table) != nil && !hasRule(p, d) {
			out = append(out, w.subjects(p, d)...)
		}
		if !hasRule(p, d) && d.Exempt == "" {
			q := problem(p, "", d, "", "decide a period and write a rule, or exempt: why", "dataset %q (%s) has no rule: undecided, never acted on", d.Name, d.Purpose)
			q.Level, q.Name = Warning, "undecided"
			out = append(out, q)
		}
	}
	return append(out, w.rules(p)...)
}

// subjects checks whom the rows of a dataset without a rule are about: holds are
// for it too.
func (w *world) subjects(p *retention.Policy, d *retention.Dataset) []Problem {
	s := w.Schemas[d.Source]
	b := &binder{world: w, policy: p, rule: &retention.Rule{}, dataset: d, schema: s, table: s.Table(d.Table)}
	b.about()
	return b.problems
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
