package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

const bulkPolicy = `version: 1
policy: bulk
title: Bulk
controller: Bulk
timezone: UTC
source: bulk
limits: {share: 100%, rows: 1000000}
datasets:
  logs: {table: logs, subject: none, why: no person in it}
rules:
  - {id: logs, title: Logs, dataset: logs, from: at, keep: 1 year, then: delete}
`

const bulkConfig = `state: sqlite:./state.db
policies: ./policy.yaml
sources:
  bulk: {driver: sqlite, dsn: ./bulk.db}
audit: {origin: example.org/bulk, key_file: ./audit.key}
`

// bulk is a directory with a table of n rows that are all due.
func bulk(t *testing.T, n int) (dir string, db *sql.DB) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"retentiond.yaml": bulkConfig, "policy.yaml": bulkPolicy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "bulk.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, q := range []string{
		"PRAGMA journal_mode=WAL",
		"CREATE TABLE logs (id INTEGER PRIMARY KEY, at TEXT)",
		"CREATE INDEX logs_at ON logs (at)",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO logs SELECT i, '2010-01-01 00:00:00' FROM n", n); err != nil {
		t.Fatal(err)
	}
	return dir, db
}

func left(t *testing.T, db *sql.DB) (n int64) {
	t.Helper()
	if err := db.QueryRow("SELECT count(*) FROM logs").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A stop request ends a run between batches: exit 130, with a report whose
// numbers are those of the table; the next run goes on.
func TestInterruptedBetweenBatches(t *testing.T) {
	const rows = 40_000
	dir, db := bulk(t, rows)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		for left := int64(rows); left == rows && ctx.Err() == nil; time.Sleep(time.Millisecond) {
			_ = db.QueryRow("SELECT count(*) FROM logs").Scan(&left)
		}
		stop()
	}()
	var out, errs bytes.Buffer
	args := []string{"--config", filepath.Join(dir, "retentiond.yaml"), "--output", "json", "run", "--approve", "--by", "Ada"}
	if code := run(ctx, args, streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != exitInterrupted {
		t.Fatalf("exit code %d, want %d; stderr %s", code, exitInterrupted, errs.String())
	}
	var report struct {
		Interrupted bool
		Steps       []struct {
			Done   int64
			Spared retention.Spared
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	rest := left(t, db)
	if !report.Interrupted || len(report.Steps) != 1 || rest == 0 || report.Steps[0].Done != rows-rest {
		t.Fatalf("report %+v beside %d rows left of %d", report, rest, rows)
	}
	if diff := cmp.Diff(retention.Spared{NotReached: rest}, report.Steps[0].Spared); diff != "" {
		t.Errorf("a row that no batch came to is not reached, and nothing else (-want +got):\n%s", diff)
	}
	saysNotReached(t, dir, rest)
	out.Reset()
	args = []string{"--config", filepath.Join(dir, "retentiond.yaml"), "run"}
	if code := run(context.Background(), args, streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != exitOK {
		t.Fatalf("second run: exit code %d; %s %s", code, out.String(), errs.String())
	}
	if rest := left(t, db); rest != 0 {
		t.Errorf("%d rows left after the second run", rest)
	}
}

// saysNotReached asks each list of runs for the rows that the last run left.
func saysNotReached(t *testing.T, dir string, rest int64) {
	t.Helper()
	for _, words := range [][]string{{"runs", "list"}, {"status"}} {
		var out, errs bytes.Buffer
		args := append([]string{"--config", filepath.Join(dir, "retentiond.yaml"), "--output", "json"}, words...)
		if code := run(context.Background(), args, streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != exitOK {
			t.Fatalf("%v: exit code %d; %s", words, code, errs.String())
		}
		var doc struct {
			Runs []runDoc
			Last *runDoc `json:"last_run"`
		}
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		for _, d := range append(doc.Runs, notNil(doc.Last)...) {
			if d.NotReached != rest || d.Spared != 0 || d.Done+rest != d.Planned {
				t.Errorf("%v says %+v; %d rows were not reached", words, d, rest)
			}
		}
		out.Reset()
		run(context.Background(), append([]string{"--config", filepath.Join(dir, "retentiond.yaml")}, words...), streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		if !strings.Contains(out.String(), "not reached") || !strings.Contains(out.String(), count(rest)) {
			t.Errorf("%v does not say that %d rows were not reached:\n%s", words, rest, out.String())
		}
	}
}

func notNil(d *runDoc) []runDoc {
	if d == nil {
		return nil
	}
	return []runDoc{*d}
}
