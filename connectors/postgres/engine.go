package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Dialect is PostgreSQL's, with this connection's schema.
func (e *engine) Dialect() *sqlgen.Dialect { return e.d }

// Name is user@host:port/database.
func (e *engine) Name() string { return e.name }

// Alone is false: others write while a batch is open.
func (e *engine) Alone() bool { return false }

// Mark is seconds since 1970 in an integer column, RFC 3339 elsewhere.
func (e *engine) Mark(c *retention.Column, at time.Time) any {
	if c != nil && c.Kind == retention.KindInteger {
		return at.Unix()
	}
	return at.UTC().Format(time.RFC3339)
}

// Value is exact as the driver returns it: integers, bytes, and texts.
func (e *engine) Value(c *retention.Column, v any) any {
	switch x := v.(type) {
	case []byte:
		if c == nil || c.Kind != retention.KindBytes {
			return string(x)
		}
		if x == nil {
			return []byte{} // empty bytes are not NULL
		}
	case bool:
		return fmt.Sprint(x)
	}
	return v
}

// Changed counts what the transaction changed so far in any table, rows of
// triggers and of foreign keys included.
func (e *engine) Changed(ctx context.Context, q sqlwork.Session) (n int64, ok bool, err error) {
	if err := q.GetContext(ctx, &ok, "SELECT current_setting('track_counts')::bool"); err != nil || !ok {
		return 0, false, err
	}
	err = q.GetContext(ctx, &n, "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_xact_user_tables")
	return n, true, err
}

// InstallSQL makes the two tables, with texts that compare by bytes.
func (e *engine) InstallSQL() []string {
	const id = `text COLLATE "C"`
	return sqlwork.GateSQL(e.Own("retentiond_gate"), e.Own("retentiond_receipt"), quote("rows"), id, "text", "")
}

// Own is in the schema that the connection found, whatever the search path says
// later.
func (e *engine) Own(name string) string { return quote(e.schema) + "." + quote(name) }

// VaultSQL copies columns, types and collations, without constraints, under a key
// of its own: an identifier given again later must not collide.
func (e *engine) VaultSQL(_ context.Context, _ sqlwork.Session, from *retention.Table, into retention.TableName) ([]string, error) {
	into = at(into, e.schema)
	name := e.d.Table(into).Text
	lines := []string{sqlgen.VaultID + " bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "LIKE " + e.d.Table(from.Name).Text}
	for _, n := range []string{retention.VaultClock, retention.VaultRule, retention.VaultArchivedAt} {
		lines = append(lines, n+` text COLLATE "C"`)
	}
	lines = append(lines, retention.VaultLife+" bigint")
	out := []string{"CREATE TABLE " + name + " (\n  " + strings.Join(lines, ",\n  ") + "\n)"}
	for _, c := range from.Columns {
		if !c.Nullable {
			out = append(out, "ALTER TABLE "+name+" ALTER COLUMN "+quote(c.Name)+" DROP NOT NULL")
		}
	}
	return append(out, vaultIndexes(from, name)...), nil
}

func vaultIndexes(from *retention.Table, name string) []string {
	var out []string
	for _, names := range sqlwork.VaultIndexes(from) {
		cols := make([]string, len(names))
		for i, n := range names {
			cols[i] = quote(n)
		}
		out = append(out, "CREATE INDEX ON "+name+" ("+strings.Join(cols, ", ")+")")
	}
	return out
}

// ColumnsSQL says types, and the collations that are not the types' own.
func (e *engine) ColumnsSQL(ctx context.Context, q sqlwork.Session, t *retention.Table) ([]string, error) {
	var collated []struct {
		Name string `db:"name"`
		Of   string `db:"of"`
	}
	err := sqlx.SelectContext(ctx, q, &collated, `SELECT a.attname AS name, quote_ident(n.nspname) || '.' || quote_ident(c.collname) AS of
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_collation c ON c.oid = a.attcollation JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attcollation <> t.typcollation`, e.d.Table(t.Name).Text)
	if err != nil {
		return nil, fmt.Errorf("table %s: read its collations: %w", t.Name, err)
	}
	of := map[string]string{}
	for _, c := range collated {
		of[c.Name] = " COLLATE " + c.Of
	}
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = quote(c.Name) + " " + c.Decl + of[c.Name]
	}
	return out, nil
}

// DeclaredSQL is VaultSQL for a table of another database.
func (e *engine) DeclaredSQL(d retention.Declared, into retention.TableName) []string {
	name := e.d.Table(at(into, e.schema)).Text
	lines := append([]string{sqlgen.VaultID + " bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"}, d.Columns...)
	for _, n := range []string{retention.VaultClock, retention.VaultRule, retention.VaultArchivedAt} {
		lines = append(lines, n+` text COLLATE "C"`)
	}
	lines = append(lines, retention.VaultLife+" bigint")
	return append([]string{"CREATE TABLE " + name + " (\n  " + strings.Join(lines, ",\n  ") + "\n)"}, vaultIndexes(d.Table, name)...)
}

// Rows of other sources of the kind go into its tables, and its own into theirs.
var (
	_ retention.Lender   = (*Source)(nil)
	_ retention.Receiver = (*Source)(nil)
)
