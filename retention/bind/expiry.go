package bind

import (
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// mover translates what was said of live tables to the vault's copies: related
// rows that were children moved along, others stayed where they were.
type mover struct {
	b     *binder
	vault Vault
	moved map[retention.TableName]bool
}

func (m *mover) table(t retention.TableName) retention.TableName {
	if m.moved[t] {
		return m.vault.Table(t)
	}
	return t
}

func (m *mover) relation(r retention.Relation) retention.Relation {
	via := make([]retention.Hop, len(r.Via))
	near := m.moved[m.b.table.Name]
	for i, h := range r.Via {
		via[i] = retention.Hop{Table: m.table(h.Table), On: m.alive(near, h.Table, h.On)}
		near = m.moved[h.Table]
	}
	r.On = m.alive(near, r.Table, r.On)
	r.Via, r.Table = via, m.table(r.Table)
	return r
}

// alive adds, between two archived tables, that both rows belong to the same
// life of the key: an identifier may have been given again.
func (m *mover) alive(near bool, t retention.TableName, on []retention.Pair) []retention.Pair {
	if !near || !m.moved[t] {
		return on
	}
	return append(append([]retention.Pair{}, on...), retention.Pair{Theirs: retention.VaultLife, Ours: retention.VaultLife})
}

func (m *mover) step(i int, vaultName string, t *retention.Table) (Step, bool) {
	b, st := m.b, &m.b.rule.Stages[i]
	before := len(b.problems)
	ruleName := b.policy.Name + "/" + b.rule.ID
	sel := retention.Selection{
		Schema: b.schema, Table: t,
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
	for live := range m.moved {
		out.Aliases[live] = m.vault.Table(live)
	}
	return out, !anyError(b.problems[before:])
}

// clock is the one that the archived row carries, for one period.
func (m *mover) clock(keep calendar.Period) retention.ClockTest {
	return retention.ClockTest{Members: []retention.MemberTest{m.member(retention.VaultClock, retention.AsText, keep, calendar.Round{}, nil)}}
}

func (m *mover) member(column string, as retention.ClockType, keep calendar.Period, round calendar.Round, zone *time.Location) retention.MemberTest {
	out := retention.MemberTest{
		Column: column, Type: as, Zone: zone, DateZone: m.b.policy.Zone,
		Cutoff: calendar.Cutoff(m.b.AsOf, keep, m.b.policy.Zone, round),
	}
	m.b.defaults(&out, m.b.policy)
	return out
}

func (m *mover) children() []retention.Child {
	var out []retention.Child
	for _, c := range m.b.dataset.Children {
		if c.Then == retention.ChildDelete && m.moved[c.Table] {
			out = append(out, retention.Child{Relation: m.relation(c.Relation), Then: c.Then})
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
		if c.Then != retention.ChildDelete || !m.moved[c.Table] {
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
			Child: retention.Child{Relation: m.relation(cr.Child.Relation), Then: cr.Child.Then},
			Reach: m.reach(cr.Reach), Minimums: m.move(cr.Minimums),
		})
	}
}

func (m *mover) reach(r *retention.Reach) *retention.Reach {
	out := &retention.Reach{Table: m.table(r.Table)}
	for _, s := range r.Subjects {
		if s.Related != nil {
			rel := m.relation(*s.Related)
			s.Related = &rel
		}
		out.Subjects = append(out.Subjects, s)
	}
	for _, p := range r.Parents {
		c := retention.Child{Relation: m.relation(p.Child.Relation), Then: p.Child.Then}
		out.Parents = append(out.Parents, retention.ParentReach{Child: c, Reach: m.reach(p.Reach)})
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
			mins[i] = retention.Minimum{Policy: mins[i].Policy, Rule: mins[i].Rule, Clock: m.clock(*m.b.rule.AtLeast)}
			continue
		}
	}
	return m.move(mins), nil
}

// move points the related rows of minimums to where they are now.
func (m *mover) move(mins []retention.Minimum) []retention.Minimum {
	out := append([]retention.Minimum{}, mins...)
	for i := range out {
		members := append([]retention.MemberTest{}, out[i].Clock.Members...)
		for j := range members {
			if members[j].Related != nil {
				rel := m.relation(*members[j].Related)
				members[j].Related = &rel
			}
		}
		out[i].Clock.Members = members
	}
	return out
}
