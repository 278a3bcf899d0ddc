package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// VaultSQL copies the columns of the table without its constraints, under a key
// of its own: an identifier given again later must not collide.
func (s *engine) VaultSQL(ctx context.Context, q sqlwork.Session, from *retention.Table, into retention.TableName) ([]string, error) {
	var strict bool
	if err := q.GetContext(ctx, &strict, "SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ?", from.Name.Name); err != nil {
		return nil, fmt.Errorf("table %s: %w", from.Name, err)
	}
	return vaultSQL(from, into, strict), nil
}

// strictly stands at the end of the columns of a STRICT table.
const strictly = "STRICT"

// ColumnsSQL says names and types, and whether the table is STRICT.
func (s *engine) ColumnsSQL(ctx context.Context, q sqlwork.Session, t *retention.Table) ([]string, error) {
	var strict bool
	if err := q.GetContext(ctx, &strict, "SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ?", t.Name.Name); err != nil {
		return nil, fmt.Errorf("table %s: %w", t.Name, err)
	}
	if strict {
		return []string{strictly}, nil
	}
	return nil, nil
}

// DeclaredSQL is VaultSQL for a table of another file.
func (s *engine) DeclaredSQL(d retention.Declared, into retention.TableName) []string {
	return vaultSQL(d.Table, into, len(d.Columns) > 0)
}

func vaultSQL(from *retention.Table, into retention.TableName, strict bool) []string {
	defs := []string{sqlgen.VaultID + " INTEGER PRIMARY KEY"}
	for _, c := range from.Columns {
		defs = append(defs, strings.TrimSpace(quote(c.Name)+" "+c.Decl))
	}
	for _, n := range []string{retention.VaultClock, retention.VaultRule, retention.VaultArchivedAt} {
		defs = append(defs, n+" TEXT")
	}
	defs = append(defs, retention.VaultLife+" INTEGER")
	name := dialect().Table(into).Text
	text := "CREATE TABLE " + name + " (\n  " + strings.Join(defs, ",\n  ") + "\n)"
	if strict {
		text += " STRICT"
	}
	out := []string{text}
	for i, names := range sqlwork.VaultIndexes(from) {
		cols := make([]string, len(names))
		for j, n := range names {
			cols[j] = quote(n)
		}
		out = append(out, fmt.Sprintf("CREATE INDEX %s ON %s (%s)", quote(fmt.Sprintf("%s_i%d", into.Name, i)), quote(into.Name), strings.Join(cols, ", ")))
	}
	return out
}

// Rows of other sources of the kind go into its tables, and its own into theirs.
var (
	_ retention.Lender   = (*Source)(nil)
	_ retention.Receiver = (*Source)(nil)
)
