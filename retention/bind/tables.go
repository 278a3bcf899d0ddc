package bind

import (
	"slices"
	"sort"

	"github.com/retentiond/retentiond/retention"
)

// Tables lists every table that the policies name under any of a database's
// source names, and the vault tables beside them: what planning asks the live
// catalogue for.
func Tables(policies []*retention.Policy, vaults map[string]Vault, sources ...string) []retention.TableName {
	set := tableSet{}
	for _, p := range policies {
		for i := range p.Datasets {
			if slices.Contains(sources, p.Datasets[i].Source) {
				set.dataset(&p.Datasets[i])
			}
		}
		for i := range p.Rules {
			if d := p.Dataset(p.Rules[i].Dataset); d != nil && slices.Contains(sources, d.Source) {
				set.rule(&p.Rules[i])
			}
		}
	}
	set.copies(vaults, sources)
	for _, p := range policies {
		for i := range p.Datasets {
			set.copiesOf(&p.Datasets[i], vaults, sources)
		}
	}
	return set.sorted()
}

type tableSet map[retention.TableName]bool

func (s tableSet) sorted() []retention.TableName {
	out := make([]retention.TableName, 0, len(s))
	for t := range s {
		out = append(out, t)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].String() < out[j].String() })
	return out
}

func (s tableSet) dataset(d *retention.Dataset) {
	s[d.Table] = true
	for i := range d.Subjects {
		s.relation(d.Subjects[i].Related)
	}
	for i := range d.Children {
		s.relation(&d.Children[i].Relation)
	}
}

func (s tableSet) rule(r *retention.Rule) {
	for i := range r.Clock.Members {
		s.relation(r.Clock.Members[i].Related)
	}
	s.predicate(r.Where)
}

// copies adds the vault tables beside every table: rows may have been archived
// by any rule, of now or of before.
func (s tableSet) copies(vaults map[string]Vault, sources []string) {
	live := s.sorted()
	for _, v := range vaults {
		if v.Sealed || !slices.ContainsFunc(sources, func(s string) bool { return v.at(s).Source == s }) {
			continue
		}
		for _, t := range live {
			s[v.Table(t)] = true
		}
	}
}

func (s tableSet) relation(r *retention.Relation) {
	if r == nil {
		return
	}
	s[r.Table] = true
	for _, h := range r.Via {
		s[h.Table] = true
	}
	s.predicate(r.Where)
}

func (s tableSet) predicate(p *retention.Predicate) {
	walk(p, func(q *retention.Predicate) { s.relation(q.Exists) })
}

// walk calls f on the predicate and on every part of it, but not on the
// conditions inside an exists.
func walk(p *retention.Predicate, f func(*retention.Predicate)) {
	if p == nil {
		return
	}
	f(p)
	for i := range p.All {
		walk(&p.All[i], f)
	}
	for i := range p.Any {
		walk(&p.Any[i], f)
	}
	walk(p.Not, f)
}
