package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
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
	return s.inTx(ctx, batchWait, func(conn *sqlx.Conn) error {
		live, err := describe(ctx, conn, append(append([]retention.TableName{}, v.From...), v.Into...))
		if err != nil {
			return fmt.Errorf("sqlite %s: read the schema: %w", s.path, err)
		}
		for i, from := range v.From {
			t := live.Table(from)
			if t == nil {
				return refusal(retention.RefuseSchemaDrift, "table %s, which the vault copies, does not exist", from)
			}
			if planned := schema.Table(from); planned != nil && planned.Fingerprint != t.Fingerprint {
				return refusal(retention.RefuseSchemaDrift, "table %s changed since the plan was made: plan again", from)
			}
			if err := makeVault(ctx, conn, t, v.Into[i], live.Table(v.Into[i])); err != nil {
				return err
			}
		}
		return nil
	})
}

func makeVault(ctx context.Context, conn *sqlx.Conn, from *retention.Table, into retention.TableName, existing *retention.Table) error {
	if existing != nil {
		return fits(from, existing)
	}
	var strict bool
	if err := conn.GetContext(ctx, &strict, "SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ?", from.Name.Name); err != nil {
		return fmt.Errorf("table %s: %w", from.Name, err)
	}
	for _, text := range vaultSQL(from, into, strict) {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("make vault table %s: %w", into, err)
		}
	}
	return nil
}

func added() []string {
	return []string{retention.VaultClock, retention.VaultRule, retention.VaultArchivedAt}
}

func vaultSQL(from *retention.Table, into retention.TableName, strict bool) []string {
	defs := []string{sqlgen.VaultID + " INTEGER PRIMARY KEY"}
	for _, c := range from.Columns {
		defs = append(defs, strings.TrimSpace(quote(c.Name)+" "+c.Decl))
	}
	for _, n := range added() {
		defs = append(defs, n+" TEXT")
	}
	defs = append(defs, retention.VaultLife+" INTEGER")
	name := dialect().Table(into).Text
	text := "CREATE TABLE " + name + " (\n  " + strings.Join(defs, ",\n  ") + "\n)"
	if strict {
		text += " STRICT"
	}
	out := []string{text}
	for i, cols := range vaultIndexes(from) {
		out = append(out, fmt.Sprintf("CREATE INDEX %s ON %s (%s)", quote(fmt.Sprintf("%s_i%d", into.Name, i)), quote(into.Name), strings.Join(cols, ", ")))
	}
	return out
}

// vaultIndexes are an index on the clock, on the copied key, and on what the
// copied table's own indexes are on, since its copies are found by the same
// relations. None is unique.
func vaultIndexes(from *retention.Table) [][]string {
	out := [][]string{{retention.VaultClock}}
	add := func(names []string) {
		var cols []string
		for _, n := range names {
			if n == "" {
				return // an expression
			}
			cols = append(cols, quote(n))
		}
		for _, have := range out {
			if slices.Equal(have, cols) {
				return
			}
		}
		if len(cols) > 0 {
			out = append(out, cols)
		}
	}
	add(from.Key)
	for _, ix := range from.Indexes {
		add(ix.Columns)
	}
	return out
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
