package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// oStep is one stage of one rule, on its table or on the vault's copy.
type oStep struct {
	rule  *wRule
	ds    *wDataset
	stage int // from 0
	vault bool
	// sealed: the vault's rows are in segments, and end as these do.
	sealed bool
	moved  place
}

func (s *oStep) then() string  { return s.rule.Stages[s.stage].Then }
func (s *oStep) table() string { return physical(s.ds.Table) }
func (s *oStep) refused() string {
	return fmt.Sprintf("%s/%d", s.rule.ID, s.stage+1)
}

// name tells the step as reports do: rule, stage and table.
func (s *oStep) name() string {
	if s.vault && !s.sealed {
		return fmt.Sprintf("%s/%d/%s", s.rule.ID, s.stage+1, vaultPrefix+s.table())
	}
	return fmt.Sprintf("%s/%d/%s", s.rule.ID, s.stage+1, s.table())
}

// archivedBefore: an earlier stage moves rows to the vault.
func (s *oStep) archivedBefore() bool {
	return slices.ContainsFunc(s.rule.Stages[:s.stage], func(x wStage) bool { return x.Then == "archive" })
}

// steps lists the steps in the order in which a run does them.
func (o *oracle) steps() []*oStep {
	var out []*oStep
	for _, r := range o.w.Rules {
		ds := o.w.dataset(r.Dataset)
		if o.barred[r.ID] {
			continue
		}
		for i := range r.Stages {
			s := &oStep{rule: r, ds: ds, stage: i}
			out = append(out, s)
			if s.archivedBefore() && (o.seals() || o.vault[s.table()] != nil) {
				out = append(out, &oStep{rule: r, ds: ds, stage: i, vault: true, sealed: o.seals(), moved: o.moved(ds)})
			}
		}
	}
	return out
}

// moved are the dataset's tables whose rows are in the vault together.
func (o *oracle) moved(ds *wDataset) place {
	out := place{physical(ds.Table): true}
	for _, c := range ds.Children {
		if c.Then == "delete" {
			out[c.Relation.Table] = true
		}
	}
	return out
}

// class is the row's class: the first that fits.
func (o *oracle) class(s *oStep, r *oRow) string {
	if s.sealed {
		return o.sealedClass(s, r)
	}
	if o.excluded(s, r) {
		return "excluded"
	}
	if !s.vault && o.alreadyDone(s, r) {
		return "done"
	}
	switch c := o.clockOf(s, r, s.rule.Stages[s.stage].Keep); {
	case c == "open":
		return c
	case !s.vault && o.nameless(s, r):
		return "unresolved"
	case c != "over":
		return c
	}
	switch {
	case o.held(s.moved, s.table(), r, nil):
		return "held"
	case s.then() != "archive" && o.protected(s.moved, s.table(), r):
		return "protected"
	case takes(s.then()) && o.blocked(s, r):
		return "blocked"
	}
	return "due"
}

// nameless: a batch could not say which row it means.
func (o *oracle) nameless(s *oStep, r *oRow) bool {
	t := o.live[s.table()]
	return slices.ContainsFunc(t.def.Key, func(k string) bool { return t.get(r, k).null() })
}

func (o *oracle) clockOf(s *oStep, r *oRow, keep wPeriod) string {
	o = o.under(s.rule)
	if s.vault {
		return o.judge(r.said, false, keep)
	}
	return o.clock(nil, s.table(), r, &s.rule.Clock, keep)
}

// under is the oracle in the zone of the rule's policy.
func (o *oracle) under(r *wRule) *oracle {
	out := *o
	out.zone = mustZone(o.w.Zone)
	if o.w.dataset(r.Dataset).Second {
		out.zone = mustZone(o.w.Zone2)
	}
	return &out
}

// excluded: the condition is not true, or the row is past the next stage.
func (o *oracle) excluded(s *oStep, r *oRow) bool {
	if s.vault {
		return r.rule != s.rule.ID
	}
	if o.cond(nil, s.table(), r, s.rule.Where) != yes {
		return true
	}
	next := s.stage + 1
	return next < len(s.rule.Stages) && o.clockOf(s, r, s.rule.Stages[next].Keep) == "over"
}

func (o *oracle) alreadyDone(s *oStep, r *oRow) bool {
	st := &s.rule.Stages[s.stage]
	if st.Then != "redact" && st.Then != "anonymise" {
		return false
	}
	t := o.live[s.table()]
	if st.Mark != "" && t.get(r, st.Mark).null() {
		return false
	}
	for _, ch := range st.Changes {
		if !formed(t.get(r, ch.Column), t.def.column(ch.Column), ch) {
			return false
		}
	}
	return true
}

// holds lists the holds that have not ended.
func (o *oracle) holds() []*wHold {
	var out []*wHold
	for _, h := range o.w.Holds {
		if h.Late && !o.late {
			continue
		}
		ended := o.w.AsOf.Add(grace - time.Duration(h.Released)*24*time.Hour)
		if h.Released == 0 || o.now.Before(ended) {
			out = append(out, h)
		}
	}
	return out
}

// held: a hold covers the row by its subject, by its table, or through a row
// whose declared child it is.
func (o *oracle) held(p place, table string, r *oRow, path []string) bool {
	if slices.Contains(path, table) {
		return false
	}
	for _, h := range o.holds() {
		if len(h.Datasets) == 0 && o.about(p, table, r, h.Subjects, nil) {
			return true
		}
		for _, name := range h.Datasets {
			if physical(o.w.dataset(name).Table) != table || o.cond(p, table, r, h.Where) != yes {
				continue
			}
			if len(h.Subjects) == 0 || o.about(p, table, r, h.Subjects, nil) {
				return true
			}
		}
	}
	return o.anyParent(p, table, r, func(parent string, x *oRow) bool {
		return o.held(p, parent, x, append(slices.Clone(path), table))
	})
}

// anyParent asks every row whose declared child r is.
func (o *oracle) anyParent(p place, table string, r *oRow, ask func(string, *oRow) bool) bool {
	for _, d := range o.w.Datasets {
		for _, c := range d.Children {
			if c.Relation.Table != table || o.cond(p, table, r, c.Relation.Where) != yes {
				continue
			}
			parent := physical(d.Table)
			for _, x := range o.at(p, parent).rows {
				if slices.Contains(o.related(p, parent, x, &c.Relation), r) && ask(parent, x) {
					return true
				}
			}
		}
	}
	return false
}

// about: the row is about one of the subjects, by itself or through its parents.
func (o *oracle) about(p place, table string, r *oRow, subjects, path []string) bool {
	if slices.Contains(path, table) {
		return false
	}
	for _, d := range o.w.Datasets {
		if physical(d.Table) != table {
			continue
		}
		for _, s := range d.Subjects {
			for _, id := range o.identifiers(p, table, r, &s) {
				if slices.Contains(subjects, s.Type+":"+id) {
					return true
				}
			}
		}
	}
	return o.anyParent(p, table, r, func(parent string, x *oRow) bool {
		return o.about(p, parent, x, subjects, append(slices.Clone(path), table))
	})
}

func (o *oracle) identifiers(p place, table string, r *oRow, s *wSubject) []string {
	var out []string
	add := func(c cell) {
		switch c.T {
		case "integer":
			out = append(out, fmt.Sprint(c.I))
		case "text":
			out = append(out, c.S)
		}
	}
	for _, c := range s.Columns {
		add(o.at(p, table).get(r, c))
	}
	if s.Related != nil {
		for _, q := range o.places(p, s.Related) {
			for _, f := range o.related(q, table, r, s.Related) {
				add(o.at(q, s.Related.Table).get(f, s.Related.Column))
			}
		}
	}
	return out
}

// places are where the rows on the way to a subject may be: each table's own, and
// its archived copies.
func (o *oracle) places(p place, rel *wRelation) []place {
	out := []place{p}
	if o.w.Vault != "" { // who looks in one database finds nothing of another
		return out
	}
	tables := []string{rel.Table}
	for _, h := range rel.Via {
		tables = append(tables, h.Table)
	}
	for _, t := range tables {
		t = physical(t)
		if o.vault[t] == nil || p[t] {
			continue
		}
		for _, have := range out[:len(out):len(out)] {
			q := maps.Clone(have)
			if q == nil {
				q = place{}
			}
			q[t] = true
			out = append(out, q)
		}
	}
	return out
}

// protected: some minimum of some rule on the table is not known to be over.
func (o *oracle) protected(p place, table string, r *oRow) bool {
	for _, rule := range o.w.Rules {
		if rule.AtLeast == nil || physical(o.w.dataset(rule.Dataset).Table) != table {
			continue
		}
		if p[table] && r.rule == rule.ID {
			if o.under(rule).judge(r.said, false, *rule.AtLeast) != "over" {
				return true
			}
			continue
		}
		if o.cond(p, table, r, rule.Where) == yes && o.under(rule).clock(p, table, r, &rule.Clock, *rule.AtLeast) != "over" {
			return true
		}
	}
	return false
}

// blocked: a child that would go along must stay.
func (o *oracle) blocked(s *oStep, r *oRow) bool {
	for _, c := range s.ds.Children {
		if s.vault && c.Then != "delete" {
			continue
		}
		t := c.Relation.Table
		for _, f := range o.related(s.moved, s.table(), r, &c.Relation) {
			if o.cond(s.moved, t, f, c.Relation.Where) != yes {
				continue
			}
			if o.held(s.moved, t, f, nil) || s.then() != "archive" && o.protected(s.moved, t, f) {
				return true
			}
		}
	}
	return false
}
