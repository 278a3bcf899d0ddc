package bind

import (
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// Orphans selects the archived rows that no rule will ever end: their rule was
// renamed, or lost its archive stage, or archives elsewhere. Every archive ends (L9), so they are told.
type Orphans struct {
	Source    string
	Selection retention.Selection // due: archived by no rule of now
}

// orphans looks into every table of archived rows that was described.
func (w *world) orphans() []Orphans {
	var out []Orphans
	seen := map[phys]bool{}
	for source, s := range w.Schemas {
		for _, t := range s.Tables {
			k := w.phys(source, t.Name)
			if seen[k] || t.Column(retention.VaultRule) == nil || !w.isCopy(source, t.Name) {
				continue
			}
			seen[k] = true
			out = append(out, Orphans{Source: source, Selection: retention.Selection{
				Schema: s, Table: t, Where: strangers(w.archivers(source, t.Name)),
				Clock: retention.ClockTest{Any: true}, Reach: &retention.Reach{Table: t.Name},
			}})
		}
	}
	return out
}

// isCopy reports whether the table is some vault's copy of a live one.
func (w *world) isCopy(source string, t retention.TableName) bool {
	for _, v := range w.Vaults {
		if v.Sealed || v.at(source).Source != source {
			continue
		}
		for _, live := range w.Schemas[source].Tables {
			if v.Table(live.Name) == t {
				return true
			}
		}
		for _, p := range w.all() {
			for i := range p.Datasets {
				for _, from := range copied(&p.Datasets[i], v) {
					if live := w.Schemas[source].Table(from); live != nil && live.Name == t {
						return true
					}
				}
			}
		}
	}
	return false
}

// archivers are the rules, as vaults name them, that archive into this very table, and so
// end what is in it: one that archives elsewhere by now, or into a copy of another name,
// ends nothing here.
func (w *world) archivers(source string, t retention.TableName) []retention.Scalar {
	var out []retention.Scalar
	for _, p := range w.all() {
		for i := range p.Rules {
			for _, st := range p.Rules[i].Stages {
				if d := p.Dataset(p.Rules[i].Dataset); d == nil || st.Action.Kind != retention.Archive || !w.copiesTo(d, st.Action.Vault, source, t) {
					continue
				}
				if s := (retention.Scalar{Text: p.Name + "/" + p.Rules[i].ID, Tag: retention.TagString}); !slices.Contains(out, s) {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// copiesTo reports whether the vault's copy of the dataset's table, or of a child's that
// goes with its rows, is the table.
func (w *world) copiesTo(d *retention.Dataset, vault, source string, t retention.TableName) bool {
	v, ok := w.Vaults[vault]
	if v = v.at(d.Source); !ok || v.Sealed {
		return false
	}
	from := []retention.TableName{d.Table}
	for _, c := range d.Children {
		if c.Then == retention.ChildDelete {
			from = append(from, c.Table)
		}
	}
	return slices.ContainsFunc(from, func(n retention.TableName) bool {
		return w.phys(v.Source, v.Table(n)) == w.phys(source, t) || w.phys(v.Source, v.Table(w.canon(d.Source, n))) == w.phys(source, t)
	})
}

// strangers are all rows but those of the rules.
func strangers(known []retention.Scalar) *retention.Predicate {
	if len(known) == 0 {
		return nil
	}
	test := func(op retention.Op, vs []retention.Scalar) retention.Predicate {
		return retention.Predicate{Test: &retention.Comparison{Column: retention.VaultRule, Op: op, Values: vs}}
	}
	return &retention.Predicate{Any: []retention.Predicate{test(retention.IsNull, nil), test(retention.NotIn, known)}}
}
