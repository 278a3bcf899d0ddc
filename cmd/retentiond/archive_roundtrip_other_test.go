package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestArchiveElsewhereRoundTrip: a copy in another source is what the row was, for
// every column type of the three engines (L9).
func TestArchiveElsewhereRoundTrip(t *testing.T) {
	for _, g := range []struct {
		on    ground
		types []typed
	}{{ground{}, sqliteTypes()}, {onPostgres(), postgresTypes()}, {onMariaDB(), mariaTypes()}} {
		t.Run(g.on.String(), func(t *testing.T) {
			dir := t.TempDir()
			w := crashWorld{on: g.on, other: true}
			writeFile(t, filepath.Join(dir, "retentiond.yaml"), w.config(t, dir))
			writeFile(t, filepath.Join(dir, "policy.yaml"), strings.Replace(roundtripPolicy, "to: sealed", "to: away", 1))
			g.on.create(t, dir)
			g.on.run(t, dir, everyTable(g.on, g.types))
			if g.on.driver == "postgres" { // its own types are made by hand
				g.on.run(t, storeOf(dir), typesOf(everyTable(g.on, g.types)))
			}
			tried, most := 0, trialsOf(t, "RETENTIOND_ROUNDTRIPS", 6)
			rapid.Check(t, func(r *rapid.T) {
				if tried++; tried <= most {
					tripElsewhere(t, r, g.on, dir, g.types)
				}
			})
		})
	}
}

// typesOf are the types that a schema makes.
func typesOf(ddl string) string {
	out := "SELECT 1;"
	for _, s := range strings.Split(ddl, ";") {
		if strings.Contains(s, "CREATE TYPE") || strings.Contains(s, "CREATE DOMAIN") {
			out += s + ";"
		}
	}
	return out
}

func tripElsewhere(t *testing.T, r *rapid.T, on ground, dir string, types []typed) {
	drawThings(t, r, on, dir, types)
	var before, after []string
	for _, table := range []string{"things", "parts"} {
		before = append(before, exactRows(t, on, dir, "", table, types)...)
	}
	roundtripCommand(t, dir, "run")
	if left := dump(t, on, dir); len(left) != 0 {
		t.Fatalf("%d rows stayed", len(left))
	}
	for _, table := range []string{"things", "parts"} {
		after = append(after, exactRows(t, on, storeOf(dir), "archive_", table, types)...)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		r.Fatalf("copies are not the rows that left (-left +copied):\n%s", diff)
	}
	on.run(t, storeOf(dir), "DELETE FROM archive_things", "DELETE FROM archive_parts")
}

// exactRows are the rows of a table, by its own columns, and how they are stored.
func exactRows(t *testing.T, on ground, dir, prefix, table string, types []typed) []string {
	t.Helper()
	names := map[string][]string{"things": {"id", "person", "at", "doubled"}, "parts": {"id", "thing"}}[table]
	for i := range types {
		names = append(names, fmt.Sprintf("c%d", i))
	}
	cols := make([]string, len(names))
	for i, n := range names {
		switch cols[i] = "t." + n; on.driver {
		case "":
			cols[i] += fmt.Sprintf(", typeof(t.%[1]s), hex(t.%[1]s)", n)
		case "postgres":
			cols[i] += "::text"
		}
	}
	db := on.open(t, dir)
	defer db.Close()
	return dumped(t, db, "SELECT "+strings.Join(cols, ", ")+" FROM "+prefix+table+" AS t ORDER BY t.id")
}
