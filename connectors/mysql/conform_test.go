package mysql

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/conntest"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

func TestConformance(t *testing.T) { conntest.Run(t, harness{}) }

type harness struct{}

func (harness) Capabilities() []conntest.Capability { return conntest.AllCapabilities() }

func (harness) Fresh(t *testing.T) conntest.Database {
	t.Helper()
	return fresh(t)
}

func fresh(t *testing.T) *database {
	t.Helper()
	return applicationOf(t, servers.MariaDB(t).Database(t))
}

func applicationOf(t *testing.T, dsn string) *database {
	t.Helper()
	app := openApp(t, dsn)
	return &database{conntest.Application{DB: app, Seen: seen}, app, dsn}
}

// openApp is an application's own pool.
func openApp(t *testing.T, dsn string) *sqlx.DB {
	t.Helper()
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c.Params = map[string]string{"time_zone": "'+00:00'", "sql_mode": "'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES'"}
	c.Logger = &mysql.NopLogger{}
	db, err := sqlx.Open("mysql", c.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func (harness) Type(name string) string {
	return map[string]string{
		"timestamp-text": "VARCHAR(40)", "text": "VARCHAR(190)", "int": "INT", "bigint": "BIGINT", "date": "DATE",
		"timestamp": "DATETIME(6)", "timestamptz": "TIMESTAMP(6) NULL", "bytes": "VARBINARY(64)",
	}[name]
}

func (harness) Quote(name string) string { return quote(name) }

func (harness) Bytes(b []byte) string { return "x'" + hex.EncodeToString(b) + "'" }

func (harness) Trigger(name, event, table, statement string) []string {
	return []string{fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s FOR EACH ROW %s", name, event, table, statement)}
}

type database struct {
	conntest.Application
	app *sqlx.DB
	dsn string
}

func (d *database) Open(t *testing.T) retention.Source {
	t.Helper()
	return d.open(t)
}

func (d *database) open(t *testing.T) *Source {
	t.Helper()
	s, err := Open(t.Context(), d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Exec writes times with an offset as MariaDB takes them: in the session's zone.
func (d *database) Exec(ctx context.Context, statement string) error {
	statement = regexp.MustCompile(`'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d'`).ReplaceAllStringFunc(statement, func(s string) string {
		at, err := time.Parse("'2006-01-02 15:04:05-07:00'", s)
		if err != nil {
			return s
		}
		return at.UTC().Format("'2006-01-02 15:04:05'")
	})
	return d.Application.Exec(ctx, statement)
}

// seen keeps text and bytes apart.
func seen(typ string, v any) any {
	b, isBytes := v.([]byte)
	switch {
	case !isBytes || strings.HasSuffix(typ, "BINARY") || strings.HasSuffix(typ, "BLOB"):
		return v
	case typ == "DATETIME", typ == "TIMESTAMP":
		return strings.TrimSuffix(string(b), ".000000")
	}
	return string(b)
}

// TryWrite holds every inspector session at once, so that none is left out, and
// gives each attempt a transaction of its own: a refused statement may end it.
func (d *database) TryWrite(ctx context.Context, src retention.Source, table string) error {
	var all []error
	rows := []string{"INSERT INTO " + table + " SELECT * FROM " + table + " LIMIT 0", "UPDATE " + table + " SET id = id", "DELETE FROM " + table}
	tables := []string{"TRUNCATE TABLE " + table, "DROP TABLE " + table, "CREATE TABLE made_by_inspector (id INTEGER)", "CREATE INDEX made_by_inspector ON " + table + " (id)", "OPTIMIZE TABLE " + table}
	for _, text := range append(rows, tables...) {
		all = append(all, tryWrite(ctx, src.(*Source), "", text, sessions), tryWrite(ctx, src.(*Source), "SET SESSION sql_log_bin = 0", text, sessions))
	}
	for _, text := range rows { // a change of tables ends the transaction that is held read-only
		all = append(all, tryWrite(ctx, src.(*Source), "SET SESSION TRANSACTION READ WRITE", text, sessions))
	}
	return errors.Join(all...)
}

func tryWrite(ctx context.Context, s *Source, loosen, text string, more int) error {
	if more == 0 {
		return nil
	}
	return s.Look(ctx, func(q sqlwork.Session) error {
		inner := tryWrite(ctx, s, loosen, text, more-1)
		if loosen != "" {
			_, _ = q.ExecContext(ctx, loosen) // refused, or of no use
		}
		_, err := q.ExecContext(ctx, text)
		if err == nil {
			inner = errors.Join(inner, fmt.Errorf("after %q, %q went through", loosen, text))
		}
		_, err = q.ExecContext(ctx, "SET SESSION TRANSACTION READ ONLY")
		return errors.Join(inner, err)
	})
}

func (d *database) Lock(t *testing.T, table string) (release func()) {
	t.Helper()
	tx, err := d.app.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("UPDATE " + table + " SET id = id"); err != nil {
		t.Fatal(err)
	}
	rows, err := tx.Query("SELECT * FROM " + table + " FOR UPDATE")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	rows.Close()
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// Raw are the files of the database's tables, written out first.
func (d *database) Raw(t *testing.T) []byte {
	t.Helper()
	conn, err := d.app.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var dir string
	if err := conn.GetContext(t.Context(), &dir, "SELECT CONCAT(@@datadir, DATABASE())"); err != nil {
		t.Fatal(err)
	}
	// Purge rewrites rows that were inserted a moment ago.
	quiet, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := d.app.ExecContext(quiet, "SET GLOBAL innodb_max_purge_lag_wait = 0"); err != nil {
		t.Logf("purge: %v", err)
	}
	var tables []string
	if err := conn.SelectContext(t.Context(), &tables, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME NOT LIKE 'retentiond%'"); err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, name := range tables {
		if _, err := conn.ExecContext(t.Context(), "FLUSH TABLES "+quote(name)+" FOR EXPORT"); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, name+".ibd"))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
		if _, err := conn.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
