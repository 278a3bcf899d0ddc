package bench

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// place is a fresh copy of the data.
type place struct {
	driver, dsn string // as the configuration names them
	db          *sql.DB
	name        string // of the database, where a server has several
	drop        func(b *testing.B)
	logged      func(b *testing.B) int64 // bytes of log that the server wrote so far
}

func (p *place) exec(b *testing.B, text string, args ...any) int64 {
	b.Helper()
	r, err := p.db.Exec(text, args...)
	if err != nil {
		b.Fatalf("%.200s: %v", text, err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func (p *place) number(b *testing.B, query string) (n int64) {
	b.Helper()
	if err := p.db.QueryRow(query).Scan(&n); err != nil {
		b.Fatalf("%s: %v", query, err)
	}
	return n
}

// statement is a way: one statement.
func statement(text string, args ...any) func(*testing.B, *place) effort {
	return func(b *testing.B, p *place) effort {
		began := time.Now()
		n := p.exec(b, text, args...)
		return effort{rows: n, took: time.Since(began)}
	}
}

const config = `state: sqlite:./state.db
policies: ./policies
sources: {events: {driver: %s, dsn: "%s"%s}}
vaults: {cold: {source: events, prefix: old_}, sealed: {path: ./vault, recipients: [age1l87l9c307jgd3q8c8wzcuu879ca8cy5aetzfdc64scxvtma0rc3s9tupd2]}}
audit: {origin: bench.example/retention, key_file: ./audit.key}
`

// policyHead is the head of each policy here.
const policyHead = `version: 1
policy: bench
title: Bench
controller: Bench
timezone: UTC
source: events
limits: {rows: 1000000000, share: 100%}
`

const policyEvents = policyHead + `datasets:
  events: {table: events, subject: {customer: customer_id}}
rules:
  - {id: events, title: Events, dataset: events, from: created_at, approve: never, `

// The rules on the table of events.
const (
	deletes    = policyEvents + "keep: 365 days, then: delete}\n"
	anonymises = policyEvents + "keep: 365 days, then: anonymise, columns: {id: keep, customer_id: keep, email: null, ip: {mask_ip: [24, 48]}, user_agent: keep, payload: keep, created_at: keep}}\n"
	redacts    = policyEvents + "keep: 365 days, then: redact, columns: {email: null, ip: {mask_ip: [24, 48]}}}\n"
	archives   = policyEvents + "stages: [{keep: 365 days, then: archive, to: cold, why: disputes}, {keep: 3650 days, then: delete}]}\n"
	seals      = policyEvents + "stages: [{keep: 365 days, then: archive, to: sealed, why: disputes}, {keep: 3650 days, then: delete}]}\n"
)

// ours is a run of the binary, as fast as it goes unless it is paced.
type ours struct {
	policy   string
	held     int  // subjects under a hold
	parallel int  // workers; 0: the default
	paced    bool // at the default rate
}

// source is what the source's configuration says of it.
func (o ours) source() string {
	var text string
	if o.parallel > 0 {
		text += fmt.Sprintf(", parallel: %d", o.parallel)
	}
	if !o.paced {
		text += ", throttle: {rate: unlimited}"
	}
	return text
}

// house writes configuration and policy for the place, installs the gate and
// places the hold, which is none of the run's time.
func (o ours) house(b *testing.B, p *place) (configFile string) {
	b.Helper()
	dir := b.TempDir()
	configFile = filepath.Join(dir, "retentiond.yaml")
	write(b, configFile, fmt.Sprintf(config, p.driver, p.dsn, o.source()))
	write(b, filepath.Join(dir, "policies", "bench.yaml"), o.policy)
	command(b, "--config", configFile, "check", "--install")
	if o.held > 0 {
		file := filepath.Join(dir, "held.csv")
		var csv strings.Builder
		csv.WriteString("type,id\n")
		for _, id := range held(o.held) {
			fmt.Fprintf(&csv, "customer,%d\n", id)
		}
		write(b, file, csv.String())
		command(b, "--config", configFile, "hold", "place", "--matter", "bench", "--reason", "bench", "--by", "bench", "--subjects-file", file, "--allow-unmatched")
	}
	return configFile
}

func (o ours) do(b *testing.B, p *place) effort {
	b.Helper()
	file := o.house(b, p)
	defer p.statements(b)
	return ran(b, file)
}

// ran is a run of the house to its end.
func ran(b *testing.B, file string) effort {
	b.Helper()
	out, u := command(b, "--config", file, "--output", "json", "run", "--as-of", today.Format(time.RFC3339))
	var report struct {
		Verdict string
		Steps   []struct {
			Done    int64
			Seconds float64
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		b.Fatal(err)
	}
	if report.Verdict != "ok" {
		b.Fatalf("the run's verdict is not ok:\n%.3000s", out)
	}
	e := effort{whole: u.took, cpu: u.cpu, peak: u.peak, p99: batchP99(b, filepath.Join(filepath.Dir(file), "state.db"))}
	for _, s := range report.Steps {
		e.rows += s.Done
		e.took += time.Duration(s.Seconds * float64(time.Second))
	}
	return e
}

// batchP99 is from intent to outcome, both durable.
func batchP99(b *testing.B, state string) time.Duration {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+state+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT concluded - at FROM intents WHERE concluded <> 0")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var all []time.Duration
	for rows.Next() {
		var micros int64
		if err := rows.Scan(&micros); err != nil {
			b.Fatal(err)
		}
		all = append(all, time.Duration(micros)*time.Microsecond)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return percentile(all, 99)
}

// customers are as many as there are subjects; the n held ones are spread.
const customers = 200_000

func held(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i * (customers / n)
	}
	return out
}

func write(b *testing.B, file, text string) {
	b.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}
