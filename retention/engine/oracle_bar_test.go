package engine_test

import (
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// bar takes the rules out that were refused since what decides about their rows would
// stay behind, and returns the other refusals. Whoever refuses too much is told: a rule
// that asks nothing but what moves has no reason to be refused.
func (o *oracle) bar(refusals []retention.Refusal) ([]retention.Refusal, error) {
	o.barred = map[string]bool{}
	var out []retention.Refusal
	for _, r := range refusals {
		at := slices.IndexFunc(o.w.Rules, func(x *wRule) bool { return x.ID == r.Rule })
		if o.w.Vault == "" || at < 0 || r.Code != retention.RefusePolicyError || !o.w.Rules[at].archives() {
			out = append(out, r)
			continue
		}
		if !o.asksBack(o.w.Rules[at]) {
			return nil, fmt.Errorf("rule %s is refused, and nothing that decides about its rows stays behind: %s", r.Rule, r.Message)
		}
		o.barred[r.Rule] = true
	}
	return out, nil
}

// asksBack: a hold or a minimum on what moves asks some table that stays.
func (o *oracle) asksBack(r *wRule) bool {
	ds := o.w.dataset(r.Dataset)
	moved := o.moved(ds)
	return slices.ContainsFunc(o.w.Tables, func(t *wTable) bool { return moved[t.Name] && o.asks(t.Name, moved, nil) }) ||
		slices.ContainsFunc(ds.Children, func(c wChild) bool { return o.stays(moved, &c.Relation) })
}

// asks: whom rows of the table are about, or how long they must be kept, is asked of a
// table that stays.
func (o *oracle) asks(table string, moved place, path []string) bool {
	if slices.Contains(path, table) {
		return false
	}
	for _, d := range o.w.Datasets {
		if physical(d.Table) == table && slices.ContainsFunc(d.Subjects, func(s wSubject) bool { return s.Related != nil && o.stays(moved, s.Related) }) {
			return true
		}
		for i := range d.Children {
			c := &d.Children[i].Relation
			up := physical(d.Table)
			if c.Table == table && (!moved[up] || o.stays(moved, c) || o.asks(up, moved, append(slices.Clone(path), table))) {
				return true
			}
		}
	}
	return slices.ContainsFunc(o.w.Rules, func(m *wRule) bool {
		return m.AtLeast != nil && physical(o.w.dataset(m.Dataset).Table) == table && o.minimumAsks(m, moved)
	})
}

func (o *oracle) minimumAsks(m *wRule, moved place) bool {
	return slices.ContainsFunc(m.Clock.Members, func(x wMember) bool { return x.Related != nil && o.stays(moved, x.Related) }) || o.condAsks(m.Where, moved)
}

func (o *oracle) condAsks(c *wCond, moved place) bool {
	if c == nil {
		return false
	}
	return c.Related != nil && o.stays(moved, c.Related) || slices.ContainsFunc(c.Parts, func(x *wCond) bool { return o.condAsks(x, moved) })
}

// stays: the way leads over, or to, a table that stays.
func (o *oracle) stays(moved place, rel *wRelation) bool {
	return slices.ContainsFunc(rel.hops(), func(h wHop) bool { return !moved[physical(h.Table)] }) || o.condAsks(rel.Where, moved)
}
