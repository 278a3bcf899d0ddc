package engine_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// oSealed is what was known of a row when it was sealed: nobody can ask it again.
type oSealed struct {
	segment, intent string              // told by the vault afterwards
	own             map[string]bool     // type:id, by columns of the row
	via             map[string]bool     // by other rows
	types           map[string]bool     // of via
	minimums        map[string]*oKeeper // by rule
}

// oKeeper is how long a minimum protected the row.
type oKeeper struct {
	unknown bool
	said    []reading
}

func (o *oracle) seals() bool { return o.w.Vault == "sealed" }

// seal notes what is known of the rows and of the children that go with them.
func (o *oracle) seal(s *oStep, rows []*oRow) {
	for _, r := range rows {
		o.sealRow(s.table(), r, nil, nil)
	}
	for i := range s.ds.Children {
		c := &s.ds.Children[i]
		if c.Then != "delete" {
			continue
		}
		for _, f := range o.childrenOf(s, c, rows) {
			o.sealRow(c.Relation.Table, f, []string{s.table()}, &way{s.table(), &c.Relation})
		}
	}
}

func (o *oracle) sealRow(table string, r *oRow, seen []string, from *way) {
	if r.sealed != nil { // a child by two ways
		return
	}
	r.sealed = &oSealed{own: map[string]bool{}, via: map[string]bool{}, types: map[string]bool{}, minimums: map[string]*oKeeper{}}
	o.named(table, r, r.sealed.own)
	o.others(table, r, seen, from, r.sealed)
	for _, m := range o.w.Rules {
		if m.AtLeast == nil || physical(o.w.dataset(m.Dataset).Table) != table || o.cond(nil, table, r, m.Where) != yes {
			continue
		}
		k := &oKeeper{}
		r.sealed.minimums[m.ID] = k
		said, open := o.under(m).said(nil, table, r, &m.Clock, *m.AtLeast)
		if k.unknown = open || slices.ContainsFunc(said, func(x reading) bool { return x.state == "bad" }); !k.unknown {
			k.said = carried(said, &m.Clock)
		}
	}
}

// named adds whom the row's own columns name.
func (o *oracle) named(table string, r *oRow, into map[string]bool) {
	for _, d := range o.w.Datasets {
		if physical(d.Table) != table {
			continue
		}
		for _, s := range d.Subjects {
			s.Related = nil
			for _, id := range o.identifiers(nil, table, r, &s) {
				into[s.Type+":"+id] = true
			}
		}
	}
}

// way is how a child was reached.
type way struct {
	parent   string
	relation *wRelation
}

// others adds whom other rows say that the row is about: related subjects, and parents
// but the very one that goes with it.
func (o *oracle) others(table string, r *oRow, seen []string, from *way, into *oSealed) {
	for _, d := range o.w.Datasets {
		if physical(d.Table) != table {
			continue
		}
		for _, s := range d.Subjects {
			if s.Related == nil || !o.leads(table, r, s.Related) {
				continue
			}
			into.types[s.Type] = true
			for _, id := range o.identifiers(nil, table, r, &wSubject{Type: s.Type, Related: s.Related}) {
				into.via[s.Type+":"+id] = true
			}
		}
	}
	for _, d := range o.w.Datasets {
		for i := range d.Children {
			if c := &d.Children[i]; c.Relation.Table == table && o.cond(nil, table, r, c.Relation.Where) == yes {
				o.parents(physical(d.Table), c, table, r, seen, from, into)
			}
		}
	}
}

func (o *oracle) parents(parent string, c *wChild, table string, r *oRow, seen []string, from *way, into *oSealed) {
	same := from != nil && from.parent == parent && reflect.DeepEqual(from.relation, &c.Relation)
	sibling := from != nil && from.parent == parent && !same
	if same && o.oneWay(parent, &c.Relation) || !same && !sibling && slices.Contains(seen, parent) {
		return
	}
	for _, x := range o.live[parent].rows {
		if !slices.Contains(o.related(nil, parent, x, &c.Relation), r) {
			continue
		}
		o.named(parent, x, into.via)
		o.others(parent, x, append(slices.Clone(seen), table), nil, into)
		for _, d := range o.w.Datasets {
			if physical(d.Table) == parent {
				for _, s := range d.Subjects {
					if len(s.Columns) > 0 {
						into.types[s.Type] = true
					}
				}
			}
		}
	}
}

// leads: some row tells whom the row is about, be it nobody.
func (o *oracle) leads(table string, r *oRow, rel *wRelation) bool {
	return slices.ContainsFunc(o.related(nil, table, r, rel), func(f *oRow) bool { return o.cond(nil, rel.Table, f, rel.Where) == yes })
}

// oneWay: back from the child there is one parent at most.
func (o *oracle) oneWay(parent string, rel *wRelation) bool {
	near := o.w.table(parent)
	for _, h := range rel.hops() {
		for _, k := range near.Key {
			if !slices.ContainsFunc(h.On, func(p wPair) bool { return p.Ours == k }) {
				return false
			}
		}
		near = o.w.table(h.Table)
	}
	return true
}

// segmentOf are the rows of a segment, by table.
func (o *oracle) segmentOf(name string) map[string][]*oRow {
	return o.sealedRows(func(s *oSealed) bool { return s.segment == name })
}

func (o *oracle) sealedRows(want func(*oSealed) bool) map[string][]*oRow {
	out := map[string][]*oRow{}
	for t, v := range o.vault {
		for _, r := range v.rows {
			if want(r.sealed) {
				out[t] = append(out[t], r)
			}
		}
	}
	return out
}

// sealedClass is the class of a whole segment.
func (o *oracle) sealedClass(s *oStep, r *oRow) string {
	seg := o.segmentOf(r.sealed.segment)
	for _, x := range seg[s.table()] {
		if o.under(s.rule).judge(x.said, false, s.rule.Stages[s.stage].Keep) != "over" {
			return "active"
		}
	}
	if o.segmentHeld(s, seg, r.sealed.intent) {
		return "held"
	}
	if o.segmentKept(seg, s.table()) {
		return "protected"
	}
	for _, c := range s.ds.Children {
		if c.Then == "delete" && o.segmentKept(seg, c.Relation.Table) {
			return "blocked"
		}
	}
	return "due"
}

func (o *oracle) segmentKept(seg map[string][]*oRow, table string) bool {
	for _, r := range seg[table] {
		for id, k := range r.sealed.minimums {
			m := o.rule(id)
			if k.unknown || o.under(m).judge(k.said, false, *m.AtLeast) != "over" {
				return true
			}
		}
	}
	return false
}

func (o *oracle) rule(id string) *wRule {
	return o.w.Rules[slices.IndexFunc(o.w.Rules, func(r *wRule) bool { return r.ID == id })]
}

// segmentHeld: a hold reaches a row of the segment, or might.
func (o *oracle) segmentHeld(s *oStep, seg map[string][]*oRow, intent string) bool {
	about, types := map[string]bool{}, o.declared(s)
	for _, rows := range seg {
		for _, r := range rows {
			maps.Copy(about, r.sealed.own)
		}
	}
	for _, rows := range o.sealedRows(func(x *oSealed) bool { return x.intent == intent }) {
		for _, r := range rows {
			maps.Copy(about, r.sealed.via)
			maps.Copy(types, r.sealed.types)
		}
	}
	any := func(subjects []string) bool {
		return slices.ContainsFunc(subjects, func(id string) bool {
			typ, _, _ := strings.Cut(id, ":")
			return about[id] || !types[typ] && o.mayReach(s, typ)
		})
	}
	for _, h := range o.holds() {
		if len(h.Datasets) == 0 && any(h.Subjects) {
			return true
		}
		for _, d := range h.Datasets {
			if len(seg[physical(o.w.dataset(d).Table)]) > 0 && (len(h.Subjects) == 0 || any(h.Subjects)) {
				return true
			}
		}
	}
	return false
}

// declared are the types that the tables themselves declare.
func (o *oracle) declared(s *oStep) map[string]bool {
	out := map[string]bool{}
	for t := range o.moved(s.ds) {
		o.typesOf(t, out)
	}
	return out
}

func (o *oracle) typesOf(table string, into map[string]bool) {
	for _, d := range o.w.Datasets {
		if physical(d.Table) == table {
			for _, s := range d.Subjects {
				into[s.Type] = true
			}
		}
	}
}

// mayReach: a hold on that type could be about rows of the tables, by a parent.
func (o *oracle) mayReach(s *oStep, typ string) bool {
	types, tables := map[string]bool{}, []string{s.table()}
	for _, c := range s.ds.Children {
		tables = append(tables, c.Relation.Table)
	}
	for i := 0; i < len(tables); i++ {
		o.typesOf(tables[i], types)
		for _, d := range o.w.Datasets {
			up := physical(d.Table)
			if !slices.Contains(tables, up) && slices.ContainsFunc(d.Children, func(c wChild) bool { return c.Relation.Table == tables[i] }) {
				tables = append(tables, up)
			}
		}
	}
	return types[typ]
}

// end takes the segments of the rows away, children included.
func (o *oracle) end(rows []*oRow) {
	gone := map[string]bool{}
	for _, r := range rows {
		gone[r.sealed.segment] = true
	}
	for _, t := range o.vault {
		t.rows = slices.DeleteFunc(t.rows, func(r *oRow) bool { return gone[r.sealed.segment] })
	}
}

// sealedChildren counts what goes with the rows.
func (o *oracle) sealedChildren(s *oStep, due []*oRow) map[string]int {
	out, seen := map[string]int{}, map[string]bool{}
	for _, r := range due {
		if seen[r.sealed.segment] {
			continue
		}
		seen[r.sealed.segment] = true
		for t, rows := range o.segmentOf(r.sealed.segment) {
			if t != s.table() {
				out[t] += len(rows)
			}
		}
	}
	return out
}

// found says which rows the vault has in a segment: of each table, rows that were
// sealed and are in no segment yet. What left is what was restored (L9).
func (o *oracle) found(segment, intent, table string, rows [][]cell) error {
	t := o.vault[table]
	for _, got := range rows {
		at := -1
		if t != nil {
			at = slices.IndexFunc(t.rows, func(r *oRow) bool { return r.sealed.segment == "" && reflect.DeepEqual(r.v, got) })
		}
		if at < 0 {
			return fmt.Errorf("segment %s has a row of table %q that did not leave, or did otherwise: %+v", segment, table, got)
		}
		t.rows[at].sealed.segment, t.rows[at].sealed.intent = segment, intent
	}
	return nil
}
