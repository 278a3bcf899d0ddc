package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// storeOf is the directory of the other source, whose tables take rows of crm.
func storeOf(dir string) string { return filepath.Join(dir, "store") }

// config is the world's configuration, with the other source where it has one.
func (w crashWorld) config(t *testing.T, dir string) string {
	t.Helper()
	if !w.other {
		return w.on.configure(crashConfig)
	}
	if err := os.Mkdir(storeOf(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	w.on.create(t, storeOf(dir))
	w.on.run(t, storeOf(dir), "CREATE TABLE notes (id INTEGER PRIMARY KEY)")
	source := "{driver: sqlite, dsn: ./store/crm.db}"
	if w.on.server != nil {
		source = "{driver: " + w.on.driver + ", dsn_file: ./store/" + dsnFile + "}"
	}
	config := strings.Replace(w.on.configure(crashConfig), "sources:\n", "sources:\n  store: "+source+"\n", 1)
	return strings.Replace(config, "vaults:\n", "vaults:\n  away: {source: store, prefix: archive_}\n", 1)
}

// ofStore asks the other source; a table that is not there yet has no rows.
func (tp *template) ofStore(t *testing.T, dir, table, q string) []string {
	t.Helper()
	db := tp.on.open(t, storeOf(dir))
	defer db.Close()
	if !tp.on.there(t, db, table) {
		return nil
	}
	return query(t, db, q)
}

// copiesOf are the identifiers of rows that the other source has copies of.
func (tp *template) copiesOf(t *testing.T, dir, table string) []string {
	t.Helper()
	return tp.ofStore(t, dir, "archive_"+table, "SELECT id FROM archive_"+table)
}

// copiesHold: no row is neither in its table nor in the other source, and once
// nothing is open none is in both, and each copy is what the row was (L9).
func (tp *template) copiesHold(t *testing.T, dir, when string) {
	t.Helper()
	if tp.ends {
		tp.endsElsewhere(t, dir, when)
		return
	}
	settled := tp.openIntents(t, dir) == 0
	for table, columns := range map[string]string{"prospects": "id, person, name, email, at", "calls": "id, prospect, note"} {
		copied := map[string]int{}
		for _, id := range tp.copiesOf(t, dir, table) {
			copied[id]++
		}
		here := among(tp.lines(t, dir, "SELECT id FROM "+table))
		for _, id := range tp.lines(t, dir, "SELECT id FROM old."+table) {
			n, stays := copied[id], here[id]
			switch {
			case !stays && n == 0:
				t.Fatalf("%s: row %s of %s is neither in its table nor in its vault", when, id, table)
			case n > 2 || settled && (stays && n > 0 || n > 1):
				t.Fatalf("%s: row %s of %s has %d copies; in its table: %t", when, id, table, n, stays)
			}
		}
		was := among(tp.lines(t, dir, "SELECT "+columns+" FROM old."+table))
		for _, line := range tp.ofStore(t, dir, "archive_"+table, "SELECT "+columns+" FROM archive_"+table) {
			if !was[line] {
				t.Fatalf("%s: a copy in %s says %q", when, table, line)
			}
		}
	}
	if lone := tp.ofStore(t, dir, "archive_prospects", "SELECT c.id FROM archive_calls AS c WHERE NOT EXISTS (SELECT 1 FROM archive_prospects AS p WHERE p.id = c.prospect AND p.retentiond_life = c.retentiond_life)"); when == "in the end" && len(lone) > 0 {
		t.Fatalf("%d children without their row, such as %s", len(lone), lone[0])
	}
}

// among is a list as a set.
func among(lines []string) map[string]bool {
	set := make(map[string]bool, len(lines))
	for _, line := range lines {
		set[line] = true
	}
	return set
}

// endsElsewhere: copies end with their children, the held person's stay.
func (tp *template) endsElsewhere(t *testing.T, dir, when string) {
	t.Helper()
	rows := tp.copiesOf(t, dir, "prospects")
	if !slices.Contains(rows, "1100") || len(tp.ofStore(t, dir, "archive_calls", "SELECT id FROM archive_calls WHERE prospect = 1100")) != 3 {
		t.Fatalf("%s: the held copy, or a child of it, is gone", when)
	}
	if when == "in the end" && len(rows) != 1 {
		t.Fatalf("%s: %d copies are still there", when, len(rows))
	}
	for _, q := range []string{
		"SELECT c.id FROM archive_calls AS c WHERE NOT EXISTS (SELECT 1 FROM archive_prospects AS p WHERE p.id = c.prospect)",
		"SELECT p.id FROM archive_prospects AS p WHERE p.id % 10 = 0 AND 3 <> (SELECT count(*) FROM archive_calls AS c WHERE c.prospect = p.id)",
	} {
		if torn := tp.ofStore(t, dir, "archive_prospects", q); len(torn) > 0 {
			t.Fatalf("%s: a family is torn: %v", when, torn[0])
		}
	}
}

// lines are the rows that a query of the source gives.
func (tp *template) lines(t *testing.T, dir, q string) []string {
	t.Helper()
	db := tp.on.open(t, dir)
	defer db.Close()
	if tp.on.server == nil && strings.Contains(q, "old.") {
		db, q = tp.on.open(t, tp.dir), strings.Replace(q, "old.", "", 1)
		defer db.Close()
	}
	return query(t, db, tp.on.text(q))
}

// An intent ends where its batch wrote: while the vault's name means another place, it
// stays open, and no copy of a row that stayed is left behind (L9).
func TestVaultMovesBeforeItsBatchIsSettled(t *testing.T) {
	t.Parallel()
	tp := worldNamed("elsewhere").make(t)
	for name, place := range map[string]string{
		"the table's own source": "{source: crm, prefix: other_}",
		"a sealed vault":         "{path: ./sealed, recipients: [" + crashRecipient + "]}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := tp.copy(t)
			tp.dies(t, dir, envCrashAt+"=acted:1", tp.runArgs(t, dir, false)...)
			if len(tp.copiesOf(t, dir, "prospects")) == 0 {
				t.Fatal("nothing was copied")
			}
			file := filepath.Join(dir, "retentiond.yaml")
			was, err := os.ReadFile(file)
			must(t, err)
			moved := strings.Replace(string(was), "{source: store, prefix: archive_}", place, 1)
			if moved == string(was) {
				t.Fatal("the vault is not in the configuration")
			}
			must(t, os.WriteFile(file, []byte(moved), 0o600))
			var said bytes.Buffer
			run(t.Context(), []string{"--config", file, "archive", "expire"}, streams{In: strings.NewReader(""), Out: &said, Err: &said})
			if n := tp.openIntents(t, dir); n != 1 {
				t.Errorf("%d intents are open: %s", n, said.String())
			}
			must(t, os.WriteFile(file, was, 0o600))
			tp.commandIn(t, dir, exitOK, tp.runArgs(t, dir, false)...)
			tp.copiesHold(t, dir, "in the end")
		})
	}
}
