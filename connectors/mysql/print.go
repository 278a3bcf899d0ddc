package mysql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// verified is a schema that was found equal to the live one while that had this print.
type verified struct {
	schema *retention.Schema
	print  string
}

// compared is the full comparison, or none where the live tables have the print that
// they had when they were last compared. The print is read first: what changes after
// it is found by the comparison now, or by the next print.
func (e *engine) compared(ctx context.Context, q sqlwork.Session, planned *retention.Schema) error {
	var print string
	if e.maria && planned != nil {
		var err error
		if print, err = e.print(ctx, q, planned); err != nil {
			return err
		}
	}
	e.mu.Lock()
	was := e.verified
	e.mu.Unlock()
	if print != "" && was.schema == planned && was.print == print {
		return nil
	}
	if err := sqlwork.SameSchema(ctx, e, q, planned); err != nil || print == "" {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.verified = verified{planned, print}
	return nil
}

// print changes with every change of the tables' definitions, of their triggers, and
// of the foreign keys of the whole server, any of which could refer to a table: a full
// description asks each table of the server for its keys. It is empty where something
// other than a table is among those planned.
func (e *engine) print(ctx context.Context, q sqlwork.Session, planned *retention.Schema) (string, error) {
	tables := map[retention.TableName]retention.TableName{}
	for n := range planned.Tables {
		tables[e.home.key(n)] = n
	}
	keys := make([]retention.TableName, 0, len(tables))
	for key := range tables {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b retention.TableName) int { return strings.Compare(a.Schema+"\n"+a.Name, b.Schema+"\n"+b.Name) })
	h := sha256.New()
	for _, key := range keys {
		text, err := e.definition(ctx, q, tables[key])
		if err != nil || text == "" {
			return "", err
		}
		fmt.Fprintf(h, "%q %q %q\n", key.Schema, key.Name, text)
		if err := triggerPrint(ctx, q, h, key); err != nil {
			return "", fmt.Errorf("read the triggers of table %s again: %w", key, err)
		}
	}
	foreign, err := foreignPrint(ctx, q)
	if err != nil {
		return "", fmt.Errorf("read the foreign keys again: %w", err)
	}
	fmt.Fprintf(h, "%q", foreign)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// counter is where a table stands in giving numbers: no part of its definition.
var counter = regexp.MustCompile(`(?m)^(\) ENGINE=\w+) AUTO_INCREMENT=\d+`)

// definition is the table written out; empty for what is no table.
func (e *engine) definition(ctx context.Context, q sqlwork.Session, n retention.TableName) (string, error) {
	rows, err := q.QueryxContext(ctx, "SHOW CREATE TABLE "+e.words.Table(n).Text)
	if err != nil {
		return "", fmt.Errorf("read the definition of table %s again: %w", n, err)
	}
	defer rows.Close()
	var name, text string
	if cols, err := rows.Columns(); err != nil || len(cols) != 2 || !rows.Next() {
		return "", err
	}
	if err := rows.Scan(&name, &text); err != nil {
		return "", fmt.Errorf("read the definition of table %s again: %w", n, err)
	}
	return counter.ReplaceAllString(text, "$1"), rows.Err()
}

// triggerPrint adds the table's triggers.
func triggerPrint(ctx context.Context, q sqlwork.Session, h interface{ Write([]byte) (int, error) }, key retention.TableName) error {
	var rows []struct {
		Name, Event, Timing, Text string
	}
	if err := sqlx.SelectContext(ctx, q, &rows, `SELECT TRIGGER_NAME AS name, EVENT_MANIPULATION AS event, ACTION_TIMING AS timing, ACTION_STATEMENT AS text
FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY name`, key.Schema, key.Name); err != nil {
		return err
	}
	for _, r := range rows {
		_, _ = fmt.Fprintf(h, "trigger %q %q %q %q\n", r.Name, r.Event, r.Timing, r.Text)
	}
	return nil
}

// foreignPrint is over all foreign keys that the server has: from the table that the
// storage engine keeps them in, or, for a user who may not read that (PROCESS), from
// every table that the user is shown.
func foreignPrint(ctx context.Context, q sqlwork.Session) (print string, err error) {
	const sum = "coalesce(bit_xor(CAST(conv(left(md5(concat_ws('\\n', %s)), 16), 16, 10) AS UNSIGNED)), 0)"
	sumOf := func(columns, table string) string {
		return "(SELECT concat_ws(' ', count(*), " + strings.Replace(sum, "%s", columns, 1) + ") FROM information_schema." + table + ")"
	}
	err = q.GetContext(ctx, &print, "SELECT concat_ws(' ', "+sumOf("ID, FOR_NAME, REF_NAME, N_COLS, TYPE", "INNODB_SYS_FOREIGN")+", "+
		sumOf("ID, FOR_COL_NAME, REF_COL_NAME, POS", "INNODB_SYS_FOREIGN_COLS")+")")
	if code(err) != errSpecific {
		return print, err
	}
	err = q.GetContext(ctx, &print, "SELECT concat_ws(' ', count(*), "+strings.Replace(sum, "%s",
		"CONSTRAINT_SCHEMA, CONSTRAINT_NAME, TABLE_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME, ORDINAL_POSITION", 1)+
		") FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL")
	return print, err
}
