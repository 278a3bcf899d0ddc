package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/retentiond/retentiond/retention/audit"
)

func TestOpenMakesTheStore(t *testing.T) {
	b := setup(t, onFile)
	for _, name := range []string{"state.db", "state.db-wal"} {
		info, err := os.Stat(filepath.Join(b.dir, name))
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if other := b.open(); other.UUID() != b.UUID() || len(b.UUID()) != 36 {
		t.Errorf("uuid %s, then %s", b.UUID(), other.UUID())
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "secure_delete": "1"} {
		var got string
		must(t, b.file().Get(&got, "PRAGMA "+pragma))
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

func TestOpenOddPath(t *testing.T) {
	b := setup(t, onFile)
	o := b.options()
	o.DSN = "sqlite:" + filepath.Join(b.dir, "a b?c%20#é.db")
	s, err := Open(t.Context(), o)
	must(t, err)
	must(t, s.Close())
	if _, err := os.Stat(filepath.Join(b.dir, "a b?c%20#é.db")); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name, says string
		damage     func(t *testing.T, b *bench, o *Options)
	}{
		{"no database", "the file is no SQLite database", func(t *testing.T, b *bench, o *Options) {
			must(t, os.WriteFile(filepath.Join(b.dir, "state.db"), []byte(strings.Repeat("not a database ", 100)), 0o600))
		}},
		{"a database of something else", "a file of its own", func(t *testing.T, b *bench, o *Options) {
			o.DSN = "sqlite:" + filepath.Join(b.dir, "crm.db")
			db, err := sqlx.Open("sqlite", filepath.Join(b.dir, "crm.db"))
			must(t, err)
			_, err = db.Exec("CREATE TABLE customers (id INTEGER PRIMARY KEY)")
			must(t, errors.Join(err, db.Close()))
		}},
		{"a directory", "it is a directory", func(t *testing.T, b *bench, o *Options) { o.DSN = "sqlite:" + b.dir }},
		{"no directory", "no such file or directory", func(t *testing.T, b *bench, o *Options) { o.DSN = "sqlite:" + b.dir + "/none/state.db" }},
		{"another key", "put the right key file back", func(t *testing.T, b *bench, o *Options) {
			key, err := audit.LoadOrCreateKey(filepath.Join(t.TempDir(), "k"), "example.org/retention")
			must(t, err)
			o.Key = key
		}},
		{"no scheme", "write state: sqlite:PATH", func(t *testing.T, b *bench, o *Options) { o.DSN = "./state.db" }},
		{"no key", "an audit key and a clock are required", func(t *testing.T, b *bench, o *Options) { o.Key = nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := &bench{t: t, on: onFile, dir: t.TempDir(), at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
			o := b.options()
			s, err := Open(t.Context(), o)
			must(t, err)
			must(t, s.Close())
			tt.damage(t, b, &o)
			if s, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want an error that says %q", err, tt.says)
				if s != nil {
					must(t, s.Close())
				}
			}
		})
	}
}

func TestOpenRefusesAnotherOrigin(t *testing.T) { onEach(t, testOpenRefusesAnotherOrigin) }

func testOpenRefusesAnotherOrigin(t *testing.T, on ground) {
	b := setup(t, on)
	b.sql("UPDATE meta SET value = 'example.org/other' WHERE name = ?", metaOrigin)
	if _, err := Open(t.Context(), b.options()); err == nil || !strings.Contains(err.Error(), "set audit.origin back") {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefusesANewerStore(t *testing.T) { onEach(t, testOpenRefusesANewerStore) }

func testOpenRefusesANewerStore(t *testing.T, on ground) {
	b := setup(t, on)
	b.sql("INSERT INTO "+versionTable+" (version_id, is_applied) VALUES (?, TRUE)", 999)
	if _, err := Open(t.Context(), b.options()); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "schema is 999") {
		t.Errorf("got %v", err)
	}
}

// The file exists and is empty: it becomes a store.
func TestOpenEmptyFile(t *testing.T) { onEach(t, testOpenEmptyFile) }

func testOpenEmptyFile(t *testing.T, on ground) {
	b := &bench{t: t, on: on, dir: t.TempDir(), at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	must(t, os.WriteFile(filepath.Join(b.dir, "state.db"), nil, 0o600))
	b.Store = b.open()
	b.fill(1)
	if r := b.verify(); !r.OK || r.Size != 1 {
		t.Errorf("verify: %+v", r)
	}
}

func TestLockedFile(t *testing.T) {
	b := setup(t, onFile)
	_, err := b.file().Exec("PRAGMA busy_timeout = 1")
	must(t, err)
	other := b.open()
	tx, err := other.base.(*sqliteFile).db.Beginx() // immediate: it has the write lock
	must(t, err)
	_, err = b.Record(t.Context(), audit.Event{Kind: audit.Access})
	must(t, tx.Rollback())
	if err == nil || !strings.Contains(err.Error(), "another process has locked the file") {
		t.Errorf("got %v", err)
	}
}

// Several handles open a new file at once, and write at once: one store, one log.
func TestHandlesAtOnce(t *testing.T) { onEach(t, testHandlesAtOnce) }

func testHandlesAtOnce(t *testing.T, on ground) {
	b := &bench{t: t, on: on, dir: t.TempDir(), at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	o := b.options()
	var wg sync.WaitGroup
	var mu sync.Mutex
	uuids := map[string]int{}
	for range 4 {
		wg.Go(func() {
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			mu.Lock()
			uuids[s.UUID()]++
			mu.Unlock()
			for range 10 {
				if _, err := s.Record(t.Context(), audit.Event{Kind: audit.Access}); err != nil {
					t.Error(err)
				}
				if _, err := s.Checkpoint(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(uuids) != 1 {
		t.Errorf("the handles opened %d stores", len(uuids))
	}
	b.Store = b.open()
	if r := b.verify(); !r.OK || r.Size != 40 {
		t.Errorf("verify: %+v", r)
	}
}
