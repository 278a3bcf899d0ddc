package bind

import "github.com/retentiond/retentiond/retention"

// ownParents adds the parents that a row has in its own table (a reply and what
// it replies to): the row is held with its parent's subject.
func (w *world) ownParents(source string, t retention.TableName, out *retention.Reach) {
	for _, pu := range w.parents[w.phys(source, t)] {
		if w.canon(source, pu.dataset.Table) == t {
			own := &retention.Reach{Table: out.Table, Subjects: out.Subjects}
			out.Parents = append(out.Parents, retention.ParentReach{Child: pu.child, Reach: own})
		}
	}
}

// movedSubjects are the other ways to a related subject, where rows on the way
// may have been archived by their own rule: the person is found all the same.
func (w *world) movedSubjects(source string, t retention.TableName, sub retention.Subject) []retention.Subject {
	if sub.Related == nil {
		return nil
	}
	s := w.Schemas[source]
	var out []retention.Subject
	for _, r := range w.movedRelations(source, *sub.Related) {
		moved := sub
		moved.Related, moved.Copied = &r, true
		if checkSubject(s, s.Table(t), &moved) == nil {
			out = append(out, moved)
		}
	}
	return out
}

// movedRelations replaces each table on the way by each of its archived copies,
// in every combination but the one where nothing moved.
func (w *world) movedRelations(source string, r retention.Relation) []retention.Relation {
	ways := []retention.Relation{r}
	for i := range r.Via {
		for _, have := range ways[:len(ways):len(ways)] {
			for _, copied := range w.copies(source, r.Via[i].Table) {
				moved := have
				moved.Via = append([]retention.Hop{}, have.Via...)
				moved.Via[i].Table = copied
				ways = append(ways, moved)
			}
		}
	}
	for _, have := range ways[:len(ways):len(ways)] {
		for _, copied := range w.copies(source, r.Table) {
			moved := have
			moved.Table = copied
			ways = append(ways, moved)
		}
	}
	return ways[1:]
}

// copies are the vault tables that exist beside a table.
func (w *world) copies(source string, t retention.TableName) []retention.TableName {
	var out []retention.TableName
	for _, v := range w.Vaults {
		v = v.at(source)
		if v.Sealed || w.phys(v.Source, t) != w.phys(source, t) {
			continue
		}
		live := w.Schemas[source].Table(v.Table(w.canon(source, t)))
		if live != nil && live.Column(retention.VaultRule) != nil && !contains(out, live.Name) {
			out = append(out, live.Name)
		}
	}
	return out
}
