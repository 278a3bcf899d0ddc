package bind

import (
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// A table vault may be in another source than the rows that go there. Whoever ends
// them later has nothing but the copies: what holds and minimums ask of other rows
// must have moved along, or the rule is refused before anything moves (L3, L4).

// here is the vault as the source sees it. Where both are names of one database, it
// is in the source itself.
func (w *world) here(v Vault, source string) Vault {
	v = v.at(source)
	if !v.Sealed && v.Source != source && w.UUIDs[v.Source] != "" && w.UUIDs[v.Source] == w.UUIDs[source] {
		v.Source = source
	}
	return v
}

// intoOther binds a vault that is in another database.
func (b *binder) intoOther(v Vault, a *retention.Action) *retention.VaultTables {
	s, from := b.Schemas[v.Source], b.dataset.Source
	switch {
	case retention.FleetOf(from) != "":
		b.fail(retention.RefusePolicyError, "use a sealed vault, or one in the tenants themselves", "vault %q is in source %q: the rows of many tenants do not go into the tables of one other source", a.Vault, v.Source)
		return nil
	case s == nil:
		b.fail(retention.RefuseSourceDown, "", "vault %q is in source %q, which does not answer or is not configured", a.Vault, v.Source)
		return nil
	case kindOf(b.Drivers[v.Source]) != kindOf(b.Drivers[from]), !slices.Contains([]string{"sqlite", "postgres", "mysql"}, kindOf(b.Drivers[from])):
		b.fail(retention.RefusePolicyError, "use a sealed vault, or a source of the same engine",
			"vault %q is in source %q (%s), and the rows in %q (%s): not every value of the one is a value of the other", a.Vault, v.Source, b.Drivers[v.Source], from, b.Drivers[from])
		return nil
	}
	out := &retention.VaultTables{Source: v.Source, Table: v.Table(b.dataset.Table), Rule: b.policy.Name + "/" + b.rule.ID, Why: a.Why}
	for _, c := range deepestFirst(b.dataset.Children) {
		out.Children = append(out.Children, v.Table(c.Table))
	}
	if slices.ContainsFunc(append(out.Children, out.Table), func(t retention.TableName) bool { return slices.Contains(s.Lacks, t.Schema) && t.Schema != "" }) {
		b.fail(retention.RefusePolicyError, "create it, or set the vault's schema in the configuration", "vault %q: source %q has no schema for table %q, or hides it from this user", a.Vault, v.Source, out.Table)
	}
	if len(b.table.Key) == 0 {
		b.fail(retention.RefuseUnsafeTable, "declare a primary key", "table %q has no primary key: its copies in another source could not be told apart", b.table.Name)
	}
	b.lasting(s, out)
	// What ends the archive is bound now, before anything moves.
	m := b.moverTo(v, func(retention.TableName) bool { return true })
	m.protect(&retention.Selection{})
	return out
}

// kindOf is the engine of a driver.
func kindOf(driver string) string {
	if driver == "mariadb" {
		return "mysql"
	}
	return driver
}

// moverTo translates to the copies that exist in another source.
func (b *binder) moverTo(v Vault, there func(retention.TableName) bool) *mover {
	m := &mover{b: b, schema: b.Schemas[v.Source], moved: map[retention.TableName]retention.TableName{}, home: b.dataset.Source, source: v.Source}
	add := func(live retention.TableName) {
		if to := v.Table(live); there(to) {
			m.moved[live], m.moved[b.canon(b.dataset.Source, live)] = to, to
		}
	}
	add(b.dataset.Table)
	for _, c := range b.dataset.Children {
		if c.Then == retention.ChildDelete {
			add(c.Table)
		}
	}
	return m
}

// expiryElsewhere binds stage i on the copies in another source.
func (b *binder) expiryElsewhere(i int, v Vault, name string) (Step, bool) {
	s := b.Schemas[v.Source]
	t := s.Table(v.Table(b.dataset.Table))
	if t == nil || t.Column(retention.VaultIntent) == nil { // nothing was archived yet
		return Step{}, false
	}
	return b.moverTo(v, func(to retention.TableName) bool { return s.Table(to) != nil }).step(i, name, t)
}

// stays refuses, once, a vault from which some row that decides could not be seen.
func (m *mover) stays(t retention.TableName) {
	if m.home == "" || m.lost {
		return
	}
	m.lost = true
	if m.sealed != "" {
		m.b.fail(retention.RefusePolicyError, "declare it under children:, copy the date into the row itself, or use a vault in the same source",
			"a minimum on table %q asks table %q, whose rows stay when the row is sealed into vault %q: what they say later would not protect it", m.b.table.Name, t, m.sealed)
		return
	}
	m.b.fail(retention.RefusePolicyError, "declare it under children:, use a vault in the same source, or a sealed one",
		"holds or minimums on table %q ask table %q, which stays in source %q: they could not be honoured in a vault in source %q", m.b.table.Name, t, m.home, m.source)
}

// copied are the tables that a vault has for a dataset, where it is in another
// source than that.
func copied(d *retention.Dataset, v Vault) []retention.TableName {
	if v.Sealed || v.Source == d.Source || v.at(d.Source).Source == d.Source {
		return nil
	}
	out := []retention.TableName{v.Table(d.Table)}
	for _, c := range d.Children {
		out = append(out, v.Table(c.Table))
	}
	return out
}

// copiesOf adds the copies of a dataset of another source.
func (s tableSet) copiesOf(d *retention.Dataset, vaults map[string]Vault, sources []string) {
	if slices.Contains(sources, d.Source) {
		return
	}
	for _, v := range vaults {
		if !slices.Contains(sources, v.Source) {
			continue
		}
		for _, t := range copied(d, v) {
			s[t] = true
		}
	}
}

// VaultSources are the sources of table vaults to which some rule archives from
// another source, in order.
func VaultSources(policies []*retention.Policy, vaults map[string]Vault) []string {
	var out []string
	for _, p := range policies {
		for i := range p.Rules {
			d := p.Dataset(p.Rules[i].Dataset)
			for _, st := range p.Rules[i].Stages {
				v, ok := vaults[st.Action.Vault]
				if d == nil || !ok || st.Action.Kind != retention.Archive || len(copied(d, v)) == 0 || slices.Contains(out, v.Source) {
					continue
				}
				out = append(out, v.Source)
			}
		}
	}
	slices.Sort(out)
	return out
}
