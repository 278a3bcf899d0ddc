package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
)

// inMidCommit is a copy of a file as a writer leaves it that dies once changed
// pages are in the file and its journal is needed.
func inMidCommit(t *testing.T) string {
	t.Helper()
	live, dead := t.TempDir(), t.TempDir()
	app, err := sqlx.Open("sqlite", filepath.Join(live, "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	app.SetMaxOpenConns(1)
	for _, q := range []string{
		strings.Join((&engine{}).InstallSQL(), ";"),
		"CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO p SELECT i, printf('%100d', i) FROM n",
		"PRAGMA cache_size = 5",
		"BEGIN",
		"UPDATE p SET name = 'half'",
	} {
		exec(t, app, q)
	}
	if err := os.CopyFS(dead, os.DirFS(live)); err != nil {
		t.Fatal(err)
	}
	journal, err := os.ReadFile(filepath.Join(dead, "db-journal"))
	if err != nil || journal[0] == 0 {
		t.Fatalf("the journal is not needed: %v", err)
	}
	return filepath.Join(dead, "db")
}

// A file whose last writer died in the middle of a commit is as it was last
// committed, for whoever opens it first, and for a source that was open already.
func TestJournalOfADeadWriter(t *testing.T) {
	path, again := inMidCommit(t), inMidCommit(t)
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var half int
	if err := s.read.Get(&half, "SELECT count(*) FROM p WHERE name = 'half'"); err != nil || half != 0 {
		t.Errorf("%d rows of a transaction that was never committed: %v", half, err)
	}
	if _, err := os.Stat(path + "-journal"); !os.IsNotExist(err) {
		t.Errorf("the journal is still there: %v", err)
	}
	for _, end := range []string{"", "-journal"} {
		text, err := os.ReadFile(again + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+end, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Server(t.Context()); err != nil {
		t.Errorf("a source that was open when a writer died: %v", err)
	}
}
