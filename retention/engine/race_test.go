package engine_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	_ "modernc.org/sqlite"

	"github.com/retentiond/retentiond/connectors"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/state"
)

const racePolicy = `version: 1
policy: race
title: Race
controller: Race
timezone: UTC
source: db
limits: {share: 100%, rows: 1000000}
datasets:
  orders:
    table: orders
    subject: {person: person}
    children:
      - {table: positions, on: {order_id: id}, then: delete}
rules:
  - {id: orders, title: Orders, dataset: orders, from: at, keep: 1 year, then: delete, approve: never}
`

// raceRows spreads each person's orders over the whole page order, so that a
// hold placed at any moment has rows to lose.
const raceRows = `
CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER NOT NULL, at TIME NOT NULL);
CREATE INDEX orders_at ON orders (at);
CREATE INDEX orders_person ON orders (person);
CREATE TABLE positions (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, FOREIGN KEY (order_id) REFERENCES orders (id));
CREATE INDEX positions_order ON positions (order_id);
`

// raceSQL is the schema for an engine, and the rows.
func raceSQL(on string) string {
	typ := map[string]string{"sqlite": "TEXT", "postgres": "TIMESTAMP", "mysql": "DATETIME"}[on]
	text := strings.ReplaceAll(raceRows, "TIME", typ)
	var orders, lines []string
	for i := 1; i <= raceOrders; i++ {
		at := time.Date(2010, 1, 1, 0, i, 0, 0, time.UTC)
		orders = append(orders, fmt.Sprintf("(%d, %d, '%s')", i, i%racePersons, at.Format(time.DateTime)))
		if i%3 == 0 {
			lines = append(lines, fmt.Sprintf("(%d, %d)", i, i))
		}
	}
	return text + "INSERT INTO orders VALUES " + strings.Join(orders, ", ") + "; INSERT INTO positions VALUES " + strings.Join(lines, ", ")
}

// racer is a process of its own, as far as one process can have several: an
// engine, a connection to the state store and to the source.
type racer struct {
	*engine.Engine
	close func()
}

func newRacer(t *testing.T, dir, name, on, dsn string) racer {
	t.Helper()
	env := policies.Env{Sources: map[string]policies.SourceKind{"db": policies.SourceSQL}}
	p, problems := policies.Decode("race.yaml", []byte(racePolicy), env)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	key, err := audit.LoadOrCreateKey(filepath.Join(dir, "audit.key"), "example.org/race")
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(t.Context(), state.Options{DSN: "sqlite:" + filepath.Join(dir, "state.db"), Key: key, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	e := &engine.Engine{
		Store: store, Policies: []*retention.Policy{p}, Now: time.Now, Log: zap.NewNop(), Owner: name,
		Tune: engine.Tune{First: 40, MaxRows: 40},
		Sources: map[string]*engine.SourceRef{"db": {Name: "db", Driver: on, Open: func(ctx context.Context) (retention.Source, error) {
			return connectors.Default().Open(ctx, on, connectors.Options{DSN: dsn})
		}}},
	}
	return racer{e, func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}}
}

// race is one working run and the holds placed beside it.
type race struct {
	t       *testing.T
	db      *sql.DB
	placer  racer
	reached chan retention.Point
	held    map[int][]int64 // person → rows that were there when the hold was in force
	took    []time.Duration
	stayed  int // rows that held persons kept
}

const (
	racePersons = 60
	raceOrders  = 2400
)

// TestHoldRace places holds at random moments beside a run at full speed: the
// rows that are there when place returns are there for good (L3).
// RETENTIOND_RACES=10000 asks for more trials.
func TestHoldRace(t *testing.T) {
	for on, trials := range map[string]int{"sqlite": 200, "postgres": 30, "mysql": 30} {
		t.Run(on, func(t *testing.T) { holdRace(t, on, trials) })
	}
}

func holdRace(t *testing.T, on string, trials int) {
	if text := os.Getenv("RETENTIOND_RACES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("RETENTIOND_RACES is %q", text)
		}
		trials = n
	}
	var took []time.Duration
	stayed := 0
	for done := 0; done < trials; {
		r := runRace(t, on, trials-done)
		if t.Failed() {
			t.FailNow()
		}
		done += len(r.took)
		took, stayed = append(took, r.took...), stayed+r.stayed
	}
	if stayed < len(took) {
		t.Errorf("%d rows were left to lose by %d holds: too little was tested", stayed, len(took))
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	t.Logf("%d holds beside working batches: place took p50 %s, p99 %s, at most %s", len(took), took[len(took)/2], p99, took[len(took)-1])
	if p99 > 5*time.Second {
		t.Errorf("place took %s (p99), at most 5 s are promised", p99)
	}
}

// raceDB is an empty database, a session of the application and the DSN.
func raceDB(t *testing.T, on, dir string) (db *sql.DB, dsn string) {
	t.Helper()
	var open, more string
	switch on {
	case "postgres":
		dsn = servers.Postgres(t).Database(t)
		open = dsn
	case "mysql":
		dsn = servers.MariaDB(t).Database(t)
		open, more = dsn, "?multiStatements=true"
	default:
		dsn = filepath.Join(dir, "db.sqlite")
		open = "file:" + dsn + "?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(on, open+more)
	if err != nil {
		t.Fatal(err)
	}
	if on == "sqlite" {
		if _, err := db.Exec("PRAGMA journal_mode = " + []string{"WAL", "DELETE"}[rand.IntN(2)]); err != nil {
			t.Fatal(err)
		}
	}
	return db, dsn
}

// runRace is one run over a fresh table, with up to most holds beside it.
func runRace(t *testing.T, on string, most int) *race {
	t.Helper()
	dir := t.TempDir()
	db, dsn := raceDB(t, on, dir)
	defer db.Close()
	if _, err := db.Exec(raceSQL(on)); err != nil {
		t.Fatal(err)
	}
	worker := newRacer(t, dir, "worker", on, dsn)
	defer worker.close()
	r := &race{t: t, db: db, placer: newRacer(t, dir, "placer", on, dsn), reached: make(chan retention.Point), held: map[int][]int64{}}
	defer r.placer.close()
	over := make(chan struct{})
	worker.Reached = r.slowly(over)
	var report retention.RunReport
	var err error
	go func() {
		defer close(over)
		report, err = worker.Run(t.Context(), engine.RunRequest{})
	}()
	r.placeAll(over, most)
	<-over
	if err != nil || report.Verdict != retention.VerdictOK {
		t.Fatalf("the run: %v, %+v", err, report)
	}
	r.check(report)
	return r
}

// slowly makes every point of a batch a moment long, so that a gap between two
// of them is wide enough to fall into, and tells of it. Now and then a batch is
// late to begin: a whole hold is placed between its page and its gate.
func (r *race) slowly(over chan struct{}) func(retention.Point) {
	return func(p retention.Point) {
		if p < retention.PointIntended || p > retention.PointConcluded {
			return
		}
		select {
		case r.reached <- p:
		default:
		}
		late := time.Millisecond
		if p == retention.PointIntended && rand.IntN(3) == 0 {
			late = 60 * time.Millisecond
		}
		time.Sleep(time.Duration(rand.Int64N(int64(late))))
	}
}

// placeAll places one hold after the other, each beginning at a random point of
// some batch, until the run is over.
func (r *race) placeAll(over chan struct{}, most int) {
	for person := range min(most, racePersons) {
		at := retention.PointIntended + retention.Point(rand.IntN(int(retention.PointConcluded-retention.PointIntended)))
		for waiting := true; waiting; {
			select {
			case p := <-r.reached:
				waiting = p != at && rand.IntN(20) > 0
			case <-over:
				return
			}
		}
		began := time.Now()
		h, err := r.placer.PlaceHold(r.t.Context(), engine.HoldRequest{Matter: "m", Reason: "claim", By: "Ada", AllowUnmatched: true,
			Subjects: []retention.SubjectID{{Type: "person", ID: strconv.Itoa(person)}}})
		if err != nil || h.State != retention.HoldInForce {
			r.t.Errorf("hold on person %d: %s, %v", person, h.State, err)
			return
		}
		r.took = append(r.took, time.Since(began))
		r.held[person] = r.rows(person)
	}
}

// rows are the orders and lines of a person, lines as negative numbers.
func (r *race) rows(person int) (out []int64) {
	rows, err := r.db.Query(fmt.Sprintf("SELECT id FROM orders WHERE person = %[1]d UNION ALL SELECT -l.id FROM positions l JOIN orders o ON o.id = l.order_id WHERE o.person = %[1]d ORDER BY 1", person))
	if err != nil {
		r.t.Error(err)
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			r.t.Error(err)
		}
		out = append(out, id)
	}
	return out
}

func (r *race) check(report retention.RunReport) {
	for person, was := range r.held {
		if is := r.rows(person); !slices.Equal(is, was) {
			r.t.Errorf("person %d: %d rows were there when the hold was in force, %d in the end", person, len(was), len(is))
		}
		r.stayed += len(was)
	}
	s := report.Steps[0]
	if s.Planned != s.Done+s.Spared.Sum() {
		r.t.Errorf("the step does not add up: %+v", s)
	}
}
