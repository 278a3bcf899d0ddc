package sqlwork

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// MakeVault makes the missing vault tables, all in one transaction. A vault
// table has the columns of the table it copies, without its constraints, under
// a key of its own (an identifier given again later must not collide), and the
// three columns that an archived row carries.
func (s *Source) MakeVault(ctx context.Context, schema *retention.Schema, v retention.VaultSpec) error {
	if len(v.From) != len(v.Into) {
		return fmt.Errorf("vault: %d tables into %d", len(v.From), len(v.Into))
	}
	return s.e.Change(ctx, Loose, s.wait, func(q Session) error {
		live, err := s.e.Describe(ctx, q, append(append([]retention.TableName{}, v.From...), v.Into...))
		if err != nil {
			return fmt.Errorf("%s: read the schema: %w", s.e.Name(), err)
		}
		for i, from := range v.From {
			t := live.Table(from)
			if t == nil {
				return refusal(retention.RefuseSchemaDrift, "table %s, which the vault copies, does not exist", from)
			}
			if planned := schema.Table(from); planned != nil && planned.Fingerprint != t.Fingerprint {
				return refusal(retention.RefuseSchemaDrift, "table %s changed since the plan was made: plan again", from)
			}
			if err := s.makeVault(ctx, q, t, v.Into[i], live.Table(v.Into[i])); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Source) makeVault(ctx context.Context, q Session, from *retention.Table, into retention.TableName, existing *retention.Table) error {
	if existing != nil {
		if err := fits(from, existing); err != nil {
			return err
		}
		return keeps(existing)
	}
	statements, err := s.e.VaultSQL(ctx, q, from, into)
	if err != nil {
		return err
	}
	for _, text := range statements {
		if _, err := q.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("make vault table %s: %w", into, err)
		}
	}
	return nil
}

// VaultIndexes are the columns of a vault table's indexes: its clock, the copied
// key, and what the copied table's own indexes are on, since its copies are found
// by the same relations. An index that begins with a time serves clocks, and a vault
// has its own. None is unique.
func VaultIndexes(from *retention.Table) [][]string {
	out := [][]string{{retention.VaultClock}}
	add := func(names []string) {
		if len(names) == 0 || slices.Contains(names, "") { // an expression
			return
		}
		if !slices.ContainsFunc(out, func(have []string) bool { return slices.Equal(have, names) }) {
			out = append(out, names)
		}
	}
	add(from.Key)
	for _, ix := range from.Indexes {
		if len(ix.Columns) > 0 && !timed(from.Column(ix.Columns[0])) {
			add(ix.Columns)
		}
	}
	return out
}

// timed is whether the column holds points in time.
func timed(c *retention.Column) bool {
	return c != nil && (c.Kind == retention.KindDate || c.Kind == retention.KindTimestamp || c.Kind == retention.KindTimestampTZ)
}

func added() []string {
	return []string{retention.VaultClock, retention.VaultRule, retention.VaultArchivedAt}
}

// fits refuses a vault table that lacks, or types differently, a column.
func fits(from, into *retention.Table) error {
	for _, c := range from.Columns {
		v := into.Column(c.Name)
		switch {
		case v == nil:
			return refusal(retention.RefuseSchemaDrift, "vault table %s has no column %q, which %s has now: add it", into.Name, c.Name, from.Name)
		case !strings.EqualFold(v.Decl, c.Decl):
			return refusal(retention.RefuseSchemaDrift, "vault table %s: column %q is %s, in %s it is %s: make them alike", into.Name, c.Name, v.Decl, from.Name, c.Decl)
		}
	}
	for _, n := range append(added(), retention.VaultLife, sqlgen.VaultID) {
		if into.Column(n) == nil {
			return refusal(retention.RefuseSchemaDrift, "table %s is no vault table: it has no column %s", into.Name, n)
		}
	}
	return nil
}
