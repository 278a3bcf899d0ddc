package bind

import (
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// mover translates what was said of live tables to the vault's copies: related
// rows that were children moved along, others stayed where they were.
type mover struct {
	b      *binder
	schema *retention.Schema // that has the copies
	moved  map[retention.TableName]retention.TableName
	home   string // where the copies are in another source: the source of the live table
	source string // and theirs
	sealed string // the sealed vault, where nothing of the copies can be asked again
	lost   bool   // something that decides about the rows stays behind: it was told
}

func (m *mover) table(t retention.TableName) retention.TableName {
	if to, ok := m.moved[t]; ok {
		return to
	}
	m.stays(t)
	return t
}

// has reports whether the table's rows moved.
func (m *mover) has(t retention.TableName) bool {
	_, ok := m.moved[t]
	return ok
}

// relation is a relation of rows of the live table home, between where the rows
// are now.
func (m *mover) relation(home retention.TableName, r retention.Relation) retention.Relation {
	via := make([]retention.Hop, len(r.Via))
	near := m.has(home)
	for i, h := range r.Via {
		via[i] = retention.Hop{Table: m.table(h.Table), On: m.alive(near, h.Table, h.On)}
		near = m.has(h.Table)
	}
	r.On = m.alive(near, r.Table, r.On)
	r.Where = m.predicate(r.Table, r.Where)
	r.Via, r.Table = via, m.table(r.Table)
	return r
}

// predicate is a condition on rows of the live table home, where they are now.
func (m *mover) predicate(home retention.TableName, p *retention.Predicate) *retention.Predicate {
	if p == nil {
		return nil
	}
	out := *p
	out.All, out.Any, out.Not = m.predicates(home, p.All), m.predicates(home, p.Any), m.predicate(home, p.Not)
	if p.Exists != nil {
		rel := m.relation(home, *p.Exists)
		out.Exists = &rel
	}
	return &out
}

func (m *mover) predicates(home retention.TableName, ps []retention.Predicate) []retention.Predicate {
	var out []retention.Predicate
	for i := range ps {
		out = append(out, *m.predicate(home, &ps[i]))
	}
	return out
}

// alive adds, between two archived tables, that both rows belong to the same
// life of the key: an identifier may have been given again.
func (m *mover) alive(near bool, t retention.TableName, on []retention.Pair) []retention.Pair {
	if !near || !m.has(t) {
		return on
	}
	return append(append([]retention.Pair{}, on...), retention.Pair{Theirs: retention.VaultLife, Ours: retention.VaultLife})
}

func (m *mover) step(i int, vaultName string, t *retention.Table) (Step, bool) {
	b, st := m.b, &m.b.rule.Stages[i]
	before := len(b.problems)
	ruleName := b.policy.Name + "/" + b.rule.ID
	sel := retention.Selection{
		Schema: m.schema, Table: t,
		Where: &retention.Predicate{Test: &retention.Comparison{
			Column: retention.VaultRule, Op: retention.Eq,
			Values: []retention.Scalar{{Text: ruleName, Tag: retention.TagString}},
		}},
		Clock: m.clock(st.Keep),
	}
	m.protect(&sel)
	out := Step{
		Policy: b.policy, Rule: b.rule, Stage: i + 1, Dataset: b.dataset, Source: b.dataset.Source,
		Archived: true, Vault: vaultName, Selection: sel, Cutoff: firstCutoff(sel.Clock),
		Act:     retention.Act{Kind: retention.Delete, Drop: true, Children: deepestFirst(m.children())},
		Aliases: map[retention.TableName]retention.TableName{},
	}
	out.Tables = append(out.Tables, t.Name)
	for _, c := range out.Act.Children {
		out.Tables = append(out.Tables, c.Table)
	}
	for live, copied := range m.moved {
		out.Aliases[live] = copied
	}
	if m.home != "" {
		out.Home, out.Source, out.Live = m.home, m.source, b.schema
	}
	return out, !anyError(b.problems[before:])
}

// clock is the one that the archived row carries, for one period. It is carried
// as it was before rounding: it is over once it is over under every rounding of
// the rule's members.
func (m *mover) clock(keep calendar.Period) retention.ClockTest {
	out := retention.ClockTest{}
	rounds := map[calendar.Round]bool{}
	for i := range m.b.rule.Clock.Members {
		r := m.b.rule.Clock.Members[i].Round
		if !rounds[r] {
			out.Members = append(out.Members, m.member(keep, r))
		}
		rounds[r] = true
	}
	return out
}

// member tests the carried clock. Only plausible clocks were archived: the
// widest bounds of the rule's members hold.
func (m *mover) member(keep calendar.Period, round calendar.Round) retention.MemberTest {
	out := retention.MemberTest{
		Column: retention.VaultClock, Type: retention.AsText, DateZone: m.b.policy.Zone,
		Cutoff: calendar.Cutoff(m.b.AsOf, keep, m.b.policy.Zone, round),
	}
	m.b.defaults(&out, m.b.policy)
	for _, x := range m.b.rule.Clock.Members {
		if !x.NotBefore.IsZero() && x.NotBefore.Before(out.NotBefore) {
			out.NotBefore = x.NotBefore
		}
		if x.NotAfter.After(out.NotAfter) {
			out.NotAfter = x.NotAfter
		}
	}
	return out
}

func (m *mover) children() []retention.Child {
	var out []retention.Child
	for _, c := range m.b.dataset.Children {
		if c.Then == retention.ChildDelete && m.has(c.Table) {
			out = append(out, retention.Child{Relation: m.relation(m.b.table.Name, c.Relation), Then: c.Then})
		}
	}
	return out
}

// protect gives the vault's copies the holds and minimums of the live table.
func (m *mover) protect(sel *retention.Selection) {
	b := m.b
	src, live := b.dataset.Source, b.table.Name
	reach, err := b.reach(src, live, nil, nil)
	if err != nil {
		b.fail(retention.RefuseHoldUnreadable, "correct that subject: a hold could not be honoured", "holds on the archive cannot be tested: %v", err)
		return
	}
	sel.Reach = m.reach(reach)
	if sel.Minimums, err = m.minimums(src, live); err != nil {
		b.fail(retention.RefuseSchemaDrift, "correct that rule: an unknown minimum protects everything", "%v", err)
	}
	for _, c := range b.dataset.Children {
		if c.Then != retention.ChildDelete || !m.has(c.Table) {
			continue
		}
		cr, err := b.childReach(c, retention.Delete)
		if err != nil {
			b.fail(retention.RefuseHoldUnreadable, "correct it: a hold could not be honoured", "child %q: %v", c.Table, err)
			continue
		}
		// A child's own minimum is tested on its archived copy only where the copy
		// has the clock's columns; it was already past the parent's archive stage.
		sel.Blocked = append(sel.Blocked, retention.ChildReach{
			Child: retention.Child{Relation: m.relation(live, cr.Child.Relation), Then: cr.Child.Then},
			Reach: m.reach(cr.Reach), Minimums: m.move(c.Table, cr.Minimums),
		})
	}
}

func (m *mover) reach(r *retention.Reach) *retention.Reach {
	out := &retention.Reach{Table: m.table(r.Table)}
	for _, s := range r.Subjects {
		if s.Related != nil {
			rel := m.relation(r.Table, *s.Related)
			s.Related = &rel
		}
		out.Subjects = append(out.Subjects, s)
	}
	for _, p := range r.Parents {
		c := retention.Child{Relation: m.relation(p.Reach.Table, p.Child.Relation), Then: p.Child.Then}
		out.Parents = append(out.Parents, retention.ParentReach{Child: c, Reach: m.reach(p.Reach), Back: p.Back})
	}
	return out
}

func (m *mover) minimums(source string, live retention.TableName) ([]retention.Minimum, error) {
	mins, err := m.b.minimums(source, live)
	if err != nil {
		return nil, err
	}
	for i := range mins {
		if mins[i].Policy == m.b.policy.Name && mins[i].Rule == m.b.rule.ID {
			mins[i] = retention.Minimum{Policy: mins[i].Policy, Rule: mins[i].Rule, Asks: mins[i].Asks, Clock: m.clock(*m.b.rule.AtLeast)}
			continue
		}
	}
	return m.move(live, mins), nil
}

// move points the related rows of minimums on the live table home to where they
// are now.
func (m *mover) move(home retention.TableName, mins []retention.Minimum) []retention.Minimum {
	out := append([]retention.Minimum{}, mins...)
	for i := range out {
		members := append([]retention.MemberTest{}, out[i].Clock.Members...)
		for j := range members {
			if members[j].Related != nil {
				rel := m.relation(home, *members[j].Related)
				members[j].Related = &rel
			}
		}
		out[i].Clock.Members = members
		out[i].Where = m.predicate(home, out[i].Where)
	}
	return out
}
