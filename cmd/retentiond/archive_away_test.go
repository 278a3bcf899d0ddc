package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/retentiond/retentiond/retention/vault"
)

// unmount leaves an empty directory where the vault was, as a disk does that is not
// mounted.
func unmount(t *testing.T, dir string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, "vault"), filepath.Join(dir, "vault.away")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "vault"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// bare: nothing was written where the vault's disk is not mounted.
func bare(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "vault"))
	if err != nil || len(entries) != 0 {
		t.Fatalf("where the vault was is %v, %v", entries, err)
	}
}

// ended is how many segments the state store says are over.
func (tp *template) ended(t *testing.T, dir string) int64 {
	t.Helper()
	return tp.ofState(t, dir, "SELECT count(*) FROM segments WHERE expired_at > 0")
}

// TestVaultAway: where the vault's disk is not mounted nothing is written, nothing
// leaves its table, and nothing that is not there counts as ended (L9, L11).
func TestVaultAway(t *testing.T) {
	t.Parallel()
	tp := worldNamed("sealed").make(t)
	dir := tp.copy(t)
	tp.commandIn(t, dir, exitOK, tp.dated("run")...)
	tp.on.run(t, dir, "INSERT INTO prospects VALUES (5000, 5000, 'late', NULL, '2010-06-01 10:00:00', NULL)")
	unmount(t, dir)
	var v struct{ Findings []vault.Finding }
	if err := json.Unmarshal(tp.commandIn(t, dir, exitVerify, "archive", "verify"), &v); err != nil || len(v.Findings) != 1 || v.Findings[0].Trouble != vault.Missing {
		t.Fatalf("%+v, %v", v, err)
	}
	tp.commandIn(t, dir, exitRefused, tp.dated("run")...)
	tp.commandIn(t, dir, exitError, "archive", "expire")
	tp.commandIn(t, dir, exitRefused, "run", "--approve", "--by", "Ada")
	tp.commandIn(t, dir, exitError, "archive", "list")
	bare(t, dir)
	if n := tp.number(t, dir, "SELECT count(*) FROM prospects WHERE id = 5000"); n != 1 || tp.ended(t, dir) != 0 {
		t.Fatalf("%d rows are there, %d segments are said to have ended", n, tp.ended(t, dir))
	}
	moveBack(t, dir)
	tp.commandIn(t, dir, exitOK, "archive", "verify")
	tp.commandIn(t, dir, exitOK, tp.dated("run")...)
	tp.commandIn(t, dir, exitOK, "archive", "verify")
	if n := tp.number(t, dir, "SELECT count(*) FROM prospects WHERE id = 5000"); n != 0 {
		t.Fatal("once the vault is back the row stays")
	}
}

// TestVaultAwayInTheMiddle: a process that died while a segment was ending is not
// believed to have ended it because the vault is not mounted.
func TestVaultAwayInTheMiddle(t *testing.T) {
	t.Parallel()
	tp := worldNamed("sealed-end").make(t)
	dir := tp.copy(t)
	tp.dies(t, dir, envCrashAt+"=receipted:1", tp.runArgs(t, dir, false)...)
	before := tp.ended(t, dir)
	unmount(t, dir)
	at := *tp
	at.dir = dir
	if code, out := at.tries(t, tp.dated("run")...); code == exitOK {
		t.Fatalf("it ended well: %s", out)
	}
	if n := tp.ended(t, dir); n != before || tp.openIntents(t, dir) != 1 {
		t.Fatalf("%d segments are said to have ended, %d intents are open", n-before, tp.openIntents(t, dir))
	}
	bare(t, dir)
	moveBack(t, dir)
	tp.commandIn(t, dir, exitOK, tp.dated("run")...)
	tp.segmentsHold(t, dir, "in the end")
	tp.commandIn(t, dir, exitOK, "archive", "verify")
}

// TestAnotherVault: a place that is another vault's is not written to.
func TestAnotherVault(t *testing.T) {
	t.Parallel()
	tp := worldNamed("sealed").make(t)
	dir := tp.copy(t)
	tp.commandIn(t, dir, exitOK, tp.dated("run")...)
	unmount(t, dir)
	writeFile(t, filepath.Join(dir, "vault", ".retentiond-vault"), "another\n")
	tp.on.run(t, dir, "INSERT INTO prospects VALUES (5000, 5000, 'late', NULL, '2010-06-01 10:00:00', NULL)")
	tp.commandIn(t, dir, exitRefused, tp.dated("run")...)
	entries, err := os.ReadDir(filepath.Join(dir, "vault"))
	if err != nil || len(entries) != 1 || tp.number(t, dir, "SELECT count(*) FROM prospects WHERE id = 5000") != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
}
