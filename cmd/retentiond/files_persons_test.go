package main

import (
	"os"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
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
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1", "steps/0/classes/held", "1", "steps/0/classes/unresolved", "1", "steps/1/done", "1", "steps/1/classes/held", "1", "steps/2/done", "1")
	s.wantTree("a/held", "a/lost", "b/held", "b/lost", "c/held", "c/lost")
	s.do(exitOK, "check").says("no row says whom they are about")
}

// Columns of servers in which one person has several spellings are refused; those
// that have one are compared by it (L3).
func TestFilesOfPersonsOnServers(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]struct {
		server                    func(testing.TB) servers.Server
		driver, uuid, text, loose string
	}{
		"postgres": {servers.Postgres, "postgres", "uuid", "text", "numeric"},
		"mariadb":  {servers.MariaDB, "mysql", "uuid", "varchar(99) COLLATE utf8mb4_bin", "varchar(99)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := personsTree(t)
			_ = on
		})
	}
}

func (s site) old(name string) {
	s.Helper()
	at := day(2015)
	must(s.T, os.Chtimes(s.path(name), at, at))
}
