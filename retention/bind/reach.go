package bind

import (
	"fmt"
	"reflect"

	"github.com/retentiond/retentiond/retention"
)

// reach says how holds reach a table's rows: the subjects that any dataset of
// any policy declares on it, and its parents where it is a declared child. skip is
// the child relation that we came by.
func (w *world) reach(source string, t retention.TableName, seen []retention.TableName, skip *parentUse) (*retention.Reach, error) {
	s := w.Schemas[source]
	out := &retention.Reach{Table: t}
	t = w.canon(source, t)
	k := w.phys(source, t)
	for _, u := range w.uses[k] {
		for _, sub := range u.dataset.Subjects {
			if err := checkSubject(s, s.Table(t), &sub); err != nil {
				return nil, fmt.Errorf("subject %s of %s/%s: %w", sub.Type, u.policy.Name, u.dataset.Name, err)
			}
			out.Subjects = addSubject(out.Subjects, sub)
			for _, moved := range w.movedSubjects(source, t, sub) {
				out.Subjects = addSubject(out.Subjects, moved)
			}
		}
	}
	w.ownParents(source, t, out)
	seen = append(append([]retention.TableName{}, seen...), t)
	for _, pu := range w.parents[k] {
		same := w.sameParent(skip, &pu)
		back := same && w.oneWayBack(s, &pu)
		if !same && contains(seen, w.canon(source, pu.dataset.Table)) && !w.siblingOf(skip, &pu) {
			continue
		}
		if err := w.parent(source, out, &pu, seen, back); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (w *world) parent(source string, out *retention.Reach, pu *parentUse, seen []retention.TableName, back bool) error {
	s := w.Schemas[source]
	if s.Table(pu.dataset.Table) == nil {
		return fmt.Errorf("parent table %q of %s/%s is missing", pu.dataset.Table, pu.policy.Name, pu.dataset.Name)
	}
	if err := checkRelation(s, s.Table(pu.dataset.Table), &pu.child.Relation); err != nil {
		return fmt.Errorf("child of %s/%s: %w", pu.policy.Name, pu.dataset.Name, err)
	}
	up, err := w.reach(source, pu.dataset.Table, seen, nil)
	if err != nil {
		return err
	}
	p := retention.ParentReach{Child: pu.child, Reach: up, Back: back}
	for i := range out.Parents {
		if out.Parents[i].Reach.Table == up.Table && reflect.DeepEqual(relationKey(&out.Parents[i].Child.Relation), relationKey(&pu.child.Relation)) {
			return nil
		}
	}
	out.Parents = append(out.Parents, p)
	return nil
}

// sameParent reports whether pu is the very relation that skip names.
func (w *world) sameParent(skip, pu *parentUse) bool {
	return w.oneTable(skip, pu) &&
		reflect.DeepEqual(relationKey(&skip.child.Relation), relationKey(&pu.child.Relation))
}

// oneWayBack reports whether a child leads back to one parent at most: the very
// one that it was reached from. Where it does not (letters by e-mail address),
// another parent may be held, and its child with it.
func (w *world) oneWayBack(s *retention.Schema, pu *parentUse) bool {
	near := s.Table(pu.dataset.Table)
	hops := append(append([]retention.Hop{}, pu.child.Via...), retention.Hop{Table: pu.child.Table, On: pu.child.On})
	for _, h := range hops {
		var back []retention.Pair
		for _, p := range h.On {
			back = append(back, retention.Pair{Theirs: p.Ours, Ours: p.Theirs})
		}
		if !unique(near, back) {
			return false
		}
		near = s.Table(h.Table)
	}
	return true
}

// siblingOf reports whether pu leads to the same parent table as skip, by
// another relation: a payment's payer goes, but its student is held.
func (w *world) siblingOf(skip, pu *parentUse) bool {
	return w.oneTable(skip, pu) && !w.sameParent(skip, pu)
}

// oneTable reports whether both uses are of one physical table.
func (w *world) oneTable(a, b *parentUse) bool {
	return a != nil && w.phys(a.dataset.Source, a.dataset.Table) == w.phys(b.dataset.Source, b.dataset.Table)
}

// relationKey is a relation without its position, for comparison.
func relationKey(r *retention.Relation) any {
	c := *r
	c.Pos = retention.Pos{}
	c.Where = nil
	return struct {
		R     retention.Relation
		Where string
	}{c, predicateKey(r.Where)}
}

// predicateKey is a predicate without positions.
func predicateKey(p *retention.Predicate) string {
	if p == nil {
		return ""
	}
	key := ""
	walk(p, func(q *retention.Predicate) {
		key += fmt.Sprintf("(%d %d %v %s", len(q.All), len(q.Any), q.Not != nil, q.SQL)
		if q.Test != nil {
			key += fmt.Sprintf(" %q %s %+v", q.Test.Column, q.Test.Op, q.Test.Values)
		}
		if q.Exists != nil {
			key += fmt.Sprintf(" %v", relationKey(q.Exists))
		}
		key += ")"
	})
	return key
}

func addSubject(list []retention.Subject, sub retention.Subject) []retention.Subject {
	for _, have := range list {
		if have.Type != sub.Type || !reflect.DeepEqual(have.Columns, sub.Columns) || (have.Related == nil) != (sub.Related == nil) {
			continue
		}
		if have.Related == nil || reflect.DeepEqual(relationKey(have.Related), relationKey(sub.Related)) {
			return list
		}
	}
	return append(list, sub)
}

func checkSubject(s *retention.Schema, t *retention.Table, sub *retention.Subject) error {
	if t == nil {
		return fmt.Errorf("the table is missing")
	}
	for _, c := range sub.Columns {
		if err := checkColumn(t, c); err != nil {
			return err
		}
		if err := holdable(t, c); err != nil {
			return err
		}
	}
	if sub.Related == nil {
		return nil
	}
	if err := checkRelation(s, t, sub.Related); err != nil {
		return err
	}
	return holdable(s.Table(sub.Related.Table), sub.Related.Column)
}

// holdable refuses a column in which no hold would find a person (L3).
func holdable(t *retention.Table, column string) error {
	if c := t.Column(column); c != nil && c.Unheld != "" {
		return unheld{fmt.Sprintf("column %q of table %q is %s: %s", column, t.Name, c.Decl, c.Unheld)}
	}
	return nil
}

// unheld is of a subject that no hold would find.
type unheld struct{ what string }

// Error says which column, and why.
func (u unheld) Error() string { return u.what }

func contains(list []retention.TableName, t retention.TableName) bool {
	for _, have := range list {
		if have == t {
			return true
		}
	}
	return false
}

// minimums lists every legal minimum on a table, of any policy. One that cannot
// be bound is an error: an unknown minimum protects, so nothing may act (L1, L4).
func (w *world) minimums(source string, t retention.TableName) ([]retention.Minimum, error) {
	s := w.Schemas[source]
	var out []retention.Minimum
	for _, u := range w.uses[w.phys(source, t)] {
		for i := range u.policy.Rules {
			r := &u.policy.Rules[i]
			if r.AtLeast == nil || r.Dataset != u.dataset.Name {
				continue
			}
			test, err := w.clock(u.policy, s, s.Table(t), &r.Clock, *r.AtLeast)
			if err == nil {
				err = checkPredicate(s, s.Table(t), r.Where)
			}
			if err != nil {
				return nil, fmt.Errorf("minimum %s/%s cannot be tested: %w", u.policy.Name, r.ID, err)
			}
			out = append(out, retention.Minimum{Policy: u.policy.Name, Rule: r.ID, Asks: r.Asks, Where: r.Where, Clock: test})
		}
	}
	return out, nil
}
