package bind

import (
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// sealed completes an archive into a sealed vault: what legal minimums will ask for
// when it ends is noted while the rows can be read.
func (b *binder) sealed(a *retention.Action, act *retention.Act) {
	if v, ok := b.Vaults[a.Vault]; !ok || !v.Sealed || v.Refused != "" {
		return
	}
	act.Sealed = true
	tables := []retention.TableName{b.table.Name}
	for _, c := range act.Children {
		tables = append(tables, c.Table)
	}
	m := mover{b: b, schema: b.schema, moved: map[retention.TableName]retention.TableName{}, home: b.dataset.Source, sealed: a.Vault}
	for _, t := range tables {
		m.moved[t] = t
		m.moved[b.canon(b.dataset.Source, t)] = t
	}
	for _, t := range tables {
		mins, err := b.minimums(b.dataset.Source, t)
		if err != nil {
			b.fail(retention.RefuseSchemaDrift, "correct that rule: an unknown minimum protects everything", "%v", err)
		}
		act.Keepers = append(act.Keepers, mins)
		m.move(t, slices.DeleteFunc(slices.Clone(mins), b.own)) // refuses what asks rows that stay
	}
}

// own is the rule's own minimum: its clock is sealed with the row.
func (b *binder) own(m retention.Minimum) bool {
	return m.Policy == b.policy.Name && m.Rule == b.rule.ID
}

// sealedBefore is the sealed vault to which the last archive stage before stage i
// moves rows; empty: it does not.
func (b *binder) sealedBefore(i int) string {
	for j := i - 1; j >= 0; j-- {
		if a := b.rule.Stages[j].Action; a.Kind == retention.Archive {
			if v := b.Vaults[a.Vault]; v.Sealed && v.Refused == "" {
				return a.Vault
			}
			return ""
		}
	}
	return ""
}

// sealedEnd binds stage i on the segments of a sealed vault: every archive ends
// (L9), by the original clock. Holds and minimums are those of the live table.
func (b *binder) sealedEnd(i int, vault string) (Step, bool) {
	before := len(b.problems)
	m := mover{b: b, schema: b.schema}
	sel := retention.Selection{Schema: b.schema, Table: b.table, Clock: m.clock(b.rule.Stages[i].Keep)}
	b.protect(&sel, retention.Delete)
	out := Step{
		Policy: b.policy, Rule: b.rule, Stage: i + 1, Dataset: b.dataset, Source: b.dataset.Source,
		Archived: true, Sealed: true, Vault: vault, Selection: sel, Cutoff: firstCutoff(sel.Clock),
		Act: retention.Act{Kind: retention.Delete, Drop: true},
	}
	return out, !anyError(b.problems[before:])
}
