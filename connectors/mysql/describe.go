package mysql

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// catalogue is what the server says of the tables asked for, in a handful of
// queries however many they are. Names are those of [home.key].
type catalogue struct {
	e       *engine
	tables  map[retention.TableName]*tableRow
	order   []retention.TableName
	columns map[retention.TableName][]columnRow
	json    map[retention.TableName]map[string]bool // columns that MariaDB checks to be JSON
	table   map[retention.TableName]*retention.Table
}

// Describe reads the live catalogue: the tables asked for, and those of any
// database that refer to them.
func (e *engine) Describe(ctx context.Context, q sqlwork.Session, names []retention.TableName) (*retention.Schema, error) {
	out := &retention.Schema{Tables: map[retention.TableName]*retention.Table{}}
	if len(names) == 0 {
		return out, nil
	}
	cat := &catalogue{e: e, table: map[retention.TableName]*retention.Table{}}
	asked := map[retention.TableName]bool{}
	for _, n := range names {
		asked[e.home.key(n)] = true
	}
	keys, err := cat.foreignKeys(ctx, q, asked)
	if err != nil {
		return nil, err
	}
	wanted := append([]retention.TableName{}, names...)
	for _, fk := range keys {
		if asked[e.home.key(fk.To)] {
			wanted = append(wanted, fk.From)
		}
	}
	if err := cat.read(ctx, q, wanted); err != nil {
		return nil, err
	}
	cat.build(keys)
	for _, n := range wanted {
		if t := cat.table[e.home.key(n)]; t != nil {
			out.Tables[n], out.Tables[t.Name] = t, t
		}
	}
	if out.Lacks, err = e.lacking(ctx, q, names); err != nil {
		return nil, err
	}
	return out, cat.indexes(ctx, q)
}

// lacking are the databases that do not exist, or that the user does not see.
func (e *engine) lacking(ctx context.Context, q sqlwork.Session, tables []retention.TableName) (out []string, err error) {
	for _, t := range tables {
		if t.Schema == "" || slices.Contains(out, t.Schema) {
			continue
		}
		var there int
		if err := q.GetContext(ctx, &there, "SELECT count(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", t.Schema); err != nil {
			return nil, err
		}
		if there == 0 {
			out = append(out, t.Schema)
		}
	}
	return out, nil
}

type tableRow struct {
	Schema  string         `db:"s"`
	Name    string         `db:"n"`
	Type    string         `db:"type"`
	Engine  sql.NullString `db:"engine"`
	Options sql.NullString `db:"options"`
}

func (r *tableRow) kind() string {
	switch {
	case r.Type == "VIEW" || r.Type == "SYSTEM VIEW":
		return "view"
	case r.Type == "SYSTEM VERSIONED":
		return "system-versioned"
	case r.Type != "BASE TABLE":
		return strings.ToLower(r.Type)
	case strings.Contains(r.Options.String, "partitioned"):
		return "partitioned"
	}
	return "table"
}

type columnRow struct {
	Schema    string         `db:"s"`
	Table     string         `db:"t"`
	Name      string         `db:"n"`
	Type      string         `db:"type"`
	Data      string         `db:"data"`
	Nullable  string         `db:"nullable"`
	Default   sql.NullString `db:"dflt"`
	Extra     string         `db:"extra"`
	Length    sql.NullInt64  `db:"length"`
	Collation sql.NullString `db:"collation"`
	Generated sql.NullString `db:"generated"`
}

// decl is the type as a column of another table would declare it.
func (r *columnRow) decl() string {
	d := r.Type
	if r.Collation.Valid {
		d += " COLLATE " + r.Collation.String
	}
	if i := strings.Index(strings.ToLower(r.Extra), "on update "); i >= 0 {
		d += " " + r.Extra[i:]
	}
	return d
}

// read reads tables, columns and checks of the names.
func (cat *catalogue) read(ctx context.Context, q sqlwork.Session, names []retention.TableName) error {
	cat.tables, cat.columns, cat.json = map[retention.TableName]*tableRow{}, map[retention.TableName][]columnRow{}, map[retention.TableName]map[string]bool{}
	var tables []tableRow
	if err := list(ctx, cat, q, &tables, "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS n, TABLE_TYPE AS type, ENGINE AS engine, CREATE_OPTIONS AS options FROM information_schema.TABLES WHERE ", "TABLE_SCHEMA", "TABLE_NAME", "", names); err != nil {
		return err
	}
	for i := range tables {
		key := cat.key(tables[i].Schema, tables[i].Name)
		cat.tables[key] = &tables[i]
		cat.order = append(cat.order, key)
	}
	var columns []columnRow
	if err := list(ctx, cat, q, &columns, `SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t, COLUMN_NAME AS n, COLUMN_TYPE AS type, DATA_TYPE AS data, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS dflt, EXTRA AS extra,
 CHARACTER_MAXIMUM_LENGTH AS length, COLLATION_NAME AS collation, GENERATION_EXPRESSION AS generated FROM information_schema.COLUMNS WHERE `, "TABLE_SCHEMA", "TABLE_NAME", " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION", names); err != nil {
		return err
	}
	for _, c := range columns {
		key := cat.key(c.Schema, c.Table)
		cat.columns[key] = append(cat.columns[key], c)
	}
	if !cat.e.maria {
		return nil
	}
	return cat.checks(ctx, q, names)
}

// checks finds the columns that MariaDB holds to be JSON: its type is an alias.
func (cat *catalogue) checks(ctx context.Context, q sqlwork.Session, names []retention.TableName) error {
	var rows []struct {
		Schema string `db:"s"`
		Table  string `db:"t"`
		Clause string `db:"clause"`
	}
	if err := list(ctx, cat, q, &rows, "SELECT CONSTRAINT_SCHEMA AS s, TABLE_NAME AS t, CHECK_CLAUSE AS clause FROM information_schema.CHECK_CONSTRAINTS WHERE ", "CONSTRAINT_SCHEMA", "TABLE_NAME", "", names); err != nil {
		return err
	}
	for _, r := range rows {
		name, found := strings.CutPrefix(strings.ToLower(r.Clause), "json_valid(`")
		if !found {
			continue
		}
		key := cat.key(r.Schema, r.Table)
		if cat.json[key] == nil {
			cat.json[key] = map[string]bool{}
		}
		cat.json[key][strings.ReplaceAll(strings.TrimSuffix(name, "`)"), "``", "`")] = true
	}
	return nil
}

// list reads rows about the tables of those names, and adds them. MariaDB opens the
// tables of the whole server where it is asked for several at once, so it is asked
// for one after the other.
func list[T any](ctx context.Context, cat *catalogue, q sqlwork.Session, into *[]T, text, schema, name, order string, names []retention.TableName) error {
	seen := map[retention.TableName]bool{}
	var tests []string
	var values []any
	for _, n := range names {
		if n.Schema == "" {
			n.Schema = cat.e.home.database
		}
		if key := cat.e.home.key(n); !seen[key] {
			seen[key] = true
			tests, values = append(tests, schema+" = ? AND "+name+" = ?"), append(values, n.Schema, n.Name)
		}
	}
	if !cat.e.maria {
		return sqlx.SelectContext(ctx, q, into, text+"("+strings.Join(tests, " OR ")+")"+order, values...)
	}
	for i, test := range tests {
		var some []T
		if err := sqlx.SelectContext(ctx, q, &some, text+test+order, values[2*i:2*i+2]...); err != nil {
			return err
		}
		*into = append(*into, some...)
	}
	return nil
}

func (cat *catalogue) key(schema, name string) retention.TableName {
	return cat.e.home.key(retention.TableName{Schema: schema, Name: name})
}

func (cat *catalogue) name(schema, name string) retention.TableName {
	return cat.e.home.own(retention.TableName{Schema: schema, Name: name})
}
