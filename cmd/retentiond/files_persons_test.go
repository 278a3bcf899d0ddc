package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const personsPolicy = `version: 1
policy: files
title: Files
controller: Example
timezone: Europe/Paris
source: tree
limits: {share: 100%, rows: 1000000}
datasets:
  a: {files: "a/*", subject: {uid: {source: crm, table: a, on: {path: path}, column: who}}}
  b: {files: "b/*", subject: {nr: {source: crm, table: b, on: {path: path}, column: who}}}
  c: {files: "c/*", subject: {name: {source: crm, table: c, on: {path: path}, column: who}}}
rules:
  - {id: a, title: A, dataset: a, from: modified, keep: 1 year, then: delete, approve: never}
  - {id: b, title: B, dataset: b, from: modified, keep: 1 year, then: delete, approve: never}
  - {id: c, title: C, dataset: c, from: modified, keep: 1 year, then: delete, approve: never}
`

// personsTree has old files of three kinds: about a held person, about another, and
// one that no row names as it is called.
func personsTree(t *testing.T) site {
	t.Helper()
	var names []string
	for _, dir := range []string{"a", "b", "c"} {
		names = append(names, dir+"/held", dir+"/due", dir+"/lost")
	}
	s := newTree(t, names...)
	for _, n := range names {
		s.old("tree/" + n)
	}
	s.write("policies/files.yaml", personsPolicy)
	return s
}

// Identifiers are one person in the listing of files where they are in the related
// table, however they are written; a file that no row names is about nobody knows
// whom, and stays (L1, L3).
func TestFilesOfPersonsSpelt(t *testing.T) {
	t.Parallel()
	s := personsTree(t)
	rows := "('%/held', #), ('%/due', @), ('%/LOST', @)"
	fill := func(table, held, other string) string {
		return "INSERT INTO " + table + " VALUES " + strings.NewReplacer("%", table, "#", held, "@", other).Replace(rows)
	}
	s.exec("crm.db", "CREATE TABLE a (path TEXT COLLATE NOCASE PRIMARY KEY, who UUID)", "CREATE TABLE b (path TEXT PRIMARY KEY, who INTEGER)", "CREATE TABLE c (path TEXT PRIMARY KEY, who TEXT COLLATE NOCASE)",
		fill("a", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"), fill("b", "7", "8"), fill("c", "'Ada'", "'Bob'"))
	s.hold("uid:A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")
	s.hold("nr:007.0")
	s.hold("name:ada")
	s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/held", "1", "steps/0/classes/unresolved", "1", "steps/1/classes/held", "1", "steps/2/classes/held", "1")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1", "steps/1/done", "1", "steps/2/done", "1")
	s.wantTree("a/held", "a/lost", "b/held", "b/lost", "c/held", "c/lost")
	s.do(exitOK, "check").says("no row says whom they are about")
}

// Columns of servers in which one person, or one file, has several spellings are
// refused; those that have one are compared by it (L3).
func TestFilesOfPersonsOnServers(t *testing.T) {
	t.Parallel()
	for _, g := range onServers() {
		exact, loose := "varchar(99)", []string{"numeric(9,1)", "char(9)", "double precision"}
		if g.driver == "mysql" {
			exact, loose = "varchar(99) COLLATE utf8mb4_bin", []string{"numeric(9,1)", "varchar(99)", "double"}
		}
		for n, who := range loose {
			t.Run(fmt.Sprint(g, n), func(t *testing.T) {
				t.Parallel()
				s := personsTree(t)
				s.write("retentiond.yaml", g.configure(filesConfig))
				g.create(t, s.dir)
				db := g.open(t, s.dir)
				defer db.Close()
				path := exact
				if n == 1 {
					path, who = who, exact // the name of the file itself
				}
				for _, text := range []string{
					"CREATE TABLE a (path " + exact + " PRIMARY KEY, who uuid)", "CREATE TABLE b (path " + exact + " PRIMARY KEY, who bigint)", "CREATE TABLE c (path " + path + " PRIMARY KEY, who " + who + ")",
					"INSERT INTO a VALUES ('a/held', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), ('a/due', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), ('A/lost', NULL)",
					"INSERT INTO b VALUES ('b/held', 7), ('b/due', NULL), ('B/lost', 8)", "INSERT INTO c VALUES ('c/held', '7'), ('c/due', '8')",
				} {
					_, err := db.ExecContext(t.Context(), text)
					must(t, err)
				}
				s.hold("uid:A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")
				s.hold("nr:7.0")
				s.do(exitPartial, "run", "--output", "json").is("steps/0/done", "1", "steps/1/done", "1", "refusals/0/code", "unsafe_table").says("several spellings")
				s.wantTree("a/held", "a/lost", "b/held", "b/lost", "c/held", "c/lost", "c/due")
			})
		}
	}
}

func (s site) old(name string) {
	s.Helper()
	at := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	must(s.T, os.Chtimes(s.path(name), at, at))
}
