package mysql

import (
	"context"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// VaultSQL copies the columns of the table without its constraints, under a key
// of its own: an identifier given again later must not collide. It is one
// statement, since each one commits.
func (e *engine) VaultSQL(ctx context.Context, s sqlwork.Session, from *retention.Table, into retention.TableName) ([]string, error) {
	columns, err := e.ColumnsSQL(ctx, s, from)
	return e.DeclaredSQL(retention.Declared{Table: from, Columns: columns}, into), err
}

// ColumnsSQL says types with their character sets and collations.
func (e *engine) ColumnsSQL(_ context.Context, _ sqlwork.Session, t *retention.Table) ([]string, error) {
	var out []string
	for _, c := range t.Columns {
		out = append(out, quote(c.Name)+" "+c.Decl)
	}
	return out, nil
}

// DeclaredSQL is the one statement that makes the table.
func (e *engine) DeclaredSQL(d retention.Declared, into retention.TableName) []string {
	from := d.Table
	const text = " VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
	defs := []string{sqlgen.VaultID + " BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"}
	for _, c := range d.Columns {
		defs = append(defs, c+" NULL")
	}
	for _, n := range []string{retention.VaultClock, retention.VaultRule, retention.VaultArchivedAt} {
		defs = append(defs, n+text)
	}
	defs = append(defs, retention.VaultLife+" BIGINT")
	for i, names := range sqlwork.VaultIndexes(from) {
		if cols := indexed(from, names); cols != "" {
			defs = append(defs, fmt.Sprintf("KEY %s (%s)", quote(fmt.Sprintf("i%d", i)), cols))
		}
	}
	return []string{"CREATE TABLE " + e.words.Table(into).Text + " (\n  " + strings.Join(defs, ",\n  ") + "\n) ENGINE=InnoDB"}
}

// indexed are the index's columns, long ones by their beginning; empty where
// their type takes no index.
func indexed(from *retention.Table, names []string) string {
	const most = 100
	cols := make([]string, len(names))
	for i, n := range names {
		cols[i] = quote(n)
		c := from.Column(n)
		switch {
		case c == nil: // one of the vault's own
		case c.Kind == retention.KindJSON || c.Kind == retention.KindOther && !textual(c):
			return ""
		case c.Length > most:
			cols[i] += fmt.Sprintf("(%d)", most)
		}
	}
	return strings.Join(cols, ", ")
}

// Rows of other sources of the kind go into its tables, and its own into theirs.
var (
	_ retention.Lender   = (*Source)(nil)
	_ retention.Receiver = (*Source)(nil)
)
