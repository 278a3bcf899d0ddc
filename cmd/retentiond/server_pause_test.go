package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestPausedTransactionIsEnded stops a run in its transaction for longer than the
// server lets one idle: its locks are gone, another run does the rest, and once
// it wakes it commits nothing.
func TestPausedTransactionIsEnded(t *testing.T) {
	t.Parallel()
	names, worlds := pausedWorlds(t, "begun:1", "acted:2", "committing:2")
	var onServer []string
	for _, n := range names {
		if !strings.HasPrefix(n, "/") {
			onServer = append(onServer, n)
		}
	}
	together(t, onServer, func(t *testing.T, name string) {
		on, at, _ := strings.Cut(name, "/")
		tp := worlds[on]
		p, dir := tp.pausesRun(t, at)
		began := time.Now()
		for code := exitPartial; code != exitOK; {
			var said string
			if code, said = tp.takesOver(t, dir); time.Since(began) > time.Minute {
				t.Fatalf("after a minute the run beside it still ends with %d: %s", code, said)
			}
		}
		tp.none(t, dir, "before it wakes", tp.final)
		tp.wakesFenced(t, dir, p)
		tp.recovers(t, dir, false, 0)
	})
}

// TestPausedAndOvertakenAtOnce wakes a run that is about to commit while another
// one waits for its receipt: whoever is first, each batch counts once.
func TestPausedAndOvertakenAtOnce(t *testing.T) {
	t.Parallel()
	var names []string
	for _, at := range []string{"acted:1", "receipted:2", "committing:1", "committing:2"} {
		names = append(names, "postgres/"+at, "mysql/"+at)
	}
	worlds := map[string]*template{"postgres": worldOn(onPostgres(), "delete").make(t), "mysql": worldOn(onMariaDB(), "delete").make(t)}
	together(t, names, func(t *testing.T, name string) {
		on, at, _ := strings.Cut(name, "/")
		tp := worlds[on]
		p, dir := tp.pausesRun(t, at)
		time.Sleep(shortLease + 200*time.Millisecond)
		next, out := retentiondProcess(t, dir, tp.runArgs(t, dir, false)...)
		next.Env = append(next.Env, envLease+"="+shortLease.String())
		must(t, next.Start())
		over := make(chan error, 1)
		go func() { over <- next.Wait() }()
		db := tp.on.open(t, dir)
		defer db.Close()
		until(t, "the next run neither waits nor ends", func() bool { return tp.on.waits(t, db) || len(over) > 0 })
		if code, said := p.goesOn(t); code != exitOK && (code != exitError || !strings.Contains(said, "another process took over")) {
			t.Errorf("the run that woke: exit code %d: %s", code, said)
		}
		code := exitCode(<-over)
		busy := code == exitError && strings.Contains(out.String(), "another run is at work") // the first one had a heartbeat left
		if code != exitOK && code != exitPartial && !busy {
			t.Errorf("the run that waited: exit code %d: %s", code, out)
		}
		tp.afterCrash(t, dir, 0)
		tp.recovers(t, dir, false, 0)
	})
}

const shopNever = sitePolicy + "    approve: never\n"

// runBeside starts a run, does something while it waits for a lock, and returns
// its answer.
func (s site) runBeside(want int, while func()) reply {
	s.Helper()
	db := s.on.open(s.T, s.dir)
	defer db.Close()
	cmd, _ := retentiondProcess(s.T, s.dir, "run", "--output", "json")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	must(s.T, cmd.Start())
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	until(s.T, "nobody waits for a lock", func() bool { return s.on.waits(s.T, db) || len(over) > 0 })
	if len(over) > 0 {
		s.Fatalf("the run did not wait: %s%s", out.String(), errs.String())
	}
	while()
	code := exitCode(<-over)
	return reply{s.T, code, out.String(), errs.String()}.wants(want, []string{"run"})
}

// TestContactWhileTheBatchWaits: a contact that commits while the deleting
// transaction waits for the prospect's row spares the prospect (L6).
func TestContactWhileTheBatchWaits(t *testing.T) {
	t.Parallel()
	policies := map[string]string{
		"delete": shopNever,
		"redact": strings.Replace(shopNever, "then: delete\n    approve", "then: redact\n    columns: {email: null}\n    approve", 1),
	}
	ways := map[string]string{"locked": "SELECT id FROM prospects WHERE id = 1 FOR UPDATE", "written": "UPDATE prospects SET status = 'open' WHERE id = 1"}
	for _, on := range onServers() {
		for action, policy := range policies {
			for way, lock := range ways {
				t.Run(fmt.Sprintf("%s/%s/%s", on, action, way), func(t *testing.T) {
					t.Parallel()
					s := newSiteOn(t, on, policy, shopRows())
					app := on.open(t, s.dir)
					defer app.Close()
					exec := func(texts ...string) {
						for _, q := range texts {
							if _, err := app.Exec(q); err != nil {
								t.Errorf("%s: %v", q, err)
							}
						}
					}
					exec("BEGIN", lock)
					contact := "INSERT INTO interactions VALUES (9, 1, '" + time.Now().UTC().Format(time.DateTime) + "')"
					r := s.runBeside(exitOK, func() { exec(contact, "COMMIT") })
					r.is("steps/0/done", "1")
					if got := s.query("crm.db", "SELECT id, email FROM prospects WHERE id = 1"); got != "1|ada@example.org" {
						t.Errorf("the prospect with a contact is %q: %s", got, r.out)
					}
					if got := s.query("crm.db", "SELECT count(*) FROM interactions WHERE prospect_id = 1"); got != "3" {
						t.Errorf("its contacts are %s, not 3", got)
					}
					if got := s.query("crm.db", "SELECT count(*) FROM prospects WHERE id = 2 AND email IS NOT NULL"); got != "0" {
						t.Errorf("the other one is still there")
					}
					s.do(exitOK, "audit", "verify")
				})
			}
		}
	}
}

// TestLockWaitLeavesNothingHalfDone: a child's row is locked by an application
// for longer than a batch waits. InnoDB then undoes a statement only; the batch
// undoes everything, and tries again, smaller.
func TestLockWaitLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s := newSiteOn(t, on, shopNever, shopRows())
			before := s.content("crm.db")
			app := on.open(t, s.dir)
			defer app.Close()
			if _, err := app.Exec("BEGIN; UPDATE interactions SET occurred_at = occurred_at WHERE id = 2"); err != nil {
				t.Fatal(err)
			}
			r := s.runBeside(exitOK, func() {
				until(t, "no batch was abandoned", func() bool {
					return s.query("crm.db", "SELECT count(*) FROM retentiond_receipt WHERE state = 'abandoned'") != "0"
				})
				if now := s.content("crm.db"); fmt.Sprint(now) != fmt.Sprint(before) {
					t.Errorf("half done:\nbefore %v\nafter  %v", before, now)
				}
				if _, err := app.Exec("COMMIT"); err != nil {
					t.Error(err)
				}
			})
			r.is("steps/0/done", "2", "steps/0/spared/failed", "0")
			if got := s.ids(); got != "3 4 5 6" {
				t.Errorf("rows %s", got)
			}
			s.do(exitOK, "audit", "verify")
		})
	}
}

// TestDeadlockIsTriedAgain: an application and a batch wait for each other, and
// the database ends the batch: it is undone, settled and tried again, and the
// application does not notice.
func TestDeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			heavy := "CREATE TABLE heavy (id INTEGER PRIMARY KEY, n INTEGER);"
			for i := range 500 {
				heavy += fmt.Sprintf("INSERT INTO heavy VALUES (%d, 0);", i)
			}
			s := newSiteOn(t, on, shopNever, shopRows()+heavy)
			app := on.open(t, s.dir)
			defer app.Close()
			// PostgreSQL ends who finds the deadlock: the batch, since it looks first.
			// InnoDB ends who wrote less.
			begin := map[string]string{"postgres": "SET deadlock_timeout = '1min'; ", "mysql": ""}[on.driver]
			if _, err := app.Exec(begin + "BEGIN; UPDATE heavy SET n = 1; UPDATE interactions SET occurred_at = occurred_at WHERE id = 2"); err != nil {
				t.Fatal(err)
			}
			r := s.runBeside(exitOK, func() {
				if _, err := app.Exec("UPDATE prospects SET email = 'new@example.org' WHERE id = 1; COMMIT"); err != nil {
					t.Errorf("the application noticed: %v", err)
				}
			})
			r.is("steps/0/done", "2", "steps/0/spared/failed", "0")
			if n := s.logged("batch.settled"); n == 0 {
				t.Error("no batch was abandoned: there was no deadlock")
			}
			s.do(exitOK, "audit", "verify")
		})
	}
}

// logged counts the entries of a kind in the audit log.
func (s site) logged(kind string) int {
	s.Helper()
	return strings.Count(s.do(exitOK, "audit", "list", "--output", "json").out, `"`+kind+`"`)
}
