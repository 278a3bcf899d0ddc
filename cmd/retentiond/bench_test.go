package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// The benchmarks put the whole way of a row (plan, gate, holds, receipts,
// intents and outcomes durable, audited) beside one giant statement on a copy of
// the same file, on the same SQLite, interleaved. Ratios count, not seconds:
// 1.00 is the giant statement, which blocks everybody else while it runs.

const benchPolicy = `version: 1
policy: bench
title: Bench
controller: Bench
timezone: Europe/Paris
source: events
limits: {rows: 1000000000, share: 100%%}
datasets:
  events: {table: events, subject: {customer: customer_id}}
rules:
  - {id: events, title: Events, dataset: events, from: created_at, keep: 1 year, approve: never, %s}
`

const benchConfig = `state: sqlite:./state.db
policies: ./policies
sources: {events: {driver: sqlite, dsn: ./events.db}}
`

// benchRows is the size of the table; RETENTIOND_BENCH_ROWS asks for another.
func benchRows(b *testing.B) int {
	b.Helper()
	n, err := strconv.Atoi(os.Getenv("RETENTIOND_BENCH_ROWS"))
	if err != nil {
		return 200_000
	}
	return n
}

// benchWorld fills the table of the performance document, 40 % of it due.
func benchWorld(b *testing.B, file string, rows int) {
	b.Helper()
	benchExec(b, file, `CREATE TABLE events (id INTEGER PRIMARY KEY, customer_id INTEGER, email TEXT, ip TEXT, user_agent TEXT, payload TEXT, created_at TEXT)`,
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO events SELECT i, i %% 200000, 'user' || i || '@example.org', '192.0.2.' || (i %% 256), printf('%%080d', i), printf('%%0200d', i),
		strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', 'now', '-' || (1 + (%d - i) * 365 / (%d * 60 / 100)) || ' days') FROM n`, rows, rows, rows),
		`CREATE INDEX events_at ON events (created_at)`, `CREATE INDEX events_customer ON events (customer_id)`, `PRAGMA wal_checkpoint(TRUNCATE)`)
}

func benchExec(b *testing.B, file string, statements ...string) int64 {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(OFF)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	var n int64
	for _, s := range statements {
		r, err := db.Exec(s)
		if err != nil {
			b.Fatal(err)
		}
		n, _ = r.RowsAffected()
	}
	return n
}

func benchCopy(b *testing.B, from, to string) {
	b.Helper()
	in, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		b.Fatal(err)
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
}

// oursOn runs the whole command on a fresh copy and returns the time of its step.
func oursOn(b *testing.B, template, then, setup string) (time.Duration, int64) {
	b.Helper()
	dir := b.TempDir()
	benchCopy(b, template, filepath.Join(dir, "events.db"))
	write(b, filepath.Join(dir, "retentiond.yaml"), benchConfig)
	write(b, filepath.Join(dir, "policies", "bench.yaml"), fmt.Sprintf(benchPolicy, then))
	config := filepath.Join(dir, "retentiond.yaml")
	benchCommand(b, "--config", config, "check", "--install")
	if setup != "" {
		benchCommand(b, "--config", config, "hold", "place", "--matter", "bench", "--reason", "bench", "--by", "bench", "--subjects-file", setup)
	}
	out := benchCommand(b, "--config", config, "--output", "json", "run")
	return time.Duration(jsonNumber(b, out, "seconds") * float64(time.Second)), int64(jsonNumber(b, out, "done"))
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

func benchCommand(b *testing.B, args ...string) string {
	b.Helper()
	var out, errs bytes.Buffer
	if code := run(context.Background(), args, streams{In: strings.NewReader(""), Out: &out, Err: &errs, Env: os.Environ()}); code != exitOK {
		b.Fatalf("retentiond %s: exit %d\n%s%s", strings.Join(args, " "), code, out.String(), errs.String())
	}
	return out.String()
}

// jsonNumber is the first number of that name in a report of one step.
func jsonNumber(b *testing.B, out, name string) float64 {
	b.Helper()
	_, rest, ok := strings.Cut(out, `"`+name+`": `)
	if !ok {
		b.Fatalf("no %q in %s", name, out)
	}
	end := strings.IndexAny(rest, ",\n")
	n, err := strconv.ParseFloat(strings.TrimSpace(rest[:end]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func benchAgainst(b *testing.B, then, giant, holds string) {
	template := filepath.Join(b.TempDir(), "template.db")
	benchWorld(b, template, benchRows(b))
	var we, they time.Duration
	var rows int64
	for b.Loop() {
		copied := filepath.Join(b.TempDir(), "giant.db")
		benchCopy(b, template, copied)
		began := time.Now()
		n := benchExec(b, copied, giant)
		they += time.Since(began)
		took, done := oursOn(b, template, then, holds)
		we += took
		rows += done
		if done == 0 || done > n {
			b.Fatalf("we did %d rows, the giant statement %d", done, n)
		}
	}
	b.ReportMetric(they.Seconds()/we.Seconds(), "×giant")
	b.ReportMetric(float64(rows)/we.Seconds(), "rows/s")
	b.ReportMetric(0, "ns/op")
}

const benchDue = "created_at < strftime('%Y-%m-%d', 'now', '-365 days')"

func BenchmarkDelete(b *testing.B) {
	benchAgainst(b, "then: delete", "DELETE FROM events WHERE "+benchDue, "")
}

func BenchmarkRedact(b *testing.B) {
	benchAgainst(b, "then: redact, columns: {email: null, ip: {mask_ip: [24, 48]}}", "UPDATE events SET email = NULL, ip = substr(ip, 1, 8) || '0' WHERE "+benchDue, "")
}

func BenchmarkDeleteBesideHolds(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var csv strings.Builder
			csv.WriteString("type,id\n")
			for i := range n {
				fmt.Fprintf(&csv, "customer,%d\n", i*200_000/n)
			}
			file := filepath.Join(b.TempDir(), "holds.csv")
			write(b, file, csv.String())
			benchAgainst(b, "then: delete", "DELETE FROM events WHERE "+benchDue, file)
		})
	}
}
