package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

const sidePolicy = siteHead + `datasets:
  a: {table: a, subject: {person: id}}
  b: {table: b, subject: {person: id}}
  c: {table: c, subject: {person: id}}
rules:
  - {id: a, title: A, dataset: a, from: at, keep: 1 year, then: delete}
  - {id: b, title: B, dataset: b, from: at, keep: 1 year, then: delete}
  - {id: c, title: C, dataset: c, from: at, keep: 1 year, then: delete}
`

const sideRows = `
CREATE TABLE a (id INTEGER PRIMARY KEY, at TIME);
CREATE INDEX a_at ON a (at);
CREATE TABLE b (id INTEGER PRIMARY KEY, at TIME);
CREATE INDEX b_at ON b (at);
CREATE TABLE c (id INTEGER PRIMARY KEY, at TIME);
CREATE INDEX c_at ON c (at);
INSERT INTO a VALUES (1, '2015-03-01 10:00:00'), (2, '2016-05-02 10:00:00');
INSERT INTO b VALUES (1, '2015-03-01 10:00:00'), (2, '2016-05-02 10:00:00');
INSERT INTO c VALUES (1, '2015-03-01 10:00:00'), (2, '2016-05-02 10:00:00');
`

// sideSites are the sources and the state stores on which runs work side by side.
func sideSites(t *testing.T, test func(t *testing.T, s site)) {
	for _, on := range []ground{{}, onPostgres()} {
		for _, shared := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/shared=%t", on, shared), func(t *testing.T) {
				t.Parallel()
				s := newSiteOn(t, on, sidePolicy, sideRows)
				if shared {
					s.stateOn(servers.Postgres(t))
				}
				test(t, s)
			})
		}
	}
}

// stopped starts a run of a rule that stops itself at a point, as a stalled
// machine would.
func (s site) stopped(at, rule string) paused {
	s.Helper()
	cmd, out := retentiondProcess(s.T, s.dir, "run", "--rule", rule, "--approve", "--by", "Ada")
	cmd.Env = append(cmd.Env, envStopAt+"="+at)
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	p := paused{cmd, out, func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }}
	s.Cleanup(p.kill)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		s.Fatalf("%s: it did not stop: %v, status %v: %s", at, err, status, out)
	}
	return p
}

// Runs of different rules work side by side on one source, as many as it has
// seats; each leaves the other's open batch alone.
func TestRunsSideBySide(t *testing.T) {
	sideSites(t, func(t *testing.T, s site) {
		s.do(exitOK, "check", "--install")
		first := s.stopped("intended:1", "a")
		s.do(exitOK, "run", "--rule", "b", "--approve", "--by", "Ada", "--output", "json").is("verdict", "ok", "steps/0/done", "2")
		s.do(exitError, "run", "--rule", "a").oneError("rule shop/a is taken by r-")
		s.do(exitError, "run").oneError("rule shop/a is taken by r-")
		s.exec("crm.db", "INSERT INTO b VALUES (3, '2015-03-01 10:00:00')")
		second := s.stopped("intended:1", "b")
		s.do(exitError, "run", "--rule", "c", "--output", "json").is("error/code", "busy").says("seat 2 of source crm is taken by r-")
		s.do(exitOK, "status", "--output", "json").is("leases/0/names/0", "rule:shop/a", "leases/1/names/1", "source:crm#1")
		for _, p := range []paused{first, second} {
			if code, said := p.goesOn(t); code != exitOK {
				t.Errorf("a run that others worked beside: exit code %d: %s", code, said)
			}
		}
		s.do(exitOK, "run", "--rule", "c", "--approve", "--by", "Ada")
		for _, table := range []string{"a", "b", "c"} {
			if left := s.query("crm.db", "SELECT count(*) FROM "+table); left != "0" {
				t.Errorf("%s rows are left in %s", left, table)
			}
		}
		if said := s.do(exitOK, "audit", "list").out; strings.Contains(said, "batch.settled") {
			t.Errorf("a batch of a run that lived was settled by another: %s", said)
		}
		s.do(exitOK, "audit", "verify")
	})
}

// A run that died leaves an open batch; any other run settles it, whatever its
// rule, while those of the living stay theirs.
func TestStrayIsSettledBesideTheLiving(t *testing.T) {
	sideSites(t, func(t *testing.T, s site) {
		s.do(exitOK, "check", "--install")
		dead := s.stopped("acted:1", "a")
		dead.kill()
		alive := s.stopped("intended:1", "b")
		s.do(exitOK, "run", "--rule", "c", "--approve", "--by", "Ada")
		said := s.do(exitOK, "audit", "list").out
		if n := strings.Count(said, "batch.settled"); n != 1 {
			t.Errorf("%d batches are settled, want that of the dead run: %s", n, said)
		}
		if code, said := alive.goesOn(t); code != exitOK {
			t.Errorf("the living run: exit code %d: %s", code, said)
		}
		s.do(exitOK, "run")
		if left := s.query("crm.db", "SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b) + (SELECT count(*) FROM c)"); left != "0" {
			t.Errorf("%s rows are left", left)
		}
		s.do(exitOK, "audit", "verify")
	})
}
