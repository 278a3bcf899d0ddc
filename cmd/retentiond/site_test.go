package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// site is a directory with a configuration, a policy and a database, on which
// tests run retentiond as a person does.
type site struct {
	*testing.T
	dir string
	on  ground // of crm.db
}

// reply is what a command answered.
type reply struct {
	t        *testing.T
	code     int
	out, err string
}

const siteConfig = `state: sqlite:./state.db
policies: ./policies
sources:
  crm: {driver: sqlite, dsn: ./crm.db, backups: 35 days}
vaults:
  cold: {source: crm, prefix: archive_}
audit: {origin: example.org/retention, key_file: ./audit.key}
holds: {grace: 30 days}
`

const siteHead = `version: 1
policy: shop
title: Privacy policy of the shop
controller: Shop
timezone: Europe/Paris
source: crm
`

const siteDatasets = `datasets:
  prospects:
    table: prospects
    subject: {person: id}
    children:
      - {table: interactions, on: {prospect_id: id}, then: delete}
`

const siteRule = `rules:
  - id: prospects
    title: Prospects
    dataset: prospects
    from: {latest: [created_at, {table: interactions, on: {prospect_id: id}, column: occurred_at}]}
    keep: 3 years
    then: delete
`

const sitePolicy = siteHead + siteDatasets + siteRule

// siteSQL: prospects 1 and 2 are due, 3 is kept by a late contact, 4 is open, 5
// unresolved and 6 active.
const siteSQL = `
CREATE TABLE prospects (id INTEGER PRIMARY KEY, email TEXT, status TEXT, created_at TEXT);
CREATE INDEX prospects_created ON prospects (created_at);
CREATE TABLE interactions (id INTEGER PRIMARY KEY, prospect_id INTEGER REFERENCES prospects (id), occurred_at TEXT);
CREATE INDEX interactions_prospect ON interactions (prospect_id, occurred_at);
INSERT INTO prospects VALUES (1, 'ada@example.org', 'lost', '2015-03-01 10:00:00'), (2, 'bob@example.org', 'lost', '2016-05-02 10:00:00'),
  (3, 'cleo@example.org', 'open', '2016-05-02 10:00:00'), (4, 'dan@example.org', 'open', NULL), (5, 'eve@example.org', 'open', 'not a date'),
  (6, 'fay@example.org', 'open', datetime('now', '-10 days'));
INSERT INTO interactions VALUES (1, 1, '2015-04-01 10:00:00'), (2, 1, '2015-05-01 10:00:00'), (3, 3, datetime('now', '-20 days'));
`

// newSite is a site with the shop's policy and rows; newSiteWith takes others.
func newSite(t *testing.T) site {
	t.Helper()
	return newSiteWith(t, sitePolicy, siteSQL)
}

func newSiteWith(t *testing.T, policy, rows string) site {
	t.Helper()
	s := site{T: t, dir: t.TempDir()}
	s.write("retentiond.yaml", siteConfig)
	s.write("policies/shop.yaml", policy)
	s.exec("crm.db", "PRAGMA journal_mode=WAL", rows)
	return s
}

// newSiteOn is a site with these tables and rows on another ground than a file.
func newSiteOn(t *testing.T, on ground, policy, rows string) site {
	t.Helper()
	s := site{T: t, dir: t.TempDir(), on: on}
	s.write("retentiond.yaml", on.configure(siteConfig))
	s.write("policies/shop.yaml", policy)
	on.create(t, s.dir)
	on.run(t, s.dir, on.ddl(rows))
	return s
}

// shopRows is siteSQL in words that every ground knows.
func shopRows() string {
	day := func(n int) string { return time.Now().UTC().AddDate(0, 0, -n).Format(time.DateTime) }
	return `
CREATE TABLE prospects (id INTEGER PRIMARY KEY, email VARCHAR(100), status VARCHAR(100), created_at TIME);
CREATE INDEX prospects_created ON prospects (created_at);
CREATE TABLE interactions (id INTEGER PRIMARY KEY, prospect_id INTEGER, occurred_at TIME, FOREIGN KEY (prospect_id) REFERENCES prospects (id));
CREATE INDEX interactions_prospect ON interactions (prospect_id, occurred_at);
INSERT INTO prospects VALUES (1, 'ada@example.org', 'lost', '2015-03-01 10:00:00'), (2, 'bob@example.org', 'lost', '2016-05-02 10:00:00'),
  (3, 'cleo@example.org', 'open', '2016-05-02 10:00:00'), (4, 'dan@example.org', 'open', NULL), (5, 'eve@example.org', 'open', '9999-12-31 00:00:00'),
  (6, 'fay@example.org', 'open', '` + day(10) + `');
INSERT INTO interactions VALUES (1, 1, '2015-04-01 10:00:00'), (2, 1, '2015-05-01 10:00:00'), (3, 3, '` + day(20) + `');
`
}

func (s site) path(name string) string { return filepath.Join(s.dir, name) }

func (s site) write(name, text string) {
	s.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

func (s site) read(name string) string {
	s.Helper()
	b, err := os.ReadFile(s.path(name))
	if err != nil {
		s.Fatal(err)
	}
	return string(b)
}

// save copies files aside, restore brings them back: of a database also what
// lies beside it. No connection of this process is open meanwhile.
func (s site) save(into string, names ...string) {
	s.Helper()
	for _, n := range withSiblings(names) {
		if b, err := os.ReadFile(s.path(n)); err == nil {
			s.write(filepath.Join(into, n), string(b))
		}
	}
}

func (s site) restore(from string, names ...string) {
	s.Helper()
	s.remove(names...)
	for _, n := range withSiblings(names) {
		if b, err := os.ReadFile(s.path(filepath.Join(from, n))); err == nil {
			s.write(n, string(b))
		}
	}
}

func (s site) remove(names ...string) {
	s.Helper()
	for _, n := range withSiblings(names) {
		if err := os.Remove(s.path(n)); err != nil && !os.IsNotExist(err) {
			s.Fatal(err)
		}
	}
}

func withSiblings(names []string) (out []string) {
	for _, n := range names {
		out = append(out, n)
		if strings.HasSuffix(n, ".db") {
			out = append(out, n+"-wal", n+"-shm")
		}
	}
	return out
}

// exec runs SQL on a database of the site.
func (s site) exec(db string, queries ...string) {
	s.Helper()
	s.use(db, func(d *sql.DB) {
		for _, q := range queries {
			if _, err := d.Exec(q); err != nil {
				s.Fatalf("%s: %v", q, err)
			}
		}
	})
}

func (s site) use(db string, f func(*sql.DB)) {
	s.Helper()
	d, err := sql.Open("sqlite", "file:"+s.path(db)+"?_pragma=busy_timeout(10000)")
	if err != nil {
		s.Fatal(err)
	}
	d.SetMaxOpenConns(1)
	if db == "crm.db" && s.on.server != nil {
		d = s.on.open(s.T, s.dir)
	}
	f(d)
	if err := d.Close(); err != nil {
		s.Fatal(err)
	}
}

// query returns the rows, columns parted by |, rows by a blank.
func (s site) query(db, query string) string {
	s.Helper()
	var lines []string
	s.use(db, func(d *sql.DB) {
		rows, err := d.Query(query)
		if err != nil {
			s.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		cols, err := rows.Columns()
		if err != nil {
			s.Fatal(err)
		}
		for rows.Next() {
			cells, into := make([]sql.NullString, len(cols)), make([]any, len(cols))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rows.Scan(into...); err != nil {
				s.Fatal(err)
			}
			var text []string
			for _, c := range cells {
				text = append(text, c.String)
			}
			lines = append(lines, strings.Join(text, "|"))
		}
		if err := rows.Err(); err != nil {
			s.Fatal(err)
		}
	})
	return strings.Join(lines, " ")
}

// content is every row of every table of the database that is not ours.
func (s site) content(db string) map[string]string {
	s.Helper()
	out := map[string]string{}
	tables := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'retentiond_%'"
	if db == "crm.db" && s.on.server != nil {
		tables = s.on.tables()
	}
	for _, t := range strings.Fields(s.query(db, tables)) {
		out[t] = s.query(db, "SELECT * FROM "+t+" ORDER BY 1")
	}
	return out
}

// untouched fails where f changes a row of the database, or a table.
func (s site) untouched(db string, f func()) {
	s.Helper()
	before := s.content(db)
	f()
	if after := s.content(db); !maps.Equal(before, after) {
		s.Errorf("%s was changed:\nbefore %v\nafter  %v", db, before, after)
	}
}

// do runs a command in a process of its own and wants that exit code.
func (s site) do(want int, args ...string) reply {
	s.Helper()
	cmd, _ := retentiondProcess(s.T, s.dir, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	r := reply{s.T, exitCode(err), out.String(), errs.String()}
	if cmd.ProcessState == nil {
		s.Fatalf("retentiond %s: %v", strings.Join(args, " "), err)
	}
	return r.wants(want, args)
}

// at runs a command in this process, at an instant of the test's choice.
func (s site) at(now time.Time, want int, args ...string) reply {
	s.Helper()
	var out, errs bytes.Buffer
	a := newApp(streams{In: strings.NewReader(""), Out: &out, Err: &errs, Env: os.Environ()})
	a.now = func() time.Time { return now }
	code := execute(context.Background(), a, append([]string{"--config", s.path("retentiond.yaml")}, args...))
	return reply{s.T, code, out.String(), errs.String()}.wants(want, args)
}

func (r reply) wants(code int, args []string) reply {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("retentiond %s: exit code %d, want %d\nstdout %s\nstderr %s", strings.Join(args, " "), r.code, code, r.out, r.err)
	}
	if strings.Contains(r.err, "goroutine ") || strings.Contains(r.err, "panic") {
		r.t.Errorf("retentiond %s: a crash: %s", strings.Join(args, " "), r.err)
	}
	return r
}

// says wants each text in what was answered.
func (r reply) says(texts ...string) reply {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			r.t.Errorf("answer has no %q\nstdout %s\nstderr %s", text, r.out, r.err)
		}
	}
	return r
}

// oneError wants exactly one error line on stderr.
func (r reply) oneError(texts ...string) reply {
	r.t.Helper()
	if n := strings.Count("\n"+r.err, "\nerror: "); n != 1 {
		r.t.Errorf("%d error lines on stderr: %s", n, r.err)
	}
	return r.says(texts...)
}

// get is the value of the JSON answer at a path such as steps/0/done; the same
// paths as in scripts.
func (r reply) get(path string) string {
	r.t.Helper()
	var v any
	dec := json.NewDecoder(strings.NewReader(r.out))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		r.t.Fatalf("no JSON: %v\nstdout %s\nstderr %s", err, r.out, r.err)
	}
	for _, part := range strings.Split(path, "/") {
		var ok bool
		if v, ok = step(v, part); !ok {
			r.t.Fatalf("no %q of %s in %s", part, path, r.out)
		}
	}
	return textOf(v)
}

// is wants values of the JSON answer: path, value, path, value …
func (r reply) is(pairs ...string) reply {
	r.t.Helper()
	for p := range slices.Chunk(pairs, 2) {
		if got := r.get(p[0]); got != p[1] {
			r.t.Errorf("%s is %s, want %s\n%s", p[0], got, p[1], r.out)
		}
	}
	return r
}

// plan makes a plan and returns its id.
func (s site) plan() string {
	s.Helper()
	return s.do(exitOK, "plan", "--output", "json").get("plan")
}

// approve approves and runs what is due.
func (s site) approve() reply {
	s.Helper()
	return s.do(exitOK, "run", "--approve", "--by", "Ada", "--output", "json")
}

func (s site) hold(subject string) string {
	s.Helper()
	return s.do(exitOK, "hold", "place", "--matter", "M", "--subject", subject, "--reason", "claim", "--by", "Ada", "--output", "json").get("hold")
}

func (s site) due(id int) {
	s.Helper()
	s.exec("crm.db", fmt.Sprintf("INSERT INTO prospects VALUES (%d, 'x@example.org', 'lost', '2012-01-01 10:00:00')", id))
}

func (s site) ids() string {
	s.Helper()
	return s.query("crm.db", "SELECT id FROM prospects ORDER BY id")
}
