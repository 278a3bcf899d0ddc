package main

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// badSite is the shop on a server, and beside it a source that nothing is wrong
// with: a file of three rows that are due.
func badSite(t *testing.T, on ground) site {
	t.Helper()
	s := newSiteOn(t, on, shopNever, shopRows())
	s.write("retentiond.yaml", strings.Replace(on.configure(siteConfig), "vaults:", "  bulk: {driver: sqlite, dsn: ./bulk.db}\nvaults:", 1))
	s.write("policies/bulk.yaml", strings.Replace(bulkPolicy, "then: delete}", "then: delete, approve: never}", 1))
	s.exec("bulk.db", "CREATE TABLE logs (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO logs VALUES (1, '2010-01-01 00:00:00'), (2, '2010-01-01 00:00:00'), (3, '2010-01-01 00:00:00')")
	return s
}

// badServers are ways in which a server cannot be used. Each makes the DSN of the
// configuration out of the good one.
var badServers = []struct {
	name, postgres, mysql string // what is said of it
	dsn                   func(s site, good string) string
}{
	{"wrong password", "does not accept the password", "does not take this user and password", func(s site, good string) string {
		return strings.Replace(good, s.on.passwordOf(s.T, good), "hunter2secret", 1)
	}},
	{"unknown host", "is not known", "is not known", func(s site, good string) string { return s.on.at(s.T, good, "no-such-host.invalid", "5432") }},
	{"nobody listens", "cannot be reached", "nothing answers", func(s site, good string) string { return s.on.at(s.T, good, "127.0.0.1", "1") }},
	{"unknown database", "does not exist", "has no database", func(_ site, good string) string {
		return strings.Replace(good, databaseOf(good), "no_such_database", 1)
	}},
	{"no DSN at all", "dsn", "dsn", func(site, string) string { return "hunter2secret" }},
}

// TestBadServer: a server that cannot be used is said in one line, its rules do
// not run, those of other sources do, and no password is in what is said (L13).
func TestBadServer(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		for _, bad := range badServers {
			t.Run(on.driver+"/"+bad.name, func(t *testing.T) {
				t.Parallel()
				s := badSite(t, on)
				says := map[string]string{"postgres": bad.postgres, "mysql": bad.mysql}[on.driver]
				s.failsAlone(bad.dsn(s, on.dsn(t, s.dir)), says)
			})
		}
	}
}

// failsAlone puts a DSN in that does not work, and wants it said.
func (s site) failsAlone(dsn, says string) {
	s.Helper()
	s.write(dsnFile, dsn)
	s.untouched("crm.db", func() {
		for _, args := range [][]string{{"plan"}, {"check"}, {"status"}, {"inventory"}, {"discover"}} {
			s.quiet(s.anyCode(args...), dsn)
		}
		s.quiet(s.do(exitRefused, "plan", "--output", "json"), dsn).is("refusals/len", "1", "refusals/0/code", "source_down").says(says)
		r := s.quiet(s.do(exitPartial, "run"), dsn)
		if n := strings.Count(r.out+r.err, says); n != 1 {
			s.Errorf("%q is said %d times: %s%s", says, n, r.out, r.err)
		}
	})
	if got := s.query("bulk.db", "SELECT count(*) FROM logs"); got != "0" {
		s.Errorf("%s rows of the other source are left", got)
	}
	s.do(exitOK, "audit", "verify")
	s.write(dsnFile, s.on.dsn(s.T, s.dir))
	s.do(exitOK, "run", "--output", "json").is("steps/len", "2")
}

// anyCode runs a command whatever it comes to.
func (s site) anyCode(args ...string) reply {
	s.Helper()
	cmd, out := retentiondProcess(s.T, s.dir, args...)
	return reply{s.T, exitCode(cmd.Run()), out.String(), ""}
}

// quiet wants no password of the DSN, right or wrong, in what was answered.
func (s site) quiet(r reply, dsn string) reply {
	s.Helper()
	for _, secret := range []string{"hunter2secret", s.on.passwordOf(s.T, s.on.dsn(s.T, s.dir))} {
		if strings.Contains(r.out+r.err, secret) {
			s.Errorf("a password is in the answer: %s%s", r.out, r.err)
		}
	}
	return r.wants(r.code, nil)
}

// TestTLSRequired: a server that takes connections with TLS only, and one that
// has none where the DSN asks for it.
func TestTLSRequired(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s := badSite(t, on.of(on.privateServer(t, servers.TLS)))
			plain, _, _ := strings.Cut(on.dsn(t, s.dir), "?")
			without := map[string]string{"postgres": "?sslmode=disable", "mysql": ""}[on.driver]
			s.failsAlone(plain+without, "TLS")
		})
		t.Run(on.driver+" has none", func(t *testing.T) {
			t.Parallel()
			s := badSite(t, on)
			plain, _, _ := strings.Cut(on.dsn(t, s.dir), "?")
			with := map[string]string{"postgres": "?sslmode=require", "mysql": "?tls=skip-verify"}[on.driver]
			s.failsAlone(plain+with, "TLS")
		})
	}
}

// TestNoPrivilegeOnOneTable: the step of that table fails with the grant that
// helps, and nothing of it is done; plan needs SELECT alone (L5).
func TestNoPrivilegeOnOneTable(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s := badSite(t, on)
			s.do(exitOK, "check", "--install")
			grants := []string{"SELECT, UPDATE, DELETE ON prospects", "SELECT, UPDATE ON interactions", "SELECT, INSERT, UPDATE, DELETE ON retentiond_gate", "SELECT, INSERT, UPDATE, DELETE ON retentiond_receipt"}
			if on.driver == "mysql" {
				grants = append(grants, "SELECT, TRIGGER ON *")
			}
			role := on.server(t).Role(t, on.dsn(t, s.dir), grants...)
			s.write(dsnFile, role)
			s.do(exitOK, "plan", "--output", "json").is("steps/len", "2")
			s.untouched("crm.db", func() {
				r := s.quiet(s.do(exitPartial, "run", "--output", "json"), role).says("interactions", "GRANT", "DELETE")
				if strings.Contains(r.out+r.err, on.passwordOf(t, role)) {
					t.Errorf("the role's password is in the answer: %s%s", r.out, r.err)
				}
			})
			if got := s.query("bulk.db", "SELECT count(*) FROM logs"); got != "0" {
				t.Errorf("%s rows of the other source are left", got)
			}
			s.write(dsnFile, on.dsn(t, s.dir))
			s.do(exitOK, "run", "--output", "json")
			if got := s.ids(); got != "3 4 5 6" {
				t.Errorf("rows %s", got)
			}
			s.do(exitOK, "audit", "verify")
		})
	}
}

// TestTableLocked: somebody keeps a table to himself for longer than a run waits.
func TestTableLocked(t *testing.T) {
	t.Parallel()
	locks := map[string]string{"postgres": "BEGIN; LOCK TABLE interactions IN ACCESS EXCLUSIVE MODE", "mysql": "LOCK TABLES interactions WRITE"}
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s := badSite(t, on)
			s.do(exitOK, "check", "--install")
			app := on.open(t, s.dir)
			defer app.Close()
			if _, err := app.Exec(locks[on.driver]); err != nil {
				t.Fatal(err)
			}
			r := s.anyCode("run", "--output", "json")
			if r.code != exitPartial && r.code != exitRefused {
				t.Errorf("exit code %d: %s", r.code, r.out)
			}
			r.says("lock")
			unlock(t, app, on)
			if got := s.ids(); got != "1 2 3 4 5 6" {
				t.Errorf("rows %s", got)
			}
			if got := s.query("bulk.db", "SELECT count(*) FROM logs"); got != "0" {
				t.Errorf("%s rows of the other source are left: %s", got, r.out)
			}
			s.do(exitOK, "run")
			if got := s.ids(); got != "3 4 5 6" {
				t.Errorf("rows %s", got)
			}
			s.do(exitOK, "audit", "verify")
		})
	}
}

func unlock(t *testing.T, app *sql.DB, on ground) {
	t.Helper()
	if _, err := app.Exec(map[string]string{"postgres": "ROLLBACK", "mysql": "UNLOCK TABLES"}[on.driver]); err != nil {
		t.Fatal(err)
	}
}

// TestThroughPgBouncer: a whole life through a pool in transaction mode: plan,
// crash, settle, run, hold.
func TestThroughPgBouncer(t *testing.T) {
	t.Parallel()
	on := onPostgres()
	tp := worldOn(on, "delete").make(t)
	pool := servers.PgBouncer(t, on.server(t))
	for i, at := range []string{"begun:1", "acted:2", "committed:2", "settling:1"} {
		t.Run(at, func(t *testing.T) {
			dir := tp.copy(t)
			tp.behind(t, dir, pool.Via)
			tp.commandIn(t, dir, exitOK, "check")
			tp.commandIn(t, dir, exitOK, placeArgs(33, 44)...)
			if at == "settling:1" {
				tp.dies(t, dir, envCrashAt+"=acted:2", tp.runArgs(t, dir, false)...)
			}
			tp.dies(t, dir, envCrashAt+"="+at, tp.runArgs(t, dir, i%2 == 0)...)
			tp.afterCrash(t, dir, 0)
			tp.commandIn(t, dir, exitOK, tp.runArgs(t, dir, false)...)
			tp.none(t, dir, "after the run", append(stayed(33, 44), "SELECT id FROM prospects WHERE NOT (person IN (33, 44) OR "+kept+")"))
			tp.settledOnce(t, dir)
			tp.commandIn(t, dir, exitOK, "audit", "verify")
		})
	}
}
