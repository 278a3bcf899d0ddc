package bind

import (
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// foreignKeys refuses a rule where a foreign key would take rows along, change
// them, or make the delete fail, unless the referring table is a declared child
// (L3: cascades too).
func (b *binder) foreignKeys() {
	b.references(b.table)
	for _, c := range b.dataset.Children {
		if c.Then == retention.ChildDelete {
			b.recursive(c)
			b.grandchildren(c)
			if t := b.schema.Table(c.Table); t != nil && t.Name != b.table.Name {
				b.references(t)
			}
		}
		b.detachable(c)
	}
}

// recursive refuses a table whose rows would take rows of the same table along:
// those would take others in turn, to a depth that no plan counts.
func (b *binder) recursive(c retention.Child) {
	if b.named(c.Table) == b.table.Name {
		b.fail(retention.RefuseForeignKey, "write then: detach; each row then goes when its own time is over",
			"table %q is declared a child of itself: a row would take others along, and those others again", c.Table)
	}
}

// grandchildren refuses a child that takes rows along under its own dataset,
// where those are not declared here too: they would be left behind, and a hold
// on one of them would not keep the child.
func (b *binder) grandchildren(c retention.Child) {
	for _, u := range b.uses[b.phys(b.dataset.Source, c.Table)] {
		for _, g := range u.dataset.Children {
			if b.named(g.Table) == b.named(c.Table) || b.covers(c, g) {
				continue
			}
			b.fail(retention.RefuseForeignKey, fmt.Sprintf("declare it here too, over %s: {table: %s, via: [{table: %s, on: …}], on: …, then: %s}", c.Table, g.Table, c.Table, g.Then),
				"child %q has children of its own (%q, in dataset %s/%s) which would be left behind", c.Table, g.Table, u.policy.Name, u.dataset.Name)
		}
	}
}

// covers reports whether the dataset declares g, a child of its child c.
func (b *binder) covers(c, g retention.Child) bool {
	for _, d := range b.dataset.Children {
		if b.named(d.Table) != b.named(g.Table) || len(d.Via) != len(c.Via)+1+len(g.Via) || !equalPairs(d.On, g.On) {
			continue
		}
		if b.named(d.Via[len(c.Via)].Table) == b.named(c.Table) {
			return true
		}
	}
	return false
}

// named is the catalogue's name of a table.
func (b *binder) named(t retention.TableName) retention.TableName {
	return b.canon(b.dataset.Source, t)
}

func (b *binder) references(t *retention.Table) {
	for _, fk := range t.Referenced {
		if !b.declared(t, fk) {
			b.fail(retention.RefuseForeignKey, childHint(fk), "%s", consequence(t, fk))
		}
	}
}

// declared reports whether some child of the dataset covers the foreign key:
// the same table, the same columns, and no condition that would leave rows.
func (b *binder) declared(t *retention.Table, fk retention.ForeignKey) bool {
	for _, c := range b.dataset.Children {
		if b.named(c.Table) != fk.From || c.Where != nil || !samePairs(c.On, fk) {
			continue
		}
		if len(c.Via) == 0 && t.Name == b.table.Name {
			return true
		}
		if n := len(c.Via); n > 0 && b.named(c.Via[n-1].Table) == t.Name && b.sameWay(t.Name, c.Via) {
			return true
		}
	}
	return false
}

// sameWay reports whether the hops before the last lead along a child that is
// declared itself, so that the rows meant are the rows that go.
func (b *binder) sameWay(t retention.TableName, via []retention.Hop) bool {
	last := via[len(via)-1]
	for _, c := range b.dataset.Children {
		if b.named(c.Table) != t || len(c.Via) != len(via)-1 || !equalPairs(c.On, last.On) {
			continue
		}
		same := true
		for i := range c.Via {
			same = same && c.Via[i].Table == via[i].Table && equalPairs(c.Via[i].On, via[i].On)
		}
		if same {
			return true
		}
	}
	return false
}

func equalPairs(a, b []retention.Pair) bool {
	if len(a) != len(b) {
		return false
	}
	for _, p := range a {
		found := false
		for _, q := range b {
			found = found || p == q
		}
		if !found {
			return false
		}
	}
	return true
}

func samePairs(on []retention.Pair, fk retention.ForeignKey) bool {
	pairs := make([]retention.Pair, len(fk.Columns))
	for i := range fk.Columns {
		pairs[i].Theirs = fk.Columns[i]
		if i < len(fk.ToCols) {
			pairs[i].Ours = fk.ToCols[i]
		}
	}
	return equalPairs(on, pairs)
}

func consequence(t *retention.Table, fk retention.ForeignKey) string {
	from := `table "` + fk.From.String() + `"`
	ref := " (" + strings.Join(fk.Columns, ", ") + `) references "` + t.Name.String() + `"`
	switch fk.OnDelete {
	case "CASCADE":
		return "a delete would cascade into " + from + ref + ", which is not a declared child: its rows would go uncounted, held or not"
	case "SET NULL", "SET DEFAULT":
		return "a delete would change " + from + ref + " (ON DELETE " + fk.OnDelete + "), which is not a declared child"
	}
	return "a delete would fail: " + from + ref + " and is not a declared child"
}

func childHint(fk retention.ForeignKey) string {
	var on []string
	for i := range fk.Columns {
		to := ""
		if i < len(fk.ToCols) {
			to = fk.ToCols[i]
		}
		on = append(on, fk.Columns[i]+": "+to)
	}
	then := "delete"
	if strings.HasPrefix(fk.OnDelete, "SET") {
		then = "detach"
	}
	return "declare it: children: [{table: " + fk.From.String() + ", on: {" + strings.Join(on, ", ") + "}, then: " + then + "}]"
}

// detachable refuses to detach children whose reference cannot be NULL.
func (b *binder) detachable(c retention.Child) {
	t := b.schema.Table(c.Table)
	if c.Then != retention.ChildDetach || t == nil {
		return
	}
	for _, p := range c.On {
		if col := t.Column(p.Theirs); col != nil && !col.Nullable {
			b.fail(retention.RefuseForeignKey, "write then: delete, or let the column be NULL",
				"child %q cannot be detached: column %q is NOT NULL", c.Table, p.Theirs)
		}
	}
}
