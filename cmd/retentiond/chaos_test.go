package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// envChaos is how long people let the chaos last by hand, such as 10m.
const envChaos = "RETENTIOND_CHAOS"

const (
	chaosSets     = 20 // rule sets, each with a slot every minute
	chaosBack     = 10 // slots of each that are due when the daemons begin
	chaosReplicas = 3
)

// chaos is three daemons on one state store and two sources, with everything that
// goes wrong around them.
type chaos struct {
	site
	state    string // DSN, straight
	servers  map[string]*servers.Server
	apps     []*chaosApp
	replicas []*chaosReplica
	watch    *takeovers
	holds    *chaosHolds
	began    time.Time // of the store's clock: slots after it are fired
	counts   tally
}

// tally counts what happened.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *tally) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[what]++
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(c.n)
}

// TestChaos: three daemons share 20 rule sets on one PostgreSQL state store, while
// they are killed, stopped for longer than their leases and told to end, servers
// crash, holds are placed and applications write. In the end every slot was run
// once or is audited as missed, every intent is settled, every table is what a naive
// oracle says, what is gone is audited, and the log verifies (L2, L3, L6, L7, L8).
func TestChaos(t *testing.T) {
	t.Parallel()
	lasts := 50 * time.Second
	if text := os.Getenv(envChaos); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", envChaos, err)
		}
	}
	c := newChaos(t)
	c.fireFromBefore()
	for _, r := range c.replicas {
		r.start()
	}
	ctx, stop := context.WithTimeout(t.Context(), lasts)
	defer stop()
	var work sync.WaitGroup
	for _, do := range []func(context.Context){c.watch.run, c.holds.run, c.hurtReplicas, c.hurtServers, c.apps[0].write, c.apps[1].write} {
		work.Go(func() { do(ctx) })
	}
	work.Wait()
	c.calm()
	c.judge()
	t.Logf("%s of chaos: %s", lasts, &c.counts)
	c.watch.report(t)
}

// newChaos is everything before the first daemon.
func newChaos(t *testing.T) *chaos {
	t.Helper()
	c := &chaos{site: site{T: t, dir: t.TempDir()}, servers: map[string]*servers.Server{}}
	for _, name := range []string{"state", "source"} {
		c.servers[name] = onPostgres().privateServer(t)
	}
	c.state = c.servers["state"].Database(t)
	crm := c.servers["source"].Database(t)
	var config strings.Builder
	fmt.Fprintf(&config, "state: %q\npolicies: ./policies\nsources:\n", c.state)
	fmt.Fprintf(&config, "  crm: {driver: postgres, dsn: %q, runs: 4}\n  box: {driver: sqlite, dsn: %q}\n", crm, c.path("box.db"))
	config.WriteString("audit: {origin: example.org/retention, key_file: ./audit.key}\nholds: {grace: 30 days}\nschedule: {catch_up: all}\n")
	c.write("retentiond.yaml", config.String())
	c.apps = []*chaosApp{newChaosApp(t, "crm", "postgres", crm, c.counts.add), newChaosApp(t, "box", "sqlite", "file:"+c.path("box.db")+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)", c.counts.add)}
	for i := range chaosSets {
		a := c.appOf(i)
		a.make(i)
		c.write(fmt.Sprintf("policies/p%02d.yaml", i), chaosPolicy(i, a.source))
	}
	c.watch = &takeovers{c: c}
	c.do(exitOK, "check", "--install")
	for i := range chaosReplicas {
		r := &chaosReplica{c: c, n: i, site: site{T: t, dir: t.TempDir()}}
		c.copyTo(r.site)
		c.replicas = append(c.replicas, r)
	}
	c.holds = &chaosHolds{c: c}
	return c
}

// appOf is the application whose table a rule set is about: one in five is on SQLite.
func (c *chaos) appOf(i int) *chaosApp {
	if i%5 == 4 {
		return c.apps[1]
	}
	return c.apps[0]
}

// copyTo gives a replica its own directory: configuration, policies, key.
func (c *chaos) copyTo(r site) {
	r.write("retentiond.yaml", c.read("retentiond.yaml"))
	r.write("audit.key", c.read("audit.key"))
	for i := range chaosSets {
		name := fmt.Sprintf("policies/p%02d.yaml", i)
		r.write(name, c.read(name))
	}
}

// chaosPolicy is one rule set on one table: a third each deletes rows, deletes rows
// with children, and redacts.
func chaosPolicy(i int, source string) string {
	children, then := "", "delete"
	switch chaosKind(i) {
	case withKids:
		children = fmt.Sprintf("    children:\n      - {table: kids_%d, on: {row_id: id}, then: delete}\n", i)
	case redacting:
		then = "redact\n    columns: {note: null}"
	}
	return fmt.Sprintf(`version: 1
policy: p%02d
title: Policy %d
controller: Shop
timezone: UTC
source: %s
schedule: "* * * * *"
limits: {rows: 1000000, share: 100%%}
datasets:
  rows:
    table: rows_%d
    subject: {person: person}
%srules:
  - id: rows
    title: Rows
    dataset: rows
    from: at
    keep: 1 year
    approve: never
    then: %s
`, i, i, source, i, children, then)
}

const (
	plain = iota
	withKids
	redacting
)

func chaosKind(i int) int { return i % 3 }

// fireFromBefore makes the slots of the last minutes due, as if the daemons had been
// down: one daemon first makes the schedules known.
func (c *chaos) fireFromBefore() {
	c.Helper()
	first := &chaosReplica{c: c, n: -1, site: c.site}
	first.start()
	until(c.T, "the schedules were not seen", func() bool {
		return c.number("SELECT count(*) FROM retentiond.schedules") == chaosSets
	})
	first.end()
	c.began = time.Now().Add(-chaosBack * time.Minute).Truncate(time.Microsecond)
	c.onState(func(db *sql.DB) error {
		_, err := db.Exec("UPDATE retentiond.schedules SET fired = $1", c.began.UnixMicro())
		if err == nil {
			_, err = db.Exec("DELETE FROM retentiond.slots")
		}
		return err
	})
}

// onState does something with the state store; the test ends where it fails.
func (c *chaos) onState(do func(*sql.DB) error) {
	c.Helper()
	db, err := sql.Open("postgres", c.state)
	if err != nil {
		c.Fatal(err)
	}
	defer db.Close()
	if err := do(db); err != nil {
		c.Fatal(err)
	}
}

// number is the one number that a query of the state store gives.
func (c *chaos) number(q string, args ...any) (n int64) {
	c.Helper()
	c.onState(func(db *sql.DB) error { return db.QueryRow(q, args...).Scan(&n) })
	return n
}

// nap sleeps for a random time between two, or until ctx is done: false.
func nap(ctx context.Context, least, most time.Duration) bool {
	select {
	case <-time.After(least + rand.N(most-least+1)):
		return true
	case <-ctx.Done():
		return false
	}
}
