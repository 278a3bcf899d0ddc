package main

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// outage is something that keeps a shared state store from being written.
type outage struct {
	begin, end func(t *testing.T, s *servers.Server, dsn string)
}

// A shared state store that is down, stuck or read-only over a slot: nothing acts,
// /readyz says that the daemon is not ready, and it goes on by itself.
func TestServeStoreOutage(t *testing.T) {
	t.Parallel()
	var lock *sql.Tx
	for name, o := range map[string]outage{
		"down": {func(t *testing.T, s *servers.Server, _ string) { must(t, s.Kill()) }, func(t *testing.T, s *servers.Server, _ string) { must(t, s.Start()) }},
		"stuck": {func(t *testing.T, _ *servers.Server, dsn string) {
			db, err := sql.Open("postgres", dsn)
			must(t, err)
			t.Cleanup(func() { _ = db.Close() })
			lock, err = db.Begin()
			must(t, err)
			_, err = lock.Exec("LOCK TABLE retentiond.schedules, retentiond.meta IN ACCESS EXCLUSIVE MODE")
			must(t, err)
		}, func(t *testing.T, _ *servers.Server, _ string) { must(t, lock.Rollback()) }},
		"read-only": {func(t *testing.T, s *servers.Server, _ string) { standby(t, s, true) }, func(t *testing.T, s *servers.Server, _ string) { standby(t, s, false) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := onPostgres().privateServer(t)
			s := newSiteWith(t, daemonPolicy, siteSQL)
			dsn := s.stateOn(server)
			at := listener(t)
			d := s.serve("RETENTIOND_HTTP_LISTEN=" + at)
			ready := func(want int) func() bool {
				return func() bool { code, _ := asks(at, "/readyz"); return code == want }
			}
			until(t, "it is not ready", ready(http.StatusOK))
			until(t, "the first slot was not run", func() bool { return s.ids() == "3 4 5 6" })
			s.due(7)
			o.begin(t, server, dsn)
			s.untouched("crm.db", func() {
				time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute + 2*time.Second))) // a slot comes
				until(t, "it is ready without a store", ready(http.StatusServiceUnavailable))
			})
			if code, _ := asks(at, "/healthz"); code != http.StatusOK {
				t.Errorf("/healthz: %d", code)
			}
			o.end(t, server, dsn)
			until(t, "it did not go on by itself", func() bool { return s.ids() == "3 4 5 6" })
			until(t, "it is not ready again", ready(http.StatusOK))
			d.stops(syscall.SIGTERM, exitOK)
			s.do(exitOK, "audit", "verify")
		})
	}
}

// standby makes a server one that only reads, or a primary again.
func standby(t *testing.T, s *servers.Server, is bool) {
	t.Helper()
	must(t, s.Stop())
	signal := filepath.Join(filepath.Dir(s.Log()), "data", "standby.signal")
	if is {
		must(t, os.WriteFile(signal, nil, 0o644))
	} else {
		must(t, os.Remove(signal))
	}
	must(t, s.Start())
}

// A state file on a disk that fills up over a slot, where this user may mount one:
// nothing acts, /readyz says so, and it goes on once there is room.
func TestServeOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	s.write("disk/keep", "")
	if err := syscall.Mount("tmpfs", s.path("disk"), "tmpfs", 0, "size=1m"); err != nil {
		t.Logf("no disk of its own (%v): TestServeStoreLocked stands in", err)
		return
	}
	t.Cleanup(func() { _ = syscall.Unmount(s.path("disk"), 0) })
	s.write("retentiond.yaml", strings.NewReplacer("./state.db", "./disk/state.db", "./audit.key", "./disk/audit.key").Replace(siteConfig))
	at := listener(t)
	d := s.serve(soon(15*time.Second), "RETENTIOND_HTTP_LISTEN="+at)
	until(t, "it is not ready", func() bool { code, _ := asks(at, "/readyz"); return code == http.StatusOK })
	fill(t, s.path("disk/ballast"))
	s.untouched("crm.db", func() {
		d.says("the state store does not answer")
		until(t, "it is ready with a full disk", func() bool { code, _ := asks(at, "/readyz"); return code == http.StatusServiceUnavailable })
	})
	s.remove("disk/ballast")
	until(t, "it did not go on by itself", func() bool { return s.ids() == "3 4 5 6" })
	until(t, "it is not ready again", func() bool { code, _ := asks(at, "/readyz"); return code == http.StatusOK })
	d.stops(syscall.SIGTERM, exitOK)
	s.do(exitOK, "audit", "verify")
}

// A daemon that is asked to stop while it waits for its state store ends well, and
// one whose state store cannot be meant ends at once, with 2.
func TestServeBeforeItWorks(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	s.write("retentiond.yaml", strings.Replace(siteConfig, "./state.db", "./later/state.db", 1))
	d := s.start()
	d.says("the state store cannot be opened")
	d.stops(syscall.SIGTERM, exitOK)
	for _, state := range []string{"sqlite:./state.db?mode=ro", "postgres://localhost/x?schema=No-Name"} {
		s.write("retentiond.yaml", strings.Replace(siteConfig, "sqlite:./state.db", state, 1))
		s.do(exitUsage, "serve").oneError("state")
		s.do(exitUsage, "status").oneError("state")
	}
}
