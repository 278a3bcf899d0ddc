package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// catalogue is what the whole database says, read once for a description.
type catalogue struct {
	kinds map[string]tableRow
	order []string
	keys  []retention.ForeignKey
}

type tableRow struct {
	Schema string `db:"schema"`
	Name   string `db:"name"`
	Type   string `db:"type"`
	Ncol   int    `db:"ncol"`
	WR     bool   `db:"wr"`
	Strict bool   `db:"strict"`
}

func describe(ctx context.Context, q sqlx.QueryerContext, tables []retention.TableName) (*retention.Schema, error) {
	cat, err := readCatalogue(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &retention.Schema{Tables: map[retention.TableName]*retention.Table{}}
	for _, n := range tables {
		if n.Schema != "" && !strings.EqualFold(home(n.Schema), "main") {
			out.Lacks = append(out.Lacks, n.Schema)
		}
		name, there := cat.spelling(n.Name)
		if !there || !strings.EqualFold(home(n.Schema), "main") {
			continue
		}
		if err := cat.add(ctx, q, out, retention.TableName{Schema: n.Schema, Name: name}); err != nil {
			return nil, err
		}
		out.Tables[n] = out.Tables[retention.TableName{Name: name}]
	}
	return out, cat.addReferrers(ctx, q, out)
}

// addReferrers describes every table that refers to one asked for.
func (cat *catalogue) addReferrers(ctx context.Context, q sqlx.QueryerContext, out *retention.Schema) error {
	var missing []retention.TableName
	for _, t := range out.Tables {
		for _, fk := range t.Referenced {
			if findTable(out, fk.From) == nil {
				missing = append(missing, fk.From)
			}
		}
	}
	for _, n := range missing {
		if findTable(out, n) == nil {
			if err := cat.add(ctx, q, out, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// spelling is the catalogue's own of a name.
func (cat *catalogue) spelling(name string) (string, bool) {
	if _, exact := cat.kinds[name]; exact {
		return name, true
	}
	for have := range cat.kinds {
		if strings.EqualFold(have, name) {
			return have, true
		}
	}
	return "", false
}

func findTable(s *retention.Schema, n retention.TableName) *retention.Table {
	for k, t := range s.Tables {
		if sameTable(k, n) {
			return t
		}
	}
	return nil
}

func readCatalogue(ctx context.Context, q sqlx.QueryerContext) (*catalogue, error) {
	var rows []tableRow
	err := sqlx.SelectContext(ctx, q, &rows, "SELECT schema, name, type, ncol, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
	if err != nil {
		return nil, err
	}
	cat := &catalogue{kinds: map[string]tableRow{}}
	for _, r := range rows {
		cat.kinds[r.Name] = r
		cat.order = append(cat.order, r.Name)
	}
	if cat.keys, err = cat.foreignKeys(ctx, q); err != nil {
		return nil, fmt.Errorf("foreign keys: %w", err)
	}
	return cat, nil
}

func (cat *catalogue) add(ctx context.Context, q sqlx.QueryerContext, out *retention.Schema, n retention.TableName) error {
	t, err := cat.table(ctx, q, n)
	if err != nil {
		return fmt.Errorf("table %s: %w", n, err)
	}
	out.Tables[n], out.Tables[t.Name] = t, t
	return nil
}

func (cat *catalogue) table(ctx context.Context, q sqlx.QueryerContext, n retention.TableName) (*retention.Table, error) {
	info := cat.kinds[n.Name]
	t := &retention.Table{Name: retention.TableName{Name: n.Name}, Kind: info.Type, Rowid: info.Type == "table" && !info.WR}
	cols, err := readColumns(ctx, q, n.Name)
	if err != nil {
		return nil, err
	}
	if t.Indexes, err = readIndexes(ctx, q, n.Name); err != nil {
		return nil, err
	}
	if t.Triggers, err = readTriggers(ctx, q, n.Name); err != nil {
		return nil, err
	}
	for _, fk := range cat.keys {
		if strings.EqualFold(fk.From.Name, n.Name) {
			t.References = append(t.References, fk)
		}
		if strings.EqualFold(fk.To.Name, n.Name) {
			t.Referenced = append(t.Referenced, fk)
		}
	}
	fill(t, cols)
	t.Fingerprint = fingerprint(t, cols, info)
	return t, nil
}

type columnRow struct {
	Name    string         `db:"name"`
	Type    string         `db:"type"`
	NotNull bool           `db:"notnull"`
	Default sql.NullString `db:"dflt_value"`
	PK      int            `db:"pk"`
	Hidden  int            `db:"hidden"`
}

func readColumns(ctx context.Context, q sqlx.QueryerContext, table string) ([]columnRow, error) {
	var out []columnRow
	err := sqlx.SelectContext(ctx, q, &out, `SELECT name, coalesce(type, '') AS type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid`, table)
	return out, err
}

// fill sets columns, key and safety. Hidden: 1 is a virtual table's, 2 and 3
// are generated columns.
func fill(t *retention.Table, cols []columnRow) {
	t.Key = keyColumns(cols)
	for _, c := range cols {
		alias := t.Rowid && len(t.Key) == 1 && c.PK == 1 && strings.EqualFold(c.Type, "INTEGER")
		t.Columns = append(t.Columns, retention.Column{
			Name: c.Name, Decl: c.Type, Kind: kindOf(c.Type), Length: lengthOf(c.Type),
			Nullable:  !c.NotNull && !alias && !(c.PK > 0 && !t.Rowid),
			Generated: c.Hidden >= 2,
			Unique:    alone(t, c.Name),
			Unheld:    sqlgen.Unheld(kindOf(c.Type), affinity(c.Type) == "REAL"),
		})
	}
	if t.Kind != "table" {
		t.Volatile = "it is a " + t.Kind + ", not an ordinary table; name the table beneath"
	}
	t.Unsafe = unsafe(t)
}

func keyColumns(cols []columnRow) []string {
	var key []string
	for n := 1; n <= len(cols); n++ {
		for _, c := range cols {
			if c.PK == n {
				key = append(key, c.Name)
			}
		}
	}
	return key
}

func alone(t *retention.Table, column string) bool {
	if len(t.Key) == 1 && t.Key[0] == column {
		return true
	}
	for _, ix := range t.Indexes {
		if ix.Unique && !ix.Partial && len(ix.Columns) == 1 && ix.Columns[0] == column {
			return true
		}
	}
	return false
}

// unsafe says why no row of the table can be acted on.
func unsafe(t *retention.Table) string {
	if t.Volatile != "" {
		return t.Volatile
	}
	if len(t.Key) == 0 {
		return "it has no primary key, so its rows cannot be named exactly; declare one (a bare rowid may change under VACUUM)"
	}
	for _, k := range t.Key {
		if c := t.Column(k); affinity(c.Decl) == "REAL" {
			return fmt.Sprintf("its key column %q holds fractions, which cannot be named exactly", k)
		}
	}
	return ""
}
