package state

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations
var migrations embed.FS

// versionTable is goose's table of the schema's version; it also tells a state
// store from any other database.
const versionTable = "retentiond_state_version"

// sqliteFile is a state store in a file.
type sqliteFile struct {
	db    *sqlx.DB
	path  string
	clock func() time.Time
}

// openSQLite opens or makes the file, on one connection.
func openSQLite(ctx context.Context, path string, clock func() time.Time) (base, error) {
	db, err := openFile(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open state store %s: %w", path, explainSQLite(err))
	}
	return &sqliteFile{db, path, clock}, nil
}

func (f *sqliteFile) seen() string                           { return "PRAGMA data_version" }
func (f *sqliteFile) name() string                           { return f.path }
func (f *sqliteFile) explain(err error) error                { return explainSQLite(err) }
func (f *sqliteFile) now(context.Context) (time.Time, error) { return f.clock(), nil }
func (f *sqliteFile) close() error                           { return f.db.Close() }

// within runs do in a transaction: one that writes is immediate.
func (f *sqliteFile) within(ctx context.Context, write bool, do func(*sqlx.Tx, time.Time) error) error {
	t, err := f.db.BeginTxx(ctx, &sql.TxOptions{ReadOnly: !write})
	if err != nil {
		return fmt.Errorf("state store %s: %w", f.path, explainSQLite(err))
	}
	if err := do(t, f.clock()); err != nil {
		if back := t.Rollback(); back != nil && !errors.Is(back, sql.ErrTxDone) {
			err = errors.Join(err, back)
		}
		return explainSQLite(err)
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("state store %s: commit: %w", f.path, explainSQLite(err))
	}
	return nil
}

func openFile(ctx context.Context, path string) (*sqlx.DB, error) {
	if err := makeFile(path); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// immediate: a writer waits for the lock at BEGIN and never upgrades.
	// secure_delete: a destroyed key must not stay readable in free pages.
	query := "_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(1)"
	db, err := sqlx.Open("sqlite", (&url.URL{Scheme: "file", Path: abs, RawQuery: query}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := retryBusy(ctx, func() error { return prepare(ctx, db) }); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// makeFile creates an empty file with mode 0600, so that SQLite gives its WAL
// the same. A file that exists is not opened: closing it would drop the locks
// that this process holds on it through SQLite.
func makeFile(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return errors.New("it is a directory; name a file")
	}
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the file: %w", err)
	}
	return f.Close()
}

// prepare refuses what is no state store, and migrates.
func prepare(ctx context.Context, db *sqlx.DB) error {
	var tables, ours int
	if err := db.GetContext(ctx, &tables, "SELECT count(*) FROM sqlite_master WHERE type = 'table'"); err != nil {
		return err
	}
	if err := db.GetContext(ctx, &ours, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", versionTable); err != nil {
		return err
	}
	if tables > 0 && ours == 0 {
		return ErrForeign
	}
	return migrate(ctx, db)
}

// migrate applies what is missing, forward only.
func migrate(ctx context.Context, db *sqlx.DB) error {
	sub, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.DB, sub, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if current > target {
		return fmt.Errorf("%w (its schema is %d, this build knows %d)", ErrNewer, current, target)
	}
	if current == target {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		// Another process may have migrated meanwhile.
		if now, _, again := p.GetVersions(ctx); again == nil && now == target {
			return nil
		}
		return fmt.Errorf("migrate from schema %d to %d: %w", current, target, err)
	}
	return nil
}

// busyWait is how long opening waits for a store that another process has locked.
const busyWait = 8 * time.Second

// retryBusy tries again where two processes make a store's file at once: the
// switch to WAL does not wait for the busy timeout.
func retryBusy(ctx context.Context, do func() error) error {
	patience := time.NewTimer(busyWait)
	defer patience.Stop()
	for {
		err := do()
		if code := sqliteCode(err); code != sqlite3.SQLITE_BUSY && code != sqlite3.SQLITE_LOCKED {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-patience.C:
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// sqliteCode is the primary result code of an error, or 0.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// explainSQLite adds the remedy to errors of SQLite that a person can do something
// about, once.
func explainSQLite(err error) error {
	remedy := sqliteRemedy(sqliteCode(err))
	if _, done := errors.AsType[*explained](err); done || remedy == "" {
		return err
	}
	return &explained{remedy + ": " + err.Error(), err}
}

// explained is an error with its remedy.
type explained struct {
	text string
	err  error
}

// Error returns the text.
func (e *explained) Error() string { return e.text }

// Unwrap gives the error itself.
func (e *explained) Unwrap() error { return e.err }

func sqliteRemedy(code int) string {
	switch code {
	case sqlite3.SQLITE_NOTADB:
		return "the file is no SQLite database; name another file, or restore it from a copy"
	case sqlite3.SQLITE_CORRUPT:
		return "the file is damaged; restore it from a copy, then run check --adopt"
	case sqlite3.SQLITE_READONLY:
		return "the file or its directory is read-only; make both writable for this user"
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return "the file cannot be opened; check that its directory exists and who may write there"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "another process has locked the file for over 5 s; end it or try again"
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
		return "the file cannot be written: the disk is full, a quota is reached, or it fails; make room"
	}
	return ""
}

// flush empties the write-ahead log, where destroyed keys could still be
// read. Where readers are in the way, the next checkpoint does it.
func (f *sqliteFile) flush(ctx context.Context) error {
	_, err := f.db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return explainSQLite(err)
}
