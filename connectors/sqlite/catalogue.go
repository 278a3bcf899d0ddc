package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

func readIndexes(ctx context.Context, q sqlx.QueryerContext, table string) ([]retention.Index, error) {
	var rows []struct {
		Name    string         `db:"name"`
		Unique  bool           `db:"unique"`
		Partial bool           `db:"partial"`
		Column  sql.NullString `db:"column"`
	}
	err := sqlx.SelectContext(ctx, q, &rows, `SELECT l.name, l."unique", l.partial, x.name AS "column" FROM pragma_index_list(?) AS l JOIN pragma_index_xinfo(l.name) AS x WHERE x.key = 1 ORDER BY l.name, x.seqno`, table)
	var out []retention.Index
	for _, r := range rows {
		if len(out) == 0 || out[len(out)-1].Name != r.Name {
			out = append(out, retention.Index{Name: r.Name, Unique: r.Unique, Partial: r.Partial})
		}
		ix := &out[len(out)-1]
		ix.Columns = append(ix.Columns, r.Column.String)
	}
	return out, err
}

// foreignKeys reads every table's references. A reference that names no columns
// is to the primary key of its target.
func (cat *catalogue) foreignKeys(ctx context.Context, q sqlx.QueryerContext) ([]retention.ForeignKey, error) {
	var rows []struct {
		Of       string         `db:"of"`
		ID       int            `db:"id"`
		Table    string         `db:"table"`
		From     string         `db:"from"`
		To       sql.NullString `db:"to"`
		OnDelete string         `db:"on_delete"`
	}
	err := sqlx.SelectContext(ctx, q, &rows, `SELECT t.name AS "of", k.id, k."table", k."from", k."to", k.on_delete FROM main.sqlite_schema AS t JOIN pragma_foreign_key_list(t.name, 'main') AS k WHERE t.type = 'table' ORDER BY t.name, k.id, k.seq`)
	if err != nil {
		return nil, err
	}
	var out []retention.ForeignKey
	of, id := "", 0
	for _, r := range rows {
		if len(out) == 0 || r.Of != of || r.ID != id {
			of, id = r.Of, r.ID
			out = append(out, retention.ForeignKey{From: retention.TableName{Name: r.Of}, To: cat.named(r.Table), OnDelete: r.OnDelete})
		}
		fk := &out[len(out)-1]
		fk.Columns = append(fk.Columns, r.From)
		if r.To.Valid {
			fk.ToCols = append(fk.ToCols, r.To.String)
		}
	}
	for i := range out {
		if len(out[i].ToCols) > 0 {
			continue
		}
		cols, err := readColumns(ctx, q, out[i].To.Name)
		if err != nil {
			return nil, err
		}
		out[i].ToCols = keyColumns(cols)
	}
	return out, nil
}

// named is the catalogue's spelling of a table that a foreign key names.
func (cat *catalogue) named(name string) retention.TableName {
	for _, n := range cat.order {
		if strings.EqualFold(n, name) {
			return retention.TableName{Name: n}
		}
	}
	return retention.TableName{Name: name}
}

func readTriggers(ctx context.Context, q sqlx.QueryerContext, table string) ([]retention.Trigger, error) {
	var rows []struct {
		Name string         `db:"name"`
		SQL  sql.NullString `db:"sql"`
	}
	err := sqlx.SelectContext(ctx, q, &rows, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY name", table)
	var out []retention.Trigger
	for _, r := range rows {
		out = append(out, retention.Trigger{Name: r.Name, Event: triggerEvent(r.SQL.String)})
	}
	return out, err
}

// triggerEvent is the first event word of the statement, read after its name's
// quotes were taken out; an unreadable one counts as the most dangerous.
func triggerEvent(text string) string {
	head, _, _ := strings.Cut(strings.ToUpper(unquoted(text)), " ON ")
	words := strings.Fields(head)
	for _, w := range slices.Backward(words) {
		switch w {
		case "DELETE", "INSERT", "UPDATE":
			return w
		case "OF":
			return "UPDATE"
		}
	}
	return "DELETE"
}

// unquoted replaces every quoted part by a letter, and breaks by spaces.
func unquoted(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if strings.IndexByte("'\"`[", text[i]) >= 0 {
			end := text[i]
			if end == '[' {
				end = ']'
			}
			for i++; i < len(text) && text[i] != end; i++ {
			}
			b.WriteByte('x')
			continue
		}
		if text[i] == '\n' || text[i] == '\t' || text[i] == '\r' {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// fingerprint is over what a plan depends on. Indexes are not part of it: they
// change speed, not meaning.
func fingerprint(t *retention.Table, cols []columnRow, info tableRow) string {
	b, err := json.Marshal([]any{t.Name.Name, info.Type, info.WR, info.Strict, cols, t.References, t.Referenced, t.Triggers})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
