package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
)

// worldAsOf is the instant of the tests' worlds.
func worldAsOf() time.Time { return time.Date(2026, 3, 31, 10, 30, 0, 0, time.UTC) }

func smallWorld(t *testing.T, rows int, seed uint64) World {
	t.Helper()
	w, err := buildWorld(context.Background(), filepath.Join(t.TempDir(), "demo"), rows, worldAsOf(), seed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func openSystem(t *testing.T, w World, policy string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.Dir, policy+".db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// query returns every row as text.
func query(t *testing.T, db *sql.DB, text string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(text, args...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = string(b)
			}
		}
		out = append(out, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func tablesOf(t *testing.T, db *sql.DB) []string {
	return query(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
}

// contents is a digest of every row of the world.
func contents(t *testing.T, w World) string {
	h := sha256.New()
	for _, p := range w.Policies {
		db := openSystem(t, w, p)
		for _, table := range tablesOf(t, db) {
			fmt.Fprintln(h, p, table, strings.Join(query(t, db, "SELECT * FROM "+table+" ORDER BY rowid"), "\n"))
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestWorldForeignKeys(t *testing.T) {
	w := smallWorld(t, 300, 1)
	for _, p := range w.Policies {
		if bad := query(t, openSystem(t, w, p), "PRAGMA foreign_key_check"); len(bad) > 0 {
			t.Errorf("%s: %d rows refer to nothing, such as %s", p, len(bad), bad[0])
		}
	}
}

func TestWorldSameSeedSameRows(t *testing.T) {
	one := contents(t, smallWorld(t, 200, 7))
	if two := contents(t, smallWorld(t, 200, 7)); one != two {
		t.Error("the same seed gave other rows")
	}
	if three := contents(t, smallWorld(t, 200, 8)); one == three {
		t.Error("another seed gave the same rows")
	}
}

func TestWorldOfOneRow(t *testing.T) {
	if w := smallWorld(t, 1, 1); w.Rows < 100 {
		t.Errorf("%d rows: even the smallest world has its stories", w.Rows)
	}
}

// worldPolicies decodes the policies that the world wrote.
func worldPolicies(t *testing.T, w World) []*retention.Policy {
	t.Helper()
	env := policies.Env{Sources: map[string]policies.SourceKind{}}
	for _, tree := range trees() {
		env.Sources[strings.ReplaceAll(tree, "-", "_")] = policies.SourceFiles
	}
	for _, p := range w.Policies {
		env.Sources[p] = policies.SourceSQL
		env.Vaults = append(env.Vaults, p+"_archives")
	}
	l, err := policies.Load([]string{filepath.Join(w.Dir, "policies")}, env)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range l.Problems() {
		t.Errorf("%v", p)
	}
	return l.Policies
}

func TestReadyPoliciesDecode(t *testing.T) {
	for _, p := range policies.Ready() {
		file := filepath.Join(t.TempDir(), p.Name+".yaml")
		if err := os.WriteFile(file, p.Text, 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := policies.Load([]string{file}, policies.Env{})
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range l.Problems() {
			t.Errorf("%v", problem)
		}
		if len(l.Policies) == 1 && l.Policies[0].Name != p.Name {
			t.Errorf("%s.yaml is the policy %q", p.Name, l.Policies[0].Name)
		}
	}
}

// Every table of a system is governed (by a rule, or as a child), exempt, or
// has a purpose and no rule; and no policy names a table that is not there.
func TestWorldTablesAreCovered(t *testing.T) {
	w := smallWorld(t, 1, 1)
	for _, p := range worldPolicies(t, w) {
		var covered []string
		ruled := map[string]bool{}
		for _, r := range p.Rules {
			ruled[r.Dataset] = true
		}
		for _, d := range p.Datasets {
			if !ruled[d.Name] && d.Exempt == "" && d.Purpose == "" {
				t.Errorf("%s/%s has no rule, no purpose and no exemption", p.Name, d.Name)
			}
			if d.Files != nil {
				continue
			}
			covered = append(covered, d.Table.Name)
			for _, c := range d.Children {
				covered = append(covered, c.Table.Name)
			}
		}
		slices.Sort(covered)
		if diff := cmp.Diff(tablesOf(t, openSystem(t, w, p.Name)), slices.Compact(covered)); diff != "" {
			t.Errorf("%s: tables of the system (-) and of the policy (+):\n%s", p.Name, diff)
		}
	}
}

// Every story names a row that is there.
func TestWorldStories(t *testing.T) {
	w := smallWorld(t, 50, 3)
	known := map[string]*retention.Dataset{}
	for _, p := range worldPolicies(t, w) {
		for i, d := range p.Datasets {
			known[p.Name+"/"+d.Name] = &p.Datasets[i]
		}
	}
	seen := map[string]bool{}
	for _, s := range w.Stories {
		d := known[s.Dataset]
		if d == nil {
			t.Errorf("%s: no such dataset", s.Dataset)
			continue
		}
		if seen[s.Dataset+s.Key] {
			t.Errorf("%s %s: told twice", s.Dataset, s.Key)
		}
		seen[s.Dataset+s.Key] = true
		if s.Dataset == "webinaire/votes" { // the composite key has its own form
			continue
		}
		n := query(t, openSystem(t, w, d.Source), "SELECT count(*) FROM "+d.Table.Name+" WHERE id = ?", s.Key)
		if n[0] != "1" {
			t.Errorf("%s %s: no such row", s.Dataset, s.Key)
		}
	}
}

// The disputed person has rows under rules in every system.
func TestWorldDisputedEverywhere(t *testing.T) {
	w := smallWorld(t, 50, 3)
	for system, text := range map[string]string{
		"conservatoire": "SELECT count(*) FROM connection_logs WHERE person_id = 42",
		"cartesia":      "SELECT count(*) FROM interactions WHERE prospect_id = 42",
		"parene":        "SELECT count(*) FROM rights_requests WHERE person_id = 42",
		"cned":          "SELECT count(*) FROM enrolments WHERE client_id = 42",
		"webinaire":     "SELECT count(*) FROM organisers WHERE id = 42",
	} {
		if n := query(t, openSystem(t, w, system), text); n[0] == "0" {
			t.Errorf("%s: no row of the disputed person", system)
		}
	}
}

func TestWorldRefusesADirectoryInUse(t *testing.T) {
	w := smallWorld(t, 1, 1)
	before := contents(t, w)
	if _, err := buildWorld(context.Background(), w.Dir, 1, worldAsOf(), 2, nil); err == nil {
		t.Error("a world was built over another")
	}
	if contents(t, w) != before {
		t.Error("the rows of the first world changed")
	}
}

func TestWorldStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := func(done, total int) { cancel() }
	if _, err := buildWorld(ctx, filepath.Join(t.TempDir(), "demo"), 50_000, worldAsOf(), 1, stop); err == nil {
		t.Error("a cancelled build ended without an error")
	}
}

func TestWorldProgress(t *testing.T) {
	var last, total int
	tell := func(d, n int) {
		if d < last || d > n {
			t.Errorf("progress went from %d to %d of %d", last, d, n)
		}
		last, total = d, n
	}
	if _, err := buildWorld(context.Background(), filepath.Join(t.TempDir(), "demo"), 500, worldAsOf(), 1, tell); err != nil {
		t.Fatal(err)
	}
	if last == 0 || last != total {
		t.Errorf("progress ended at %d of %d", last, total)
	}
}

func TestWorldBorder(t *testing.T) {
	for _, c := range []struct {
		asOf, due, active string
		months            int
	}{
		{"2026-03-31T10:00:00Z", "2025-02-28", "2025-03-01", 13}, // no day of February leads past the 28th
		{"2026-03-31T22:30:00Z", "2025-02-28", "2025-03-01", 13}, // already April in Paris
		{"2026-07-15T10:00:00Z", "2025-06-14", "2025-06-15", 13},
		{"2025-02-28T10:00:00Z", "2024-01-27", "2024-01-28", 13},
	} {
		at, err := time.Parse(time.RFC3339, c.asOf)
		if err != nil {
			t.Fatal(err)
		}
		due, active := newDice(1, "t", at).border(c.months)
		got := []string{due.Format(time.DateOnly), active.Format(time.DateOnly)}
		if diff := cmp.Diff([]string{c.due, c.active}, got); diff != "" {
			t.Errorf("%s, %d months:\n%s", c.asOf, c.months, diff)
		}
	}
}
