package mysql

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// column is what a column must still be for its values to go back into it.
type column struct {
	Name      string `db:"name"`
	Type      string `db:"type"`
	Collation string `db:"collation"`
	Computed  bool   `db:"computed"`
}

// keyPart is one column of a unique key; Part: so many of its first characters.
type keyPart struct {
	Index  string `db:"name"`
	Column string `db:"col"`
	Part   int64  `db:"part"`
	Null   bool   `db:"nullable"`
}

// alike is what rows are moved by: the columns that are not computed, and the unique
// keys of their table.
type alike struct {
	columns []column
	keys    [][]keyPart
}

// alike proves that the rows that are set aside fit their table as it is now: nothing
// acts on an insert, and its first columns are theirs, in their order. New columns may
// follow; one that was renamed, moved, dropped or changed would lose or change values.
func (e *engine) alike(ctx context.Context, q sqlwork.Session, s set) (a alike, err error) {
	if err := e.untriggered(ctx, q, s.of()); err != nil {
		return a, err
	}
	ours, err := e.columnsOf(ctx, q, retention.TableName{Schema: e.home.database, Name: asideTable})
	if err != nil {
		return a, err
	}
	theirs, err := e.columnsOf(ctx, q, s.of())
	if err != nil {
		return a, err
	}
	for i, c := range ours {
		if i >= len(theirs) || theirs[i] != c {
			return a, fmt.Errorf("column %s of the rows is not column %d of the table any more, with the same name, type and collation: their values would be lost or changed: undo that, and run again, or move the rows by hand and drop that table", quote(c.Name), i+1)
		}
		if !c.Computed {
			a.columns = append(a.columns, c)
		}
	}
	if a.keys, err = e.uniques(ctx, q, s.of()); err == nil && !told(a.keys) {
		err = fmt.Errorf("the table has no unique key without NULL any more, by which its rows could be told: add it, and run again")
	}
	return a, err
}

// untriggered refuses a table of which a trigger acts on what is inserted.
func (e *engine) untriggered(ctx context.Context, q sqlwork.Session, t retention.TableName) error {
	n := e.home.key(t)
	var names []string
	err := sqlx.SelectContext(ctx, q, &names, "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? AND EVENT_MANIPULATION = 'INSERT' ORDER BY 1", n.Schema, n.Name)
	if err == nil && len(names) > 0 {
		err = fmt.Errorf("trigger %s acts on rows that are inserted, and would on rows that are put back: drop it until they are back", quote(names[0]))
	}
	return err
}

func (e *engine) columnsOf(ctx context.Context, q sqlwork.Session, t retention.TableName) (all []column, err error) {
	n := e.home.key(t)
	err = sqlx.SelectContext(ctx, q, &all, `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, coalesce(COLLATION_NAME, '') AS collation, coalesce(GENERATION_EXPRESSION, '') <> '' AS computed
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`, n.Schema, n.Name)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("table %s is not there any more, or not shown", t)
	}
	return all, err
}

// uniques are the unique keys of a table, column by column.
func (e *engine) uniques(ctx context.Context, q sqlwork.Session, t retention.TableName) (keys [][]keyPart, err error) {
	n := e.home.key(t)
	var parts []keyPart
	err = sqlx.SelectContext(ctx, q, &parts, `SELECT INDEX_NAME AS name, COLUMN_NAME AS col, coalesce(SUB_PART, 0) AS part, NULLABLE = 'YES' AS nullable
FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX`, n.Schema, n.Name)
	for i, p := range parts {
		if i == 0 || parts[i-1].Index != p.Index {
			keys = append(keys, nil)
		}
		keys[len(keys)-1] = append(keys[len(keys)-1], p)
	}
	return keys, err
}

// told is whether one key tells every row.
func told(keys [][]keyPart) bool {
	for _, k := range keys {
		whole := true
		for _, p := range k {
			whole = whole && !p.Null
		}
		if whole {
			return true
		}
	}
	return false
}

// list are the columns, each after a prefix.
func (a alike) list(prefix string) string {
	names := make([]string, len(a.columns))
	for i, c := range a.columns {
		names[i] = prefix + quote(c.Name)
	}
	return strings.Join(names, ", ")
}

// equal compares every value of a row t with that of a row a: as its type does, which
// finds the row by its key, and byte by byte.
func (a alike) equal() string {
	tests := make([]string, len(a.columns))
	for i, c := range a.columns {
		n := quote(c.Name)
		tests[i] = "t." + n + " <=> a." + n + " AND BINARY t." + n + " <=> BINARY a." + n
	}
	return strings.Join(tests, " AND ")
}

// free is whether the table has none of the row's keys.
func (a alike) free(table string) string {
	tests := make([]string, len(a.keys))
	for i, k := range a.keys {
		parts := make([]string, len(k))
		for j, p := range k {
			n, form := quote(p.Column), "%s"
			if p.Part > 0 {
				form = fmt.Sprintf("LEFT(%%s, %d)", p.Part)
			}
			parts[j] = fmt.Sprintf(form, "t."+n) + " = " + fmt.Sprintf(form, "a."+n)
		}
		tests[i] = "NOT EXISTS (SELECT 1 FROM " + table + " WHERE " + strings.Join(parts, " AND ") + ")"
	}
	return strings.Join(tests, " AND ")
}
