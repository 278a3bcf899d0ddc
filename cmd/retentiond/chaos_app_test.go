package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// chaosApp is an application that writes into the tables of one source, and keeps a
// ledger of what it wrote in the same transactions: what a lost commit did is known.
type chaosApp struct {
	*testing.T
	source string
	db     *sql.DB
	count  func(string)
	tables []int

	mu     sync.Mutex
	last   int64            // id
	before []ledgerRow      // rows that were due, to be touched
	kept   map[int64]string // rows that were there when their hold was in force, and their notes
}

// ledgerRow is a row that the application wrote.
type ledgerRow struct {
	id, table, person int64
	due               bool
}

func newChaosApp(t *testing.T, source, driver, dsn string, count func(string)) *chaosApp {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(3)
	a := &chaosApp{T: t, source: source, db: db, count: count, kept: map[int64]string{}}
	a.must("CREATE TABLE ledger (id BIGINT PRIMARY KEY, tab BIGINT NOT NULL, person BIGINT NOT NULL, due BIGINT NOT NULL)")
	a.must("CREATE TABLE touched (id BIGINT PRIMARY KEY, note VARCHAR(20))")
	return a
}

// make makes the table of one rule set.
func (a *chaosApp) make(i int) {
	a.tables = append(a.tables, i)
	a.must(fmt.Sprintf("CREATE TABLE rows_%d (id BIGINT PRIMARY KEY, person BIGINT NOT NULL, at TIMESTAMP, note VARCHAR(20))", i))
	a.must(fmt.Sprintf("CREATE INDEX rows_%[1]d_at ON rows_%[1]d (at)", i))
	if chaosKind(i) == withKids {
		a.must(fmt.Sprintf("CREATE TABLE kids_%[1]d (id BIGINT PRIMARY KEY, row_id BIGINT NOT NULL REFERENCES rows_%[1]d (id))", i))
		a.must(fmt.Sprintf("CREATE INDEX kids_%[1]d_row ON kids_%[1]d (row_id)", i))
	}
}

func (a *chaosApp) must(q string) {
	a.Helper()
	if _, err := a.db.Exec(q); err != nil {
		a.Fatalf("%s: %v", q, err)
	}
}

// write writes rows and touches some, until ctx is done.
func (a *chaosApp) write(ctx context.Context) {
	for nap(ctx, 10*time.Millisecond, 150*time.Millisecond) {
		what := "rows inserted"
		do := func() error { return a.insert(a.tables[rand.IntN(len(a.tables))], 40, 0) }
		if rand.IntN(3) == 0 {
			what, do = "row touched", a.touch
		}
		if do() == nil { // a server may be down just now
			a.count(what)
		}
	}
}

// insert writes n rows in one transaction: every second one is due, unless they are a
// person's, whose are all due.
func (a *chaosApp) insert(table, n int, person int64) error {
	rows := make([]ledgerRow, n)
	a.mu.Lock()
	for i := range rows {
		a.last++
		rows[i] = ledgerRow{a.last, int64(table), a.last, person != 0 || i%2 == 0}
		if person != 0 {
			rows[i].person = person
		}
	}
	a.mu.Unlock()
	var into, kids, ledger []string
	for _, r := range rows {
		into = append(into, fmt.Sprintf("(%d, %d, %s, 'note')", r.id, r.person, clockOf(r)))
		kids = append(kids, fmt.Sprintf("(%d, %d), (%d, %d)", 2*r.id, r.id, 2*r.id+1, r.id))
		ledger = append(ledger, fmt.Sprintf("(%d, %d, %d, %s)", r.id, r.table, r.person, map[bool]string{true: "1", false: "0"}[r.due]))
	}
	script := []string{fmt.Sprintf("INSERT INTO rows_%d VALUES ", table) + strings.Join(into, ", "), "INSERT INTO ledger VALUES " + strings.Join(ledger, ", ")}
	if chaosKind(table) == withKids {
		script = append(script, fmt.Sprintf("INSERT INTO kids_%d VALUES ", table)+strings.Join(kids, ", "))
	}
	err := a.within(func(tx *sql.Tx) error {
		for _, q := range script {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && person == 0 {
		a.mu.Lock()
		a.before = append(a.before, rows[0])
		a.mu.Unlock()
	}
	return err
}

// clockOf is the clock of a row: years ago where it is due, else of last month, or none.
func clockOf(r ledgerRow) string {
	switch {
	case r.due:
		return "'" + time.Date(2015, 1, 1, 0, 0, int(r.id), 0, time.UTC).Format(time.DateTime) + "'"
	case r.id%3 == 0:
		return "NULL"
	}
	return "'" + time.Now().UTC().AddDate(0, 0, -30).Format(time.DateTime) + "'"
}

// touch makes a due row young again, where it is still there.
func (a *chaosApp) touch() error {
	a.mu.Lock()
	if len(a.before) == 0 {
		a.mu.Unlock()
		return nil
	}
	i := max(0, len(a.before)-1-rand.IntN(10))
	r := a.before[i]
	a.before = append(a.before[:i:i], a.before[i+1:]...)
	a.mu.Unlock()
	now := time.Now().UTC().Format(time.DateTime)
	return a.within(func(tx *sql.Tx) error {
		var note sql.NullString
		err := tx.QueryRow(fmt.Sprintf("UPDATE rows_%d SET at = '%s' WHERE id = %d RETURNING note", r.table, now, r.id)).Scan(&note)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			_, err = tx.Exec(fmt.Sprintf("INSERT INTO touched VALUES (%d, '%s')", r.id, note.String))
		}
		return err
	})
}

func (a *chaosApp) within(do func(*sql.Tx) error) error {
	tx, err := a.db.Begin()
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// remembers keeps, from when a hold on the person is in force, which of the person's
// rows are there: they must stay, as they are.
func (a *chaosApp) remembers(person int64) error {
	found := map[int64]string{}
	for _, i := range a.tables {
		rows, err := a.rows(fmt.Sprintf("SELECT id, coalesce(note, '') FROM rows_%d WHERE person = %d", i, person))
		if err != nil {
			return err
		}
		for id, note := range rows {
			found[id] = note
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, note := range found {
		a.kept[id] = note
	}
	return nil
}

// rows are ids and one text of each.
func (a *chaosApp) rows(q string) (map[int64]string, error) {
	rows, err := a.db.Query(q)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]string{}
	for rows.Next() {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return nil, err
		}
		out[id] = text
	}
	return out, rows.Err()
}
