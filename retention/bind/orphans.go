package bind

import (
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// Orphans selects the archived rows that no rule will ever end: their rule was
// renamed, or lost its archive stage. Every archive ends (L9), so they are told.
type Orphans struct {
	Source    string
	Selection retention.Selection // due: archived by no rule of now
}

// orphans looks into every vault table that exists.
func (w *world) orphans() []Orphans {
	var out []Orphans
	seen := map[phys]bool{}
	for source, s := range w.Schemas {
		for _, v := range w.Vaults {
			if v.Sealed || v.at(source).Source != source {
				continue
			}
			for _, t := range s.Tables {
				k := w.phys(source, t.Name)
				if seen[k] || t.Column(retention.VaultRule) == nil || !w.isCopy(source, v, t.Name) {
					continue
				}
				seen[k] = true
				out = append(out, Orphans{Source: source, Selection: retention.Selection{
					Schema: s, Table: t, Where: strangers(w.archivers()),
					Clock: retention.ClockTest{Any: true}, Reach: &retention.Reach{Table: t.Name},
				}})
			}
		}
	}
	return out
}

// isCopy reports whether the table is the vault's copy of a live one.
func (w *world) isCopy(source string, v Vault, t retention.TableName) bool {
	for _, live := range w.Schemas[source].Tables {
		if v.Table(live.Name) == t {
			return true
		}
	}
	s := w.Schemas[source]
	for _, p := range w.all() {
		for i := range p.Datasets {
			for _, from := range copied(&p.Datasets[i], v) {
				if live := s.Table(from); live != nil && live.Name == t {
					return true
				}
			}
		}
	}
	return false
}

// archivers are the rules that archive and later delete, as vaults name them.
func (w *world) archivers() []retention.Scalar {
	var out []retention.Scalar
	for _, p := range w.all() {
		for i := range p.Rules {
			for _, st := range p.Rules[i].Stages {
				if st.Action.Kind == retention.Archive {
					if s := (retention.Scalar{Text: p.Name + "/" + p.Rules[i].ID, Tag: retention.TagString}); !slices.Contains(out, s) {
						out = append(out, s)
					}
					break
				}
			}
		}
	}
	return out
}

func strangers(known []retention.Scalar) *retention.Predicate {
	if len(known) == 0 {
		return nil
	}
	test := func(op retention.Op, vs []retention.Scalar) retention.Predicate {
		return retention.Predicate{Test: &retention.Comparison{Column: retention.VaultRule, Op: op, Values: vs}}
	}
	return &retention.Predicate{Any: []retention.Predicate{test(retention.IsNull, nil), test(retention.NotIn, known)}}
}
