package main

import (
	"database/sql"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A state store that cannot be written stops everything; when it can be again, what
// was due is run, without anybody's doing.
func TestServeStoreLocked(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	at := listener(t)
	d := s.serve(soon(4*time.Second), "RETENTIOND_HTTP_LISTEN="+at)
	until(t, "it is not ready", func() bool { code, _ := asks(at, "/readyz"); return code == http.StatusOK })
	s.use("state.db", func(db *sql.DB) {
		for _, q := range []string{"PRAGMA locking_mode = NORMAL", "BEGIN IMMEDIATE"} {
			if _, err := db.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		s.untouched("crm.db", func() { d.says("the state store does not answer") })
		if code, body := asks(at, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, `"state":"down"`) {
			t.Errorf("a store that cannot be written: %d %s", code, body)
		}
		s.do(exitError, "healthcheck", "--ready", "--address", at)
		if _, err := db.Exec("ROLLBACK"); err != nil {
			t.Fatal(err)
		}
	})
	d.says("answers again")
	until(t, "it is not ready again", func() bool { code, _ := asks(at, "/readyz"); return code == http.StatusOK })
	until(t, "the slot was not run", func() bool { return s.slots() == "done:1" })
	d.stops(syscall.SIGTERM, exitOK)
	if got := s.ids(); got != "3 4 5 6" {
		t.Errorf("rows %s", got)
	}
	s.do(exitOK, "audit", "verify")
}

// A state store that is not there yet is waited for.
func TestServeWaitsForTheStore(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	s.write("retentiond.yaml", strings.Replace(siteConfig, "./state.db", "./later/state.db", 1))
	s.do(exitError, "status")
	d := s.start(soon(40 * time.Second))
	d.says("the state store cannot be opened")
	if err := os.Mkdir(s.path("later"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.says(`"serving"`)
	d.stops(syscall.SIGTERM, exitOK)
}

// At the first start, before there is an audit key, a state database that is not there
// yet is waited for too. A key that others may use is told of.
func TestServeWaitsBeforeTheFirstKey(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	s.write("retentiond.yaml", strings.Replace(siteConfig, "sqlite:./state.db", "postgres://nobody@127.0.0.1:1/none?sslmode=disable", 1))
	d := s.start(soon(40 * time.Second))
	d.says("the state store cannot be opened")
	d.stops(syscall.SIGTERM, exitOK)
	s.write("retentiond.yaml", siteConfig)
	s.do(exitOK, "check")
	if err := os.Chmod(s.path("audit.key"), 0o640); err != nil {
		t.Fatal(err)
	}
	s.do(exitOK, "check").says("chmod 600")
	d = s.start(soon(40 * time.Second))
	d.says("chmod 600")
	d.stops(syscall.SIGTERM, exitOK)
}

// The service manager is told when the daemon is ready, what it does, and that it
// stops.
func TestServeTellsTheServiceManager(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	socket, said := listen(t)
	d := s.serve(soon(3*time.Second), "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=300000")
	until(t, "the slot was not run", func() bool { return s.slots() == "done:1" })
	until(t, "the watchdog was not told", func() bool { return strings.Count(said(), "WATCHDOG=1") > 2 })
	d.stops(syscall.SIGTERM, exitOK)
	until(t, "it did not say that it stops", func() bool { return strings.Contains(said(), "STOPPING=1") })
	for _, text := range []string{"READY=1", "STATUS=running the slot", "STATUS=waiting for the next slot"} {
		if !strings.Contains(said(), text) {
			t.Errorf("it did not say %q: %s", text, said())
		}
	}
}

// A hold is in force beside a daemon at work, and what it holds stays.
func TestServeHonoursHolds(t *testing.T) {
	t.Parallel()
	const rows = 40_000
	s := bulkDaemon(t, rows)
	d := s.serve(soon(3 * time.Second))
	d.working(rows)
	s.do(exitOK, "hold", "place", "--matter", "M1", "--dataset", "bulk/logs", "--reason", "claim", "--by", "Ada")
	held := s.logs()
	until(t, "the slot was not done", func() bool { return s.slots() == "done:1" })
	d.stops(syscall.SIGTERM, exitOK)
	if s.logs() != held || held == "0" {
		t.Errorf("%s rows when the hold was in force, %s after the run", held, s.logs())
	}
}
