package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/vault"
)

// Whom the segments of tests are encrypted to.
const (
	crashIdentity  = "AGE-SECRET-KEY-1UWF2RWJ28NSEW65VNUM2K08PCJG8DT60YQ6Z2EESZ3QG8L2NW09S4WEZZ7"
	crashRecipient = "age1l87l9c307jgd3q8c8wzcuu879ca8cy5aetzfdc64scxvtma0rc3s9tupd2"
)

// segmentsOf are the rows of the vault's segments, by table and id: in how many
// segments that the state store knows, and in how many at all.
func (tp *template) segmentsOf(t *testing.T, dir string) (known, all map[string]int) {
	t.Helper()
	key, err := audit.LoadKey(filepath.Join(dir, "audit.key"), "example.org/crash")
	if err != nil {
		t.Fatal(err)
	}
	who, err := age.ParseX25519Identity(crashIdentity)
	if err != nil {
		t.Fatal(err)
	}
	counted, store := map[string]bool{}, ""
	tp.onState(t, dir, func(db *sql.DB) {
		for _, name := range query(t, db, "SELECT name FROM segments WHERE expired_at = 0") {
			counted[name] = true
		}
		store = query(t, db, "SELECT value FROM meta WHERE name = 'uuid'")[0]
	})
	v, err := vault.New(vault.Options{Name: "sealed", Path: filepath.Join(dir, "vault"), Recipients: []string{crashRecipient}, Store: store, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	known, all = map[string]int{}, map[string]int{}
	err = v.Segments(t.Context(), func(s *retention.Segment) error {
		if there, err := v.Has(t.Context(), s.Name); err != nil || !there { // it was ending
			return err
		}
		return v.Read(t.Context(), s, []age.Identity{who}, func(x *retention.SegmentTable, row []any) error {
			id := fmt.Sprintf("%s %v", x.Name.Name, row[0])
			if all[id]++; counted[s.Name] {
				known[id]++
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return known, all
}

// segmentsHold: no row is neither in its table nor in a segment, none is counted in
// two, and once nothing is open none is in both (L9).
func (tp *template) segmentsHold(t *testing.T, dir, when string) {
	t.Helper()
	known, all := tp.segmentsOf(t, dir)
	here := map[string]bool{}
	var was []string
	tp.onSource(t, dir, func(db *sql.DB) {
		for _, table := range []string{"prospects", "calls"} {
			for _, id := range query(t, db, tp.on.text("SELECT id FROM "+table)) {
				here[table+" "+id] = true
			}
			for _, id := range query(t, db, tp.on.text("SELECT id FROM old."+table)) {
				was = append(was, table+" "+id)
			}
		}
	})
	settled := tp.openIntents(t, dir) == 0
	if tp.ends {
		tp.keptWhole(t, dir, when, known, all)
		return
	}
	for _, id := range was {
		switch {
		case !here[id] && all[id] == 0:
			t.Fatalf("%s: %s is neither in its table nor in a segment", when, id)
		case known[id] > 1 || here[id] && known[id] > 0:
			t.Fatalf("%s: %s is counted more than once", when, id)
		case settled && (here[id] == (known[id] == 1) || all[id] != known[id]):
			t.Fatalf("%s: %s: in its table: %t, in %d known segments, in %d at all", when, id, here[id], known[id], all[id])
		}
	}
}

// keptWhole: what ends does so with a whole segment, and the held person's stays.
func (tp *template) keptWhole(t *testing.T, dir, when string, known, all map[string]int) {
	t.Helper()
	if all["prospects 1100"] != 1 || known["prospects 1100"] != 1 {
		t.Fatalf("%s: the held row is in %d segments, %d of them known", when, all["prospects 1100"], known["prospects 1100"])
	}
	if when == "in the end" && all["prospects 1"] != 0 {
		t.Fatalf("%s: the first row is still archived", when)
	}
}

// actedOn is how many rows the run has acted on.
func (tp *template) actedOn(t *testing.T, dir string) int64 {
	t.Helper()
	switch {
	case tp.ends && tp.other:
		return int64(len(tp.copiesOf(t, tp.dir, "prospects")) - len(tp.copiesOf(t, dir, "prospects")))
	case !tp.ends:
		return tp.number(t, dir, tp.acted)
	}
	rows := func(dir string) (n int64) {
		_, all := tp.segmentsOf(t, dir)
		for id := range all {
			if strings.HasPrefix(id, "prospects ") {
				n++
			}
		}
		return n
	}
	return rows(tp.dir) - rows(dir)
}

// TestOrphansAreSwept: what a batch wrote that never committed, and nobody removed,
// is named, counts for nothing, and goes with archive expire.
func TestOrphansAreSwept(t *testing.T) {
	tp := worldNamed("sealed").make(t)
	dir := tp.copy(t)
	tp.dies(t, dir, envCrashAt+"=copied:1", tp.runArgs(t, dir, false)...)
	// Its intent is settled by a process to which the vault's directory is closed.
	moveAway(t, dir)
	tp.commandIn(t, dir, exitRefused, append([]string{"run", "--policy", "crm", "--rule", "prospects"}, "--as-of", tp.asOf)...)
	moveBack(t, dir)
	var v struct {
		OK       bool
		Findings []vault.Finding
	}
	if err := json.Unmarshal(tp.commandIn(t, dir, exitOK, "archive", "verify"), &v); err != nil || !v.OK || len(v.Findings) != 1 || v.Findings[0].Trouble != vault.Orphan {
		t.Fatalf("%+v, %v", v, err)
	}
	tp.commandIn(t, dir, exitOK, "archive", "expire")
	if err := json.Unmarshal(tp.commandIn(t, dir, exitOK, "archive", "verify"), &v); err != nil || len(v.Findings) != 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	tp.commandIn(t, dir, exitOK, tp.dated("run")...)
	tp.segmentsHold(t, dir, "in the end")
}
