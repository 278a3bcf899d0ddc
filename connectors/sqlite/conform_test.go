package sqlite

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/conntest"
	"github.com/retentiond/retentiond/retention"
)

// TestConformance runs the suite on real files, in both kinds of journal.
func TestConformance(t *testing.T) {
	for _, journal := range []string{"WAL", "DELETE"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			conntest.Run(t, harness{journal})
		})
	}
}

type harness struct{ journal string }

func (harness) Capabilities() []conntest.Capability { return conntest.AllCapabilities() }

func (h harness) Fresh(t *testing.T) conntest.Database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a b?c#d%20.db")
	app := openApp(t, path)
	exec(t, app, "PRAGMA journal_mode = "+h.journal)
	exec(t, app, "CREATE TABLE unrelated (id INTEGER PRIMARY KEY)")
	return &database{conntest.Application{DB: app, Seen: plain}, app, path}
}

func (harness) Type(name string) string {
	switch name {
	case "timestamp-text", "text":
		return "TEXT"
	case "int":
		return "INTEGER"
	case "bytes":
		return "BLOB"
	}
	return strings.ToUpper(name)
}

func (harness) Quote(name string) string { return quote(name) }

func (harness) Bytes(b []byte) string { return "x'" + hex.EncodeToString(b) + "'" }

func (harness) Trigger(name, event, table, statement string) []string {
	return []string{fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s BEGIN %s; END", name, event, table, statement)}
}

type database struct {
	conntest.Application
	app  *sqlx.DB
	path string
}

func (d *database) Open(t *testing.T) retention.Source {
	t.Helper()
	s, err := Open(t.Context(), d.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// plain undoes what the driver makes of columns declared as dates.
func plain(decl string, v any) any {
	at, isTime := v.(time.Time)
	if !isTime {
		return v
	}
	if decl == "DATE" {
		return at.Format(time.DateOnly)
	}
	return at.Format(time.DateTime)
}

// TryWrite holds every inspector session at once, so that none is left out.
func (d *database) TryWrite(ctx context.Context, src retention.Source, table string) error {
	var all []error
	for range readers {
		conn, err := src.(*Source).read.Connx(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		for _, loosen := range []string{"", "PRAGMA query_only = 0", "PRAGMA writable_schema = 1"} {
			if _, err := conn.ExecContext(ctx, loosen); err != nil && loosen != "" {
				continue
			}
			for _, text := range []string{"INSERT INTO " + table + " DEFAULT VALUES", "INSERT INTO " + table + " SELECT * FROM " + table + " LIMIT 0", "UPDATE " + table + " SET id = id", "DELETE FROM " + table,
				"DROP TABLE " + table, "CREATE TABLE made_by_inspector (id INTEGER)", "CREATE INDEX made_by_inspector ON " + table + " (id)", "PRAGMA user_version = 7", "VACUUM"} {
				if _, err := conn.ExecContext(ctx, text); err == nil {
					all = append(all, fmt.Errorf("after %q, %q went through", loosen, text))
				}
			}
		}
		if _, err := conn.ExecContext(ctx, "PRAGMA query_only = 1"); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

func (d *database) Lock(t *testing.T, _ string) (release func()) {
	t.Helper()
	conn, err := d.app.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

// Raw reads the files in another process: opening and closing them in this one
// would drop SQLite's locks.
func (d *database) Raw(t *testing.T) []byte {
	t.Helper()
	var out []byte
	for _, suffix := range []string{"", "-wal", "-journal"} {
		if _, err := os.Stat(d.path + suffix); err != nil {
			continue
		}
		b, err := osexec.CommandContext(t.Context(), "cat", "--", d.path+suffix).Output()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}
