package bind

import (
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// into binds the vault that an archive stage moves rows to.
func (b *binder) into(a *retention.Action) *retention.VaultTables {
	v, ok := b.Vaults[a.Vault]
	v = b.here(v, b.dataset.Source)
	switch {
	case !ok:
		b.fail(retention.RefusePolicyError, "name it under vaults: in the configuration", "vault %q is not configured", a.Vault)
		return nil
	case v.Refused != "":
		b.fail(retention.RefusePolicyError, "", "vault %q: %s", a.Vault, v.Refused)
		return nil
	case v.Sealed:
		return nil
	case b.dataset.Files != nil:
		b.fail(retention.RefusePolicyError, "name a sealed vault (recipients:) under to:", "vault %q is of tables, and files do not go into tables", a.Vault)
		return nil
	case v.Source != b.dataset.Source:
		return b.intoOther(v, a)
	}
	out := &retention.VaultTables{Table: v.Table(b.table.Name), Rule: b.policy.Name + "/" + b.rule.ID, Why: a.Why}
	for _, c := range deepestFirst(b.dataset.Children) {
		out.Children = append(out.Children, v.Table(c.Table))
	}
	if slices.Contains(b.schema.Lacks, v.Schema) {
		b.fail(retention.RefusePolicyError, "create it, or correct the vault's schema in the configuration", "vault %q: source %q has no schema %q, or hides it from this user", a.Vault, v.Source, v.Schema)
	}
	if out.Table == b.table.Name {
		b.fail(retention.RefusePolicyError, "give the vault a prefix or a schema", "vault %q would be the table itself", a.Vault)
	}
	b.lasting(b.schema, out)
	return out
}

// lasting refuses vault tables that exist and may not keep what they are given (L9).
func (b *binder) lasting(s *retention.Schema, v *retention.VaultTables) {
	for _, n := range append([]retention.TableName{v.Table}, v.Children...) {
		if t := s.Table(n); t != nil && t.NoVault() != "" {
			b.fail(retention.RefuseUnsafeTable, "", "vault table %q: %s", n, t.NoVault())
		}
	}
}

// archiveBefore returns the vault of the last archive stage before stage i.
func (b *binder) archiveBefore(i int) (Vault, string, bool) {
	for j := i - 1; j >= 0; j-- {
		if a := b.rule.Stages[j].Action; a.Kind == retention.Archive {
			v, ok := b.Vaults[a.Vault]
			return b.here(v, b.dataset.Source), a.Vault, ok && !v.Sealed
		}
	}
	return Vault{}, "", false
}

// expiry binds stage i on the vault's copies: every archive ends (L9), by the
// original clock, which the archived row carries.
func (b *binder) expiry(i int) (Step, bool) {
	st := &b.rule.Stages[i]
	v, name, ok := b.archiveBefore(i)
	if sealed := b.sealedBefore(i); sealed != "" && st.Action.Kind == retention.Delete {
		return b.sealedEnd(i, sealed)
	}
	if !ok || st.Action.Kind != retention.Delete {
		return Step{}, false
	}
	if v.Source != b.dataset.Source {
		return b.expiryElsewhere(i, v, name)
	}
	t := b.schema.Table(v.Table(b.table.Name))
	if t == nil { // nothing was archived yet
		return Step{}, false
	}
	m := mover{b: b, schema: b.schema, moved: map[retention.TableName]retention.TableName{b.table.Name: v.Table(b.table.Name)}}
	for _, c := range b.dataset.Children {
		if copied := v.Table(c.Table); b.schema.Table(copied) != nil {
			m.moved[c.Table] = copied
		}
	}
	return m.step(i, name, t)
}
