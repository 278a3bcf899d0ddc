package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A state store that is older than a sealed vault has intents open whose receipts the
// source pruned long ago: they look abandoned. Nothing that their batches archived is
// taken for what came to nothing, neither by a run, nor once the store is adopted (L9).
func TestOlderStoreKeepsSegments(t *testing.T) {
	t.Parallel()
	tp := worldNamed("sealed").make(t)
	for _, with := range []string{"state.db", "state.db and audit.key"} {
		t.Run(with, func(t *testing.T) {
			t.Parallel()
			dir := tp.copy(t)
			tp.dies(t, dir, envCrashAt+"=committed:1", tp.runArgs(t, dir, false)...)
			old := setBy(t, dir, strings.Split(with, " and ")...)
			tp.commandIn(t, dir, exitOK, tp.runArgs(t, dir, false)...)
			tp.commandIn(t, dir, exitOK, "archive", "verify")
			old()
			tp.commandIn(t, dir, exitRefused, tp.runArgs(t, dir, false)...)
			tp.somewhere(t, dir, "refused")
			tp.commandIn(t, dir, exitOK, "check", "--adopt", "--by", "Ada", "--reason", "restored")
			tp.somewhere(t, dir, "adopted")
			if n := tp.openIntents(t, dir); n != 0 {
				t.Errorf("%d intents are open after the store was adopted", n)
			}
			tp.commandIn(t, dir, exitOK, tp.runArgs(t, dir, false)...)
			tp.commandIn(t, dir, exitOK, "archive", "expire")
			tp.somewhere(t, dir, "expired")
			if out := tp.commandIn(t, dir, exitVerify, "archive", "verify"); !strings.Contains(string(out), "older than the vault") {
				t.Errorf("verify says nothing of segments that the store does not know: %s", out)
			}
		})
	}
}

// setBy copies the files that begin so; the answer puts them back.
func setBy(t *testing.T, dir string, begin ...string) (back func()) {
	t.Helper()
	copies := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	must(t, err)
	ours := func(name string) bool {
		for _, b := range begin {
			if strings.HasPrefix(name, b) {
				return true
			}
		}
		return false
	}
	for _, e := range entries {
		if ours(e.Name()) {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			must(t, err)
			copies[e.Name()] = text
		}
	}
	return func() {
		t.Helper()
		entries, err := os.ReadDir(dir)
		must(t, err)
		for _, e := range entries {
			if ours(e.Name()) {
				must(t, os.Remove(filepath.Join(dir, e.Name())))
			}
		}
		for name, text := range copies {
			must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
		}
	}
}

// somewhere: each row that there was is in its table or in a segment.
func (tp *template) somewhere(t *testing.T, dir, when string) {
	t.Helper()
	_, all := tp.segmentsOf(t, dir)
	here := map[string]bool{}
	lost := 0
	tp.onSource(t, dir, func(db *sql.DB) {
		for _, table := range []string{"prospects", "calls"} {
			for _, id := range query(t, db, tp.on.text("SELECT id FROM "+table)) {
				here[table+" "+id] = true
			}
			for _, id := range query(t, db, tp.on.text("SELECT id FROM old."+table)) {
				if id = table + " " + id; !here[id] && all[id] == 0 {
					lost++
				}
			}
		}
	})
	if lost > 0 {
		t.Fatalf("%s: %d rows are neither in their table nor in a segment", when, lost)
	}
}
