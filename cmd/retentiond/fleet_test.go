package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

const fleetSchema = `CREATE TABLE prospects (id INTEGER PRIMARY KEY, at TIMESTAMP);
CREATE INDEX prospects_at ON prospects (at);
CREATE TABLE orders (id INTEGER PRIMARY KEY, prospect_id INTEGER, at TIMESTAMP);
CREATE INDEX orders_prospect ON orders (prospect_id);
CREATE INDEX orders_at ON orders (at);
INSERT INTO prospects VALUES (1, '2015-01-01 10:00:00'), (2, '2016-01-01 10:00:00'), (3, '2099-01-01 10:00:00');
INSERT INTO orders VALUES (1, 3, '2001-01-01 10:00:00'), (2, 3, '2098-01-01 10:00:00');
`

const fleetPolicy = `version: 1
policy: shop
title: Privacy policy of the shops
controller: Shops
timezone: Europe/Paris
source: tenants
limits: {rows: 1000, share: 100%}
datasets:
  prospects: {table: prospects, subject: {person: id}}
  orders: {table: orders, subject: {person: prospect_id}}
rules:
  - {id: prospects, title: Prospects, dataset: prospects, from: at, keep: 3 years, then: delete}
  - {id: orders, title: Orders, dataset: orders, from: at, keep: 10 years, then: delete}
`

// fleetDir is a directory with a fleet of that driver.
func fleetDir(t *testing.T, driver string, dsns []string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"retentiond.yaml": "sources: {tenants: {driver: " + driver + ", dsns_file: ./fleet.txt}}\naudit: {origin: example.org/retention, key_file: ./audit.key}\npolicies: ./policy.yaml\n",
		"policy.yaml":     fleetPolicy, "fleet.txt": "# the tenants\n" + strings.Join(dsns, "\n") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fleetReport is what the tests read of a plan or a run.
type fleetReport struct {
	Verdict string
	Steps   []struct {
		Source string
		Done   int64
		Spared struct{ Failed, Held int64 }
	}
	Refusals []struct{ Source, Rule, Code, Message string }
}

// fleetCommand runs a command in a process of its own, and tells its cost.
func fleetCommand(t *testing.T, dir string, code int, args ...string) (r fleetReport, out string) {
	t.Helper()
	cmd, text := retentiondProcess(t, dir, append(args, "--output", "json")...)
	cmd.Env = append(cmd.Env, "RETENTIOND_HTTP_LISTEN=127.0.0.1:0")
	var told bytes.Buffer
	cmd.Stderr = &told
	began := time.Now()
	_ = cmd.Run() // the exit code is asked for below
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("%v: exit code %d, want %d: %.3000s%.3000s", args, got, code, text, told.String())
	}
	if err := json.Unmarshal(text.Bytes(), &r); err != nil {
		t.Fatalf("%v: %v: %.3000s", args, err, text)
	}
	// The system counts what the parent had when it was forked; more than that is the child's.
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		t.Fatal(err)
	}
	peak := int64(0)
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && u.Maxrss > own.Maxrss {
		peak = u.Maxrss / 1024
	}
	t.Logf("%s: %.1f s, %.1f s of CPU, peak %d MiB", args[0], time.Since(began).Seconds(), (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), peak)
	if peak > 128 {
		t.Errorf("%s took %d MiB", args[0], peak)
	}
	return r, text.String()
}

func (r *fleetReport) done() (n int64) {
	for _, s := range r.Steps {
		n += s.Done
	}
	return n
}

// Two hundred databases are planned and run, a few open at once.
func TestFleetOfTwoHundred(t *testing.T) {
	const size = 200
	var dsns []string
	bases := t.TempDir()
	for i := range size {
		file := filepath.Join(bases, fmt.Sprintf("t%03d.db", i))
		db, err := sql.Open("sqlite", file)
		if err == nil {
			_, err = db.ExecContext(t.Context(), "PRAGMA synchronous = OFF;"+fleetSchema)
		}
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		dsns = append(dsns, file)
	}
	dir := fleetDir(t, "sqlite", dsns)
	fleetCommand(t, dir, exitOK, "check", "--install")
	plan, _ := fleetCommand(t, dir, exitOK, "plan")
	if len(plan.Steps) != 2*size || len(plan.Refusals) != 0 {
		t.Fatalf("%d steps, refusals %+v", len(plan.Steps), plan.Refusals)
	}
	ran, _ := fleetCommand(t, dir, exitOK, "run", "--approve", "--by", "Ada", "--reason", "checked")
	if ran.done() != 3*size {
		t.Errorf("%d rows are done, want %d", ran.done(), 3*size)
	}
	for i := 1; i < len(ran.Steps); i++ {
		if ran.Steps[i].Source < ran.Steps[i-1].Source {
			t.Fatalf("the report is not in the plan's order: %s after %s", ran.Steps[i].Source, ran.Steps[i-1].Source)
		}
	}
	var held struct {
		State   string
		InForce map[string]bool `json:"in_force"`
	}
	_, out := fleetCommand(t, dir, exitOK, "hold", "place", "--matter", "M", "--subject", "person:3", "--reason", "claim", "--by", "Ada")
	if err := json.Unmarshal([]byte(out), &held); err != nil || len(held.InForce) != size || held.State != "in_force" {
		t.Errorf("the hold is %s in %d sources (%v)", held.State, len(held.InForce), err)
	}
	for _, dsn := range dsns {
		db, err := sql.Open("sqlite", dsn)
		if err == nil {
			_, err = db.ExecContext(t.Context(), "UPDATE prospects SET at = '2015-01-01 10:00:00'")
		}
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	again, _ := fleetCommand(t, dir, exitOK, "run")
	if again.done() != 0 {
		t.Errorf("%d held rows are done", again.done())
	}
}

// One tenant is dead, one has another schema, one gives no privilege: the others are
// done, and what is wrong names the tenant, never where it is.
func TestFleetOnOneServer(t *testing.T) {
	const size = 20
	server := servers.Postgres(t)
	var dsns, good []string
	for i := range size {
		dsn := server.Database(t)
		switch i {
		case 3:
			dsn = strings.Replace(dsn, "?", "_gone?", 1)
		case 7:
			server.Load(t, dsn, "CREATE TABLE other (id integer PRIMARY KEY)")
		case 11:
			server.Load(t, dsn, fleetSchema)
			dsn = server.Role(t, dsn)
		default:
			server.Load(t, dsn, fleetSchema)
			good = append(good, dsn)
		}
		dsns = append(dsns, fmt.Sprintf("t%02d=%s", i, dsn))
	}
	dir := fleetDir(t, "postgres", dsns)
	plan, out := fleetCommand(t, dir, exitRefused, "plan")
	want := map[string]bool{"tenants/t03": true, "tenants/t07": true, "tenants/t11": true}
	for _, r := range plan.Refusals {
		if !want[r.Source] {
			t.Errorf("refused: %+v", r)
		}
		t.Logf("%+v", r)
	}
	if len(plan.Steps) != 2*len(good) || len(plan.Refusals) != 2*len(want) {
		t.Errorf("%d steps, %d refusals", len(plan.Steps), len(plan.Refusals))
	}
	for _, dsn := range dsns {
		_, dsn, _ = strings.Cut(dsn, "=")
		if strings.Contains(out, dsn) || strings.Contains(out, server.Addr()) {
			t.Error("the plan shows where a tenant is")
		}
	}
	ran, _ := fleetCommand(t, dir, exitPartial, "run", "--approve", "--by", "Ada", "--reason", "checked")
	if ran.done() != int64(3*len(good)) {
		t.Errorf("%d rows are done, want %d", ran.done(), 3*len(good))
	}
	for _, dsn := range good {
		db, err := sql.Open("postgres", dsn)
		var left int
		if err == nil {
			err = db.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM prospects) + (SELECT count(*) FROM orders)").Scan(&left)
		}
		if err != nil || left != 2 {
			t.Errorf("%d rows are left (%v)", left, err)
		}
		db.Close()
	}
}
