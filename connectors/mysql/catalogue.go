package mysql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

type keyRow struct {
	Schema   string `db:"s"`
	Name     string `db:"n"`
	Table    string `db:"t"`
	Column   string `db:"c"`
	ToSchema string `db:"ts"`
	To       string `db:"tt"`
	ToColumn string `db:"tc"`
}

// foreignKeys reads those from and to the tables asked for, of all databases: any
// table may refer to ours. What they do on delete is asked of those tables only,
// since the server opens each table that it is asked about.
func (cat *catalogue) foreignKeys(ctx context.Context, q sqlwork.Session, asked map[retention.TableName]bool) ([]retention.ForeignKey, error) {
	var rows []keyRow
	if err := sqlx.SelectContext(ctx, q, &rows, `SELECT CONSTRAINT_SCHEMA AS s, CONSTRAINT_NAME AS n, TABLE_NAME AS t, COLUMN_NAME AS c, REFERENCED_TABLE_SCHEMA AS ts, REFERENCED_TABLE_NAME AS tt, REFERENCED_COLUMN_NAME AS tc
FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL ORDER BY s, t, n, ORDINAL_POSITION`); err != nil {
		return nil, err
	}
	// Tables that refer to one asked for are described too, with keys of their own.
	described := maps.Clone(asked)
	for _, r := range rows {
		if asked[cat.key(r.ToSchema, r.To)] {
			described[cat.key(r.Schema, r.Table)] = true
		}
	}
	var out []retention.ForeignKey
	var from []retention.TableName
	for _, r := range rows {
		if !described[cat.key(r.Schema, r.Table)] && !described[cat.key(r.ToSchema, r.To)] {
			continue
		}
		name := cat.name(r.Schema, r.Table)
		if n := len(out); n == 0 || out[n-1].Name != r.Name || out[n-1].From != name {
			out, from = append(out, retention.ForeignKey{Name: r.Name, From: name, To: cat.name(r.ToSchema, r.To)}), append(from, name)
		}
		fk := &out[len(out)-1]
		fk.Columns, fk.ToCols = append(fk.Columns, r.Column), append(fk.ToCols, r.ToColumn)
	}
	return out, cat.rules(ctx, q, out, from)
}

// rules says what the keys do on delete.
func (cat *catalogue) rules(ctx context.Context, q sqlwork.Session, keys []retention.ForeignKey, from []retention.TableName) error {
	if len(keys) == 0 {
		return nil
	}
	var rows []struct {
		Schema string `db:"s"`
		Table  string `db:"t"`
		Name   string `db:"n"`
		Rule   string `db:"rule"`
	}
	if err := list(ctx, cat, q, &rows, "SELECT CONSTRAINT_SCHEMA AS s, TABLE_NAME AS t, CONSTRAINT_NAME AS n, DELETE_RULE AS rule FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE ",
		"CONSTRAINT_SCHEMA", "TABLE_NAME", "", from); err != nil {
		return err
	}
	rules := map[retention.TableName]map[string]string{}
	for _, r := range rows {
		n := cat.name(r.Schema, r.Table)
		if rules[n] == nil {
			rules[n] = map[string]string{}
		}
		rules[n][r.Name] = r.Rule
	}
	for i := range keys {
		if keys[i].OnDelete = rules[keys[i].From][keys[i].Name]; keys[i].OnDelete != "" {
			continue
		}
		rule, err := cat.writtenRule(ctx, q, keys[i])
		if err != nil {
			return err
		}
		keys[i].OnDelete = rule
	}
	return nil
}

// writtenRule reads a key's rule where the table is written out: the catalogue
// does not tell it to a user who may only SELECT.
func (cat *catalogue) writtenRule(ctx context.Context, q sqlwork.Session, fk retention.ForeignKey) (string, error) {
	var name, text string
	if err := q.QueryRowxContext(ctx, "SHOW CREATE TABLE "+cat.e.words.Table(fk.From).Text).Scan(&name, &text); err != nil {
		return "", fmt.Errorf("table %s: what its foreign key %s does on delete: %w", fk.From, fk.Name, err)
	}
	for _, line := range strings.Split(text, "\n") {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "CONSTRAINT "+quote(fk.Name)+" FOREIGN KEY "); ok {
			return onDelete(rest), nil
		}
	}
	return "", fmt.Errorf("table %s: the server does not say what foreign key %s does on delete", fk.From, fk.Name)
}

// onDelete is the rule in the words of a CREATE TABLE; names in quotes may say
// anything.
func onDelete(text string) string {
	var bare strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 0 {
			bare.WriteString(part)
		}
	}
	for _, rule := range []string{"CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION", "RESTRICT"} {
		if strings.Contains(bare.String(), " ON DELETE "+rule) {
			return rule
		}
	}
	return "RESTRICT" // which is not written out
}

// build makes the tables, without their indexes.
func (cat *catalogue) build(keys []retention.ForeignKey) {
	for key, info := range cat.tables {
		t := &retention.Table{Name: cat.name(info.Schema, info.Name), Kind: info.kind()}
		for _, fk := range keys {
			if cat.e.home.key(fk.From) == key {
				t.References = append(t.References, fk)
			}
			if cat.e.home.key(fk.To) == key {
				t.Referenced = append(t.Referenced, fk)
			}
		}
		for _, c := range cat.columns[key] {
			live := retention.Column{
				Name: c.Name, Decl: c.decl(), Kind: kindOf(strings.ToLower(c.Data), cat.json[key][strings.ToLower(c.Name)]),
				Nullable: c.Nullable == "YES", Length: int(c.Length.Int64), Generated: c.Generated.String != "", Typed: true,
			}
			live.Unheld = unheld(&live)
			live.Loose = textual(&live) && !strings.HasSuffix(collation(&live), "_bin")
			t.Columns = append(t.Columns, live)
		}
		cat.table[key] = t
	}
}

// indexes reads indexes and triggers, and completes the tables with what follows.
func (cat *catalogue) indexes(ctx context.Context, q sqlwork.Session) error {
	if len(cat.order) == 0 {
		return nil
	}
	partial, err := cat.readIndexes(ctx, q)
	if err != nil {
		return err
	}
	if err := cat.triggers(ctx, q); err != nil {
		return err
	}
	if err := cat.ranged(ctx, q); err != nil {
		return err
	}
	for key, t := range cat.table {
		for i := range t.Columns {
			t.Columns[i].Unique = alone(t, t.Columns[i].Name)
		}
		if t.Volatile = volatile(t, cat.tables[key]); t.Volatile == "" {
			t.Unsafe = unsafe(t, partial[key])
		} else {
			t.Unsafe = t.Volatile
		}
		t.Fingerprint = fingerprint(t, cat.columns[key], cat.tables[key])
	}
	return nil
}

// readIndexes says of which tables the primary key covers only the beginning of
// a column.
func (cat *catalogue) readIndexes(ctx context.Context, q sqlwork.Session) (partial map[retention.TableName]bool, err error) {
	var rows []struct {
		Schema    string         `db:"s"`
		Table     string         `db:"t"`
		Name      string         `db:"n"`
		NotUnique int            `db:"nu"`
		Column    sql.NullString `db:"c"`
		Part      sql.NullInt64  `db:"part"`
		Type      string         `db:"type"`
	}
	partial = map[retention.TableName]bool{}
	err = list(ctx, cat, q, &rows, "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t, INDEX_NAME AS n, NON_UNIQUE AS nu, COLUMN_NAME AS c, SUB_PART AS part, INDEX_TYPE AS type FROM information_schema.STATISTICS WHERE ",
		"TABLE_SCHEMA", "TABLE_NAME", " ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX", cat.order)
	for _, r := range rows {
		key := cat.key(r.Schema, r.Table)
		t := cat.table[key]
		if t == nil {
			continue
		}
		if r.Name == "PRIMARY" {
			t.Key = append(t.Key, r.Column.String)
			partial[key] = partial[key] || r.Part.Valid
			if len(t.Key) > 1 {
				t.Indexes[len(t.Indexes)-1].Columns = slices.Clone(t.Key)
				continue
			}
		}
		if n := len(t.Indexes); n == 0 || t.Indexes[n-1].Name != r.Name {
			t.Indexes = append(t.Indexes, retention.Index{Name: r.Name, Unique: r.NotUnique == 0, Partial: r.Type != "BTREE"})
		}
		ix := &t.Indexes[len(t.Indexes)-1]
		ix.Columns = append(ix.Columns, r.Column.String)
		ix.Partial = ix.Partial || r.Part.Valid
	}
	return partial, err
}

func (cat *catalogue) triggers(ctx context.Context, q sqlwork.Session) error {
	var rows []struct {
		Schema string `db:"s"`
		Table  string `db:"t"`
		Name   string `db:"n"`
		Event  string `db:"event"`
	}
	err := list(ctx, cat, q, &rows, "SELECT EVENT_OBJECT_SCHEMA AS s, EVENT_OBJECT_TABLE AS t, TRIGGER_NAME AS n, EVENT_MANIPULATION AS event FROM information_schema.TRIGGERS WHERE ",
		"EVENT_OBJECT_SCHEMA", "EVENT_OBJECT_TABLE", " ORDER BY TRIGGER_NAME", cat.order)
	for _, r := range rows {
		if t := cat.table[cat.key(r.Schema, r.Table)]; t != nil {
			t.Triggers = append(t.Triggers, retention.Trigger{Name: r.Name, Event: r.Event})
		}
	}
	return err
}

func alone(t *retention.Table, column string) bool {
	return slices.ContainsFunc(t.Indexes, func(ix retention.Index) bool {
		return ix.Unique && !ix.Partial && len(ix.Columns) == 1 && ix.Columns[0] == column
	})
}

// volatile says why a change of the table may not be taken back, or stay.
func volatile(t *retention.Table, info *tableRow) string {
	switch {
	case t.Kind == "system-versioned":
		return "it is system-versioned: what is deleted stays in its history; drop the versioning, or keep the history elsewhere"
	case t.Kind != "table" && t.Kind != "partitioned":
		return "it is a " + t.Kind + ", not an ordinary table; name the table beneath"
	case !strings.EqualFold(info.Engine.String, "InnoDB"):
		return fmt.Sprintf("its engine %s has no transactions: ALTER TABLE %s ENGINE=InnoDB", info.Engine.String, quote(info.Name))
	}
	return ""
}

// unsafe says why no row of the table can be acted on, though changes last.
func unsafe(t *retention.Table, partialKey bool) string {
	switch {
	case len(t.Key) == 0:
		return "it has no primary key, so its rows cannot be named exactly; declare one"
	case partialKey:
		return "its primary key covers only the beginning of a column, so its rows cannot be named exactly"
	}
	for _, k := range t.Key {
		switch c := t.Column(k); {
		case c.Kind == retention.KindOther, typeName(c) == "float", typeName(c) == "double", typeName(c) == "bit", c.Length > 700:
			return fmt.Sprintf("its key column %q (%s) cannot be named exactly and in order", k, c.Decl)
		}
	}
	return ""
}

// fingerprint is over what a plan depends on. Indexes are not part of it: they
// change speed, not meaning. Nor is the name of the connection's own database: tenants
// of a fleet, and a database under another name, have one schema.
func fingerprint(t *retention.Table, cols []columnRow, info *tableRow) string {
	cols = slices.Clone(cols)
	for i := range cols {
		cols[i].Schema = t.Name.Schema
	}
	b, err := json.Marshal([]any{t.Name, t.Kind, info.Engine, cols, t.Key, t.References, t.Referenced, t.Triggers})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
