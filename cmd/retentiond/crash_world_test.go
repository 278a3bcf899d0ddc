package main

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// crashWorld is a directory that every command works in, ready for one run: its
// holds are placed, and its plan is approved.
type crashWorld struct {
	on      ground
	name    string
	journal string
	rule    string // what the rule does
	schema  string // SQL: the tables; empty: crashSchema
	dataset string // what the policy says of prospects; empty: its children
	erase   string // the dataset's erase; empty: logical
	seed    string // SQL: the rows
	asOf    string // of the run; empty: now
	after   string // another world, whose run came before
	hold    []int  // persons under a hold of this world
	always  []string
	final   []string // queries that give no row, at any moment and in the end
	acted   string   // query: how many rows the run has acted on
	sealed  bool     // rows go to segments, or end there: the laws ask for these too
	ends    bool     // the run ends segments, or copies elsewhere
	other   bool     // rows go to tables of another source, or end there
}

const crashConfig = `state: sqlite:./state.db
policies: ./policy.yaml
sources:
  crm: {driver: sqlite, dsn: ./crm.db}
vaults:
  cold: {source: crm, prefix: archive_}
  sealed: {path: ./vault, recipients: [` + crashRecipient + `]}
audit: {origin: example.org/crash, key_file: ./audit.key}
`

const crashPolicy = `version: 1
policy: crm
title: CRM
controller: Example
timezone: Europe/Paris
source: crm
limits: {share: 100%, rows: 1000000}
datasets:
  prospects:
    table: prospects
    subject: {person: person}
    children:
      - {table: calls, on: {prospect: id}, then: delete}
rules:
  - id: prospects
    title: Prospects
    dataset: prospects
    approve: never
    from: at
`

const crashChildren = `    children:
      - {table: calls, on: {prospect: id}, then: delete}
`

const crashSchema = `
CREATE TABLE prospects (id INTEGER PRIMARY KEY, person INTEGER NOT NULL, name TEXT, email TEXT, at TIME NOT NULL, erased_at TIME);
CREATE INDEX prospects_at ON prospects (at);
CREATE INDEX prospects_person ON prospects (person);
CREATE TABLE calls (id INTEGER PRIMARY KEY, prospect INTEGER NOT NULL, note TEXT, FOREIGN KEY (prospect) REFERENCES prospects (id));
CREATE INDEX calls_prospect ON calls (prospect);
`

// seedRows makes n due rows and 300 that are not, each with up to three calls.
func seedRows(n int) string {
	rows, calls := inserts{into: "prospects"}, inserts{into: "calls"}
	row := func(id, person int, at time.Time) {
		rows.add("(%d, %d, 'name %d', 'p%d@example.org', '%s', NULL)", id, person, person, person, at.Format(time.DateTime))
		if id%2 == 0 {
			calls.add("(%d, %d, 'call')", 3*id, id)
		}
		if id%5 == 0 {
			calls.add("(%d, %d, 'call 1'), (%d, %d, 'call 2')", 3*id+1, id, 3*id+2, id)
		}
	}
	first, late := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC), time.Now().UTC().AddDate(0, 0, -20)
	for i := 1; i <= n; i++ {
		row(i, i, first.Add(time.Duration(i)*time.Minute))
	}
	for i := 1; i <= 300; i++ {
		row(100_000+i, i, late)
	}
	return rows.String() + calls.String()
}

// manyCalls gives the prospect 3 more children than a transaction takes.
func manyCalls() string {
	calls := inserts{into: "calls"}
	for i := range 23_000 {
		calls.add("(%d, 3, 'call %d')", 1_000_000+i, i)
	}
	return calls.String()
}

// inserts is a script that fills a table, in words that every ground knows.
type inserts struct {
	into string
	text strings.Builder
	n    int
}

func (w *inserts) add(values string, args ...any) {
	if w.n%500 == 0 {
		w.text.WriteString(map[bool]string{true: ";\n"}[w.n > 0] + "INSERT INTO " + w.into + " VALUES ")
	} else {
		w.text.WriteString(", ")
	}
	fmt.Fprintf(&w.text, values, args...)
	w.n++
}

func (w *inserts) String() string { return w.text.String() + ";\n" }

// kept are the rows that must stay as they are, whatever happens.
const kept = "(id > 100000 OR person IN (7, 19, 700, 1500))"

func untouched() []string {
	return []string{
		"SELECT * FROM old.prospects WHERE " + kept + " EXCEPT SELECT * FROM prospects",
		"SELECT * FROM old.calls WHERE prospect IN (SELECT id FROM old.prospects WHERE " + kept + ") EXCEPT SELECT * FROM calls",
		"SELECT * FROM calls EXCEPT SELECT * FROM old.calls",
		"SELECT id FROM prospects EXCEPT SELECT id FROM old.prospects",
		"SELECT id FROM calls WHERE prospect NOT IN (SELECT id FROM prospects)",
	}
}

// family: a row that is there has all its children.
const family = "SELECT id FROM old.calls WHERE prospect IN (SELECT id FROM prospects) EXCEPT SELECT id FROM calls"

const (
	allGone    = "SELECT id FROM prospects WHERE NOT " + kept
	countGone  = "SELECT (SELECT count(*) FROM old.prospects) - (SELECT count(*) FROM prospects)"
	onceEach   = "SELECT id FROM (SELECT id FROM prospects UNION ALL SELECT id FROM archive_prospects) AS x GROUP BY id HAVING count(*) <> 1"
	callsOnce  = "SELECT id FROM (SELECT id FROM calls UNION ALL SELECT id FROM archive_calls) AS x GROUP BY id HAVING count(*) <> 1"
	noneLost   = "SELECT id FROM old.prospects EXCEPT SELECT id FROM prospects EXCEPT SELECT id FROM archive_prospects"
	noCallLost = "SELECT id FROM old.calls EXCEPT SELECT id FROM calls EXCEPT SELECT id FROM archive_calls"
	sameCopy   = "SELECT id, person, name, email, at FROM archive_prospects EXCEPT SELECT id, person, name, email, at FROM old.prospects"
)

func crashWorlds() []crashWorld {
	rows, few := seedRows(1600), seedRows(40)
	holds := []int{7, 19, 700, 1500}
	archive := "    stages:\n      - {keep: 1 year, then: archive, to: cold, why: a claim may come}\n      - {keep: 5 years, then: delete}\n"
	seal := strings.Replace(archive, "cold", "sealed", 1)
	away := strings.Replace(archive, "cold", "away", 1)
	copies := append(untouched(), onceEach, callsOnce, noneLost, noCallLost, sameCopy)
	return []crashWorld{
		{name: "delete", journal: "WAL", rule: "    keep: 3 years\n    then: delete\n", seed: rows, hold: holds,
			always: append(untouched(), family), final: []string{allGone}, acted: countGone},
		{name: "delete-rollback-journal", journal: "DELETE", rule: "    keep: 3 years\n    then: delete\n", seed: rows, hold: holds,
			always: append(untouched(), family), final: []string{allGone}, acted: countGone},
		{name: "slices", journal: "WAL", rule: "    keep: 3 years\n    then: delete\n", seed: few + manyCalls(), hold: holds,
			always: untouched(), final: []string{allGone}, acted: countGone},
		{name: "redact", journal: "WAL", rule: "    keep: 3 years\n    then: redact\n    columns: {email: null}\n", seed: rows, hold: holds,
			always: append(untouched(), family, "SELECT id, name, at FROM old.prospects EXCEPT SELECT id, name, at FROM prospects",
				"SELECT email FROM prospects EXCEPT SELECT email FROM old.prospects EXCEPT SELECT NULL"),
			final: []string{"SELECT id FROM prospects WHERE email IS NOT NULL AND NOT " + kept}, acted: "SELECT count(*) FROM prospects WHERE email IS NULL"},
		{name: "anonymise", journal: "WAL", seed: rows, hold: holds,
			rule: "    keep: 3 years\n    then: anonymise\n    mark: erased_at\n    columns: {id: keep, person: keep, name: {set: gone}, email: email_domain, at: {truncate: year}}\n",
			always: append(untouched(), family, "SELECT * FROM prospects WHERE erased_at IS NULL EXCEPT SELECT * FROM old.prospects",
				"SELECT id FROM prospects WHERE erased_at IS NOT NULL AND (name <> 'gone' OR email <> 'example.org')"),
			final: []string{"SELECT id FROM prospects WHERE erased_at IS NULL AND NOT " + kept}, acted: "SELECT count(*) FROM prospects WHERE erased_at IS NOT NULL"},
		{name: "archive", journal: "WAL", rule: archive, seed: rows, asOf: "2012-06-01", hold: holds,
			always: append(copies, family), final: []string{allGone}, acted: countGone},
		{name: "expiry", journal: "WAL", rule: archive, after: "archive", asOf: "2017-06-01", hold: []int{11, 22},
			always: append(untouched(), family,
				"SELECT id FROM old.archive_prospects WHERE person IN (11, 22) EXCEPT SELECT id FROM archive_prospects",
				"SELECT id FROM archive_calls WHERE prospect NOT IN (SELECT id FROM archive_prospects)",
				"SELECT id FROM old.archive_calls WHERE prospect IN (SELECT id FROM archive_prospects) EXCEPT SELECT id FROM archive_calls"),
			final: []string{"SELECT id FROM archive_prospects WHERE person NOT IN (11, 22)", "SELECT id FROM archive_calls WHERE prospect NOT IN (11, 22)"},
			acted: "SELECT (SELECT count(*) FROM old.archive_prospects) - (SELECT count(*) FROM archive_prospects)"},
		{name: "sealed", journal: "WAL", rule: seal, seed: rows, asOf: "2012-06-01", hold: holds, sealed: true,
			always: append(untouched(), family), final: []string{allGone}, acted: countGone},
		{name: "sealed-slices", journal: "DELETE", rule: seal, seed: few + manyCalls(), asOf: "2012-06-01", hold: holds, sealed: true,
			always: untouched(), final: []string{allGone}, acted: countGone},
		{name: "sealed-end", journal: "WAL", rule: seal, after: "sealed", asOf: "2017-06-01", hold: []int{1100}, sealed: true, ends: true,
			always: append(untouched(), family)},
		{name: "elsewhere", journal: "WAL", rule: away, seed: rows, asOf: "2012-06-01", hold: holds, other: true,
			always: append(untouched(), family), final: []string{allGone}, acted: countGone},
		{name: "elsewhere-slices", journal: "DELETE", rule: away, seed: few + manyCalls(), asOf: "2012-06-01", hold: holds, other: true,
			always: untouched(), final: []string{allGone}, acted: countGone},
		{name: "elsewhere-end", journal: "WAL", rule: away, after: "elsewhere", asOf: "2017-06-01", hold: []int{1100}, other: true, ends: true,
			always: append(untouched(), family)},
		{name: "archive-slices", journal: "DELETE", rule: archive, seed: few + manyCalls(), asOf: "2012-06-01", hold: holds,
			always: copies, final: []string{allGone}, acted: countGone},
	}
}

// partitionWorld is a world whose table has partitions of six hours each: two of them
// hold held rows, and one is the default.
func partitionWorld() crashWorld {
	schema := "CREATE TABLE prospects (id INTEGER, person INTEGER NOT NULL, name TEXT, email TEXT, at TIME NOT NULL, erased_at TIME, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);\n" +
		"CREATE INDEX prospects_at ON prospects (at); CREATE TABLE prospects_rest PARTITION OF prospects DEFAULT; CREATE TABLE calls (id INTEGER PRIMARY KEY, prospect INTEGER NOT NULL, note TEXT);\n"
	from := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 5 {
		at := from.Add(time.Duration(i) * 6 * time.Hour)
		schema += fmt.Sprintf("CREATE TABLE prospects_%d PARTITION OF prospects FOR VALUES FROM ('%s') TO ('%s');\n", i, at.Format(time.DateTime), at.Add(6*time.Hour).Format(time.DateTime))
	}
	return crashWorld{
		on: onPostgres(), name: "partitions", schema: schema, dataset: "    partitions: drop\n", rule: "    keep: 3 years\n    then: delete\n",
		seed: seedRows(1600), hold: []int{7, 19, 700, 1500}, acted: countGone, final: []string{allGone},
		always: []string{
			"SELECT * FROM old.prospects WHERE " + kept + " EXCEPT SELECT * FROM prospects", "SELECT id FROM prospects EXCEPT SELECT id FROM old.prospects",
			"SELECT 'held, or default' WHERE to_regclass('prospects_0') IS NULL OR to_regclass('prospects_1') IS NULL OR to_regclass('prospects_4') IS NULL OR to_regclass('prospects_rest') IS NULL",
			"SELECT 'no row, but a partition' WHERE to_regclass('prospects_2') IS NOT NULL AND NOT EXISTS (SELECT 1 FROM prospects WHERE at >= '2010-01-01 12:00' AND at < '2010-01-01 18:00')",
		},
	}
}

// mariaPartitionWorld is the same on MariaDB, where the rows of a partition are set
// aside before they are given up: at no moment are they anywhere else.
func mariaPartitionWorld() crashWorld {
	schema := "CREATE TABLE prospects (id INTEGER, person INTEGER NOT NULL, name TEXT, email TEXT, at TIME NOT NULL, erased_at TIME, PRIMARY KEY (id, at), KEY (at)) PARTITION BY RANGE COLUMNS (at) ("
	from := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 5 {
		schema += fmt.Sprintf("PARTITION p%d VALUES LESS THAN ('%s'), ", i, from.Add(time.Duration(i+1)*6*time.Hour).Format(time.DateTime))
	}
	schema += "PARTITION rest VALUES LESS THAN (MAXVALUE)); CREATE TABLE calls (id INTEGER PRIMARY KEY, prospect INTEGER NOT NULL, note TEXT);\n"
	parts := " (SELECT partition_name FROM information_schema.partitions WHERE table_schema = DATABASE() AND table_name = 'prospects')"
	return crashWorld{
		on: onMariaDB(), name: "partitions", schema: schema, dataset: "    partitions: drop\n", rule: "    keep: 3 years\n    then: delete\n",
		seed: seedRows(1600), hold: []int{7, 19, 700, 1500}, acted: countGone,
		always: []string{
			"SELECT * FROM old.prospects WHERE " + kept + " EXCEPT SELECT * FROM prospects", "SELECT id FROM prospects EXCEPT SELECT id FROM old.prospects",
			"SELECT 'held, or last' FROM DUAL WHERE 'p0' NOT IN" + parts + " OR 'p1' NOT IN" + parts + " OR 'p4' NOT IN" + parts + " OR 'rest' NOT IN" + parts,
			"SELECT id FROM old.prospects WHERE 'p2' NOT IN" + parts + " AND at >= '2010-01-01 12:00' AND at < '2010-01-01 18:00' AND EXISTS (SELECT 1 FROM prospects AS p WHERE p.id = old.prospects.id)",
		},
		final: []string{allGone, "SELECT 'it stays' FROM DUAL WHERE 'p2' IN" + parts + " OR 'p3' IN" + parts,
			"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'retentiond_aside'"},
	}
}

// template is a world made once, to be copied for each trial.
type template struct {
	crashWorld
	dir    string
	plan   string
	counts map[retention.Point]int // passes of a run that nothing ends
}

func (w crashWorld) make(t *testing.T) *template {
	t.Helper()
	tp := &template{crashWorld: w, dir: t.TempDir()}
	if w.after != "" {
		for _, before := range crashWorlds() {
			if before.name == w.after {
				before.on = w.on
				b := before.make(t)
				b.commandIn(t, b.dir, exitOK, b.runArgs(t, b.dir, false)...)
				tp.dir = b.copy(t)
			}
		}
	} else {
		writeFile(t, filepath.Join(tp.dir, "retentiond.yaml"), w.config(t, tp.dir))
		policy := crashPolicy + w.rule
		if w.dataset != "" {
			policy = strings.Replace(policy, crashChildren, w.dataset, 1)
		}
		if w.erase != "" {
			policy = strings.Replace(policy, "    table: prospects\n", "    table: prospects\n    erase: "+w.erase+"\n", 1)
		}
		writeFile(t, filepath.Join(tp.dir, "policy.yaml"), policy)
		w.on.create(t, tp.dir)
		if w.on.server == nil {
			w.on.run(t, tp.dir, "PRAGMA journal_mode = "+w.journal)
		}
		w.on.run(t, tp.dir, w.on.ddl(cmp.Or(w.schema, crashSchema)), w.seed)
	}
	w.on.remember(t, tp.dir, "prospects", "calls", "archive_prospects", "archive_calls")
	place := []string{"hold", "place", "--matter", w.name, "--reason", "claim", "--by", "Ada", "--allow-unmatched"}
	for _, p := range w.hold {
		place = append(place, "--subject", fmt.Sprintf("person:%d", p))
	}
	tp.commandIn(t, tp.dir, exitOK, place...)
	tp.plan = tp.approved(t, tp.dir)
	if w.on.server == nil {
		tp.onSource(t, tp.dir, func(db *sql.DB) { query(t, db, "PRAGMA wal_checkpoint(TRUNCATE)") })
	}
	tp.trace(t)
	return tp
}

// trace counts the points that a run passes, in a copy.
func (tp *template) trace(t *testing.T) {
	t.Helper()
	tp.counts = map[retention.Point]int{}
	dir := tp.copy(t)
	var out, errs bytes.Buffer
	a := newApp(streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	var mu sync.Mutex // ranges are done by several workers
	a.points = func(p retention.Point) {
		mu.Lock()
		defer mu.Unlock()
		tp.counts[p]++
	}
	args := append([]string{"--config", filepath.Join(dir, "retentiond.yaml")}, tp.runArgs(t, dir, false)...)
	if code := execute(context.Background(), a, args); code != exitOK {
		t.Fatalf("%s: the run that nothing ends: exit code %d: %s%s", tp.name, code, out.String(), errs.String())
	}
	tp.none(t, dir, "after the run that nothing ended", append(slices.Clone(tp.always), tp.final...))
	tp.settledOnce(t, dir)
}

func (tp *template) dated(args ...string) []string {
	if tp.asOf != "" {
		args = append(args, "--as-of", tp.asOf)
	}
	return args
}

// approved makes a plan and approves it.
func (tp *template) approved(t *testing.T, dir string) string {
	t.Helper()
	var made struct{ Plan string }
	if err := json.Unmarshal(tp.commandIn(t, dir, exitOK, tp.dated("plan")...), &made); err != nil {
		t.Fatal(err)
	}
	tp.commandIn(t, dir, exitOK, "approve", made.Plan, "--by", "Ada", "--reason", "a test")
	return made.Plan
}

// runArgs is a run of the world's plan, or one that plans for itself. Where a
// database's name is part of its tables' names, a copy needs a plan of its own.
func (tp *template) runArgs(t *testing.T, dir string, byPlan bool) []string {
	t.Helper()
	if !byPlan {
		return tp.dated("run")
	}
	if tp.on.driver != "mysql" {
		return []string{"run", "--plan", tp.plan}
	}
	file := filepath.Join(dir, "plan.id")
	if _, err := os.Stat(file); err != nil {
		writeFile(t, file, tp.approved(t, dir))
	}
	plan, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"run", "--plan", string(plan)}
}

// copy is the world in a fresh directory.
func (tp *template) copy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(tp.dir)); err != nil {
		t.Fatal(err)
	}
	tp.on.copy(t, tp.dir, dir)
	if tp.other {
		tp.on.copy(t, storeOf(tp.dir), storeOf(dir))
	}
	return dir
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// onSource opens the world's database, with the world as it was known as old,
// and closes it again.
func (tp *template) onSource(t *testing.T, dir string, do func(*sql.DB)) {
	t.Helper()
	db := tp.on.open(t, dir)
	defer db.Close()
	if tp.on.server == nil && dir != tp.dir {
		if _, err := db.Exec("ATTACH ? AS old", "file:"+filepath.Join(tp.dir, "crm.db")+"?immutable=1"); err != nil {
			t.Fatal(err)
		}
	}
	do(db)
}

// none runs queries that must give no row. One on a table that is not there yet
// is passed over.
func (tp *template) none(t *testing.T, dir, when string, queries []string) {
	t.Helper()
	tp.onSource(t, dir, func(db *sql.DB) {
		archived := tp.on.there(t, db, "archive_calls")
		for _, q := range queries {
			if strings.Contains(q, "archive_") && !archived {
				continue
			}
			if bad := query(t, db, tp.on.text(q)); len(bad) > 0 {
				t.Errorf("%s: %d rows, such as %q, of %s", when, len(bad), bad[0], q)
			}
		}
	})
	if tp.sealed {
		tp.segmentsHold(t, dir, when)
	}
	if tp.other {
		tp.copiesHold(t, dir, when)
	}
}

// number is the one number that a query gives.
func (tp *template) number(t *testing.T, dir, q string) (n int64) {
	t.Helper()
	tp.onSource(t, dir, func(db *sql.DB) {
		if err := db.QueryRow(tp.on.text(q)).Scan(&n); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	})
	return n
}

// commandIn runs a command in this process and returns its JSON.
func (tp *template) commandIn(t *testing.T, dir string, want int, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"--config", filepath.Join(dir, "retentiond.yaml"), "--output", "json"}, args...)
	if code := run(context.Background(), args, streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != want {
		t.Fatalf("%s: %v: exit code %d, want %d: %s%s", tp.name, args[4:], code, want, out.String(), errs.String())
	}
	return out.Bytes()
}
