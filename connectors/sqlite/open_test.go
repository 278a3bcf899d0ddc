package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// L5: what planning reads on, SQLite itself holds read-only.
func TestReadingCannotWrite(t *testing.T) {
	b := setup(t, prospects)
	for _, text := range []string{
		"DELETE FROM prospects", "UPDATE prospects SET email = ''", "INSERT INTO prospects DEFAULT VALUES",
		"CREATE TABLE x (a)", "DROP TABLE prospects", "PRAGMA user_version = 7", "VACUUM", "BEGIN IMMEDIATE",
		"PRAGMA query_only = 0; DELETE FROM prospects",
	} {
		if _, err := b.s.read.ExecContext(t.Context(), text); err == nil || !strings.Contains(err.Error(), "readonly") {
			t.Errorf("%s: %v", text, err)
		}
	}
	b.wantRows("SELECT count(*) FROM prospects", "5")
}

func TestOpenMakesNothing(t *testing.T) {
	dir := t.TempDir()
	noDB := filepath.Join(dir, "text.db")
	if err := os.WriteFile(noDB, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for dsn, want := range map[string]string{
		filepath.Join(dir, "missing.db"):           "does not exist",
		"file:" + filepath.Join(dir, "missing.db"): "does not exist",
		dir:                          "is a directory",
		noDB:                         "is not a SQLite database",
		"":                           "names no file",
		":memory:":                   "names no file",
		"file:" + noDB + "?mode=rwc": "options are not allowed",
	} {
		s, err := Open(t.Context(), dsn)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", dsn, err, want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("files were made: %v %v", entries, err)
	}
}

// A file that disappears while the source is open is not made again.
func TestWritingMakesNoFile(t *testing.T) {
	b := setup(t, prospects)
	if err := b.app.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), "sqlite:"+b.path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Rename(b.path, b.path+".moved"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Install(t.Context(), store); refusalCode(err) != retention.RefuseSourceDown {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(b.path); !os.IsNotExist(err) {
		t.Errorf("the file was made: %v", err)
	}
}

func TestJournalModeStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	app := openApp(t, path)
	exec(t, app, "PRAGMA journal_mode = DELETE; "+prospects)
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := &bundle{t: t, s: s, app: app, path: path}
	b.describe()
	b.install()
	b.apply(b.batch(b.selection("prospects", "created_at"), retention.Delete, 2))
	b.wantRows("PRAGMA journal_mode", "delete")
	var synchronous, fk int
	if err := s.write.Get(&synchronous, "PRAGMA synchronous"); err != nil || synchronous != 2 {
		t.Errorf("synchronous %d %v", synchronous, err)
	}
	if err := s.write.Get(&fk, "PRAGMA foreign_keys"); err != nil || fk != 1 {
		t.Errorf("foreign_keys %d %v", fk, err)
	}
}

// Nothing of a DSN but the path of a file may be in an error.
func TestDSNIsNoSecretToTell(t *testing.T) {
	t.Chdir(t.TempDir())
	const secret = "PW-SECRET"
	for _, dsn := range []string{
		"postgres://u:PW-SECRET@h/db", "/etc/retentiond/postgres:/u:PW-SECRET@h/db", "sqlite:./x.db?password=PW-SECRET",
		"file:x.db?_key=PW-SECRET", "x.db?_pragma=key('PW-SECRET')", "u:PW-SECRET@tcp(127.0.0.1:3306)/db", "host=h password=PW-SECRET dbname=d",
		"file://u:PW-SECRET@h/x.db", "mysql://u:PW-SECRET@h/db", "x.db;password=PW-SECRET", "u:PW-SECRET@h", "file::memory:?key=PW-SECRET",
		"x\x00PW-SECRET=1",
	} {
		s, err := Open(t.Context(), dsn)
		if err == nil {
			s.Close()
		}
		if err == nil || strings.Contains(err.Error(), secret) || refusalCode(err) != retention.RefuseSourceDown {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
