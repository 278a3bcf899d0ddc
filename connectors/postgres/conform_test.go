package postgres

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/conntest"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// TestConformance runs the suite on a real server.
func TestConformance(t *testing.T) { conntest.Run(t, harness{}) }

type harness struct{}

func (harness) Capabilities() []conntest.Capability { return conntest.AllCapabilities() }

func (harness) Fresh(t *testing.T) conntest.Database {
	t.Helper()
	return fresh(t)
}

func fresh(t *testing.T) *database {
	t.Helper()
	dsn := servers.Postgres(t).Database(t)
	app, err := sqlx.Connect("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	app.SetMaxOpenConns(4)
	t.Cleanup(func() { app.Close() })
	// A zone, a date style and a default that ours must not depend on.
	for _, set := range []string{"TimeZone = 'Pacific/Auckland'", "DateStyle = 'SQL, DMY'", "default_transaction_isolation = 'serializable'", "synchronous_commit = off"} {
		if _, err := app.ExecContext(t.Context(), "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET "+strings.ReplaceAll(set, "'", "''")+"', current_database()); END $$"); err != nil {
			t.Fatal(err)
		}
	}
	return &database{conntest.Application{DB: app, Seen: seen}, app, dsn}
}

func (harness) Type(name string) string {
	switch name {
	case "timestamp-text", "text":
		return "text"
	case "int":
		return "integer"
	case "bytes":
		return "bytea"
	}
	return name
}

func (harness) Quote(name string) string { return quote(name) }

func (harness) Bytes(b []byte) string { return `'\x` + hex.EncodeToString(b) + `'` }

func (harness) Trigger(name, event, table, statement string) []string {
	return []string{
		fmt.Sprintf("CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NULL; END $$", quote(name+"_f"), statement),
		fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION %s()", quote(name), event, table, quote(name+"_f")),
	}
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
	s, err := Open(t.Context(), Options{DSN: d.dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func seen(typ string, v any) any {
	switch x := v.(type) {
	case time.Time:
		if typ == "DATE" {
			return x.Format(time.DateOnly)
		}
		return x.Format(time.DateTime)
	case []byte:
		if typ != "BYTEA" {
			return string(x)
		}
	}
	return v
}

// TryWrite holds every inspector session at once, so that none is left out.
func (d *database) TryWrite(ctx context.Context, src retention.Source, table string) error {
	s := src.(*Source)
	var all []error
	var nested func(n int) error
	nested = func(n int) error {
		if n == 0 {
			return nil
		}
		return s.Look(ctx, func(q sqlwork.Session) error {
			all = append(all, tryWrites(ctx, q, table)...)
			return nested(n - 1)
		})
	}
	return errors.Join(nested(readers), errors.Join(all...))
}

func tryWrites(ctx context.Context, q sqlwork.Session, table string) []error {
	var all []error
	try := func(text string) bool {
		if _, err := q.ExecContext(ctx, "SAVEPOINT s"); err != nil {
			all = append(all, err)
		}
		_, err := q.ExecContext(ctx, text)
		if err != nil {
			if _, err := q.ExecContext(ctx, "ROLLBACK TO SAVEPOINT s"); err != nil {
				all = append(all, err)
			}
		}
		return err == nil
	}
	for _, loosen := range []string{"", "SET TRANSACTION READ WRITE", "SET LOCAL transaction_read_only = off", "SET default_transaction_read_only = off"} {
		if loosen != "" && !try(loosen) {
			continue
		}
		for _, text := range []string{"INSERT INTO " + table + " DEFAULT VALUES", "INSERT INTO " + table + " SELECT * FROM " + table, "UPDATE " + table + " SET id = id", "DELETE FROM " + table,
			"DROP TABLE " + table, "CREATE TABLE made_by_inspector (id integer)", "CREATE INDEX made_by_inspector ON " + table + " (id)", "TRUNCATE " + table, "SELECT nextval('seq')"} {
			if try(text) {
				all = append(all, fmt.Errorf("after %q, %q went through", loosen, text))
			}
		}
	}
	return all
}

func (d *database) Lock(t *testing.T, table string) (release func()) {
	t.Helper()
	tx, err := d.app.BeginTxx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "SELECT 1 FROM "+table+" FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// Raw are the files of the tables. They are vacuumed first: whoever reads a row for
// the first time marks it as visible.
func (d *database) Raw(t *testing.T) []byte {
	t.Helper()
	d.app.MustExec("VACUUM (FREEZE)")
	return d.files(t)
}

// files is every file of the tables' own: rows, indexes, TOAST and maps, written
// out first, as the server itself reads them. The log and the catalogue's samples
// are residuals.
func (d *database) files(t *testing.T) []byte {
	t.Helper()
	d.app.MustExec("CHECKPOINT")
	var files [][]byte
	const text = `WITH ours AS (SELECT c.oid, c.reltoastrelid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname NOT LIKE 'retentiond%'),
all_of AS (SELECT oid FROM ours UNION SELECT reltoastrelid FROM ours WHERE reltoastrelid <> 0 UNION SELECT i.indexrelid FROM pg_index i JOIN ours o ON i.indrelid IN (o.oid, o.reltoastrelid)),
paths AS (SELECT pg_relation_filepath(oid) || suffix AS path FROM all_of, (VALUES (''), ('_fsm'), ('_vm'), ('.1')) AS s(suffix) WHERE pg_relation_filepath(oid) IS NOT NULL)
SELECT pg_read_binary_file(path, 0, 1 << 26, true) FROM paths WHERE pg_read_binary_file(path, 0, 1, true) IS NOT NULL`
	if err := d.app.SelectContext(t.Context(), &files, text); err != nil {
		t.Fatal(err)
	}
	return bytes.Join(files, nil)
}
