package sqlgen

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/retentiond/retentiond/retention"
)

// Holds is a set of holds made ready to be bound: one JSON list for each type
// of subject, built once for the set and used in every statement.
type Holds struct {
	set    *retention.HoldSet
	lists  map[string]*IDs
	scoped []map[string]*IDs // beside set.Scoped
}

// NewHolds prepares the set. Identifiers that cannot be bound exactly (NUL
// bytes, invalid UTF-8) are an error: a hold must not be lost on the way.
func NewHolds(set *retention.HoldSet) (*Holds, error) {
	if set == nil {
		return nil, fmt.Errorf("no holds were read: nothing may act")
	}
	lists, err := jsonLists(set.Subjects)
	if err != nil {
		return nil, err
	}
	h := &Holds{set: set, lists: lists}
	for _, s := range set.Scoped {
		lists, err := jsonLists(s.Subjects)
		if err != nil {
			return nil, fmt.Errorf("hold %s: %w", s.Hold, err)
		}
		h.scoped = append(h.scoped, lists)
	}
	return h, nil
}

func jsonLists(subjects map[string][]string) (map[string]*IDs, error) {
	out := map[string]*IDs{}
	for typ, ids := range subjects {
		if len(ids) == 0 {
			continue
		}
		for _, id := range ids {
			if !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
				return nil, fmt.Errorf("an identifier of type %s has bytes that no column can be compared with: correct the hold", typ)
			}
		}
		ids = inOrder(ids)
		b, err := json.Marshal(ids)
		if err != nil {
			return nil, fmt.Errorf("identifiers of type %s: %w", typ, err)
		}
		out[typ] = &IDs{JSON: string(b), list: ids}
	}
	return out, nil
}

// inOrder sorts numbers by value, and texts of one length as such: an engine that
// makes an index of the list for a statement adds at its end.
func inOrder(ids []string) []string {
	return slices.SortedFunc(slices.Values(ids), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
}

// held is whether some hold covers the row (NULL where it is about nobody, who
// is not held): through a subject, through its
// table, or through a row whose declared child it is. path guards cycles.
func (g *Gen) held(r row, reach *retention.Reach, path ...*retention.Reach) SQL {
	if reach == nil {
		return g.fail("how holds reach table %s is not known: nothing may act", r.table.Name)
	}
	if slices.Contains(path, reach) {
		return sqlFalse
	}
	path = append(slices.Clone(path), reach)
	any := g.subjects(r, reach, g.holds.lists)
	for i, s := range g.holds.set.Scoped {
		if g.d.SameTable(s.Table, r.table.Name) {
			any = append(any, g.scopedHold(r, reach, s, g.holds.scoped[i]))
		}
	}
	for _, p := range reach.Parents {
		if p.Back {
			continue
		}
		any = append(any, g.parent(r, p, func(pr row) SQL { return g.held(pr, p.Reach, path...) }))
	}
	return Or(any...)
}

func (g *Gen) scopedHold(r row, reach *retention.Reach, s retention.ScopedHold, lists map[string]*IDs) SQL {
	where := g.match(r, s.Where)
	if len(s.Subjects) == 0 {
		return where
	}
	return And(where, g.about(r, reach, lists))
}

// about is whether the row is about one of the subjects, by itself or through
// its parents.
func (g *Gen) about(r row, reach *retention.Reach, lists map[string]*IDs, path ...*retention.Reach) SQL {
	if reach == nil || slices.Contains(path, reach) {
		return sqlFalse
	}
	path = append(slices.Clone(path), reach)
	any := g.subjects(r, reach, lists)
	for _, p := range reach.Parents {
		any = append(any, g.parent(r, p, func(pr row) SQL { return g.about(pr, p.Reach, lists, path...) }))
	}
	return Or(any...)
}

// subjects are the tests of the row's own declared subjects.
func (g *Gen) subjects(r row, reach *retention.Reach, lists map[string]*IDs) []SQL {
	var any []SQL
	for _, s := range reach.Subjects {
		list, some := lists[s.Type]
		if !some {
			continue
		}
		for _, c := range s.Columns {
			any = append(any, g.d.Among(g.col(r, c), g.column(r, c), list))
		}
		if s.Related != nil {
			x, on := g.reach(r, s.Related)
			id := g.d.Among(g.col(x, s.Related.Column), g.column(x, s.Related.Column), list)
			any = append(any, g.exists(x, on, g.match(x, s.Related.Where), id))
		}
	}
	return any
}

// parent is whether some row whose declared child r is passes the test.
func (g *Gen) parent(r row, p retention.ParentReach, test func(row) SQL) SQL {
	if p.Reach == nil {
		return g.fail("how holds reach the parent of table %s is not known: nothing may act", r.table.Name)
	}
	x, on := g.reach(r, reverse(&p.Child.Relation, p.Reach.Table))
	t := test(x)
	if isFalse(t) {
		return sqlFalse
	}
	return And(g.match(r, p.Child.Where), g.exists(x, on, t))
}

// protected is whether some minimum keeps the row: one that matches and whose
// clock is not known to be over.
func (g *Gen) protected(r row, minimums []retention.Minimum) SQL {
	var any []SQL
	for _, m := range minimums {
		any = append(any, And(g.match(r, m.Where), Not(g.dueBy(r, m.Clock))))
	}
	return Or(any...)
}

// blocked is whether a child that would go along must stay.
func (g *Gen) blocked(r row, children []retention.ChildReach) SQL {
	var any []SQL
	for i := range children {
		c := &children[i]
		x, on := g.reach(r, &c.Child.Relation)
		stays := Or(holdsTrue(g.held(x, c.Reach)), mayHold(g.protected(x, c.Minimums)))
		if isFalse(stays) {
			continue
		}
		any = append(any, g.exists(x, on, g.match(x, c.Child.Where), stays))
	}
	return Or(any...)
}
