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
func (e *engine) VaultSQL(_ context.Context, _ sqlwork.Session, from *retention.Table, into retention.TableName) ([]string, error) {
	const text = " VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
	defs := []string{sqlgen.VaultID + " BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"}
	for _, c := range from.Columns {
		defs = append(defs, quote(c.Name)+" "+c.Decl+" NULL")
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
	return []string{"CREATE TABLE " + e.words.Table(into).Text + " (\n  " + strings.Join(defs, ",\n  ") + "\n) ENGINE=InnoDB"}, nil
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
