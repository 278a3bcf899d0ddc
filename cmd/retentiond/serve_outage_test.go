package main

import (
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// outage is something that keeps a shared state store from being written.
type outage struct {
	begin, end func(t *testing.T, s *servers.Server, dsn string)
}

// A shared state store that is down, stuck, slow, read-only or full over a slot:
// nothing acts, /readyz says that the daemon is not ready, and it goes on by itself.
func TestServeStoreOutage(t *testing.T) {
	t.Parallel()
	var lock *sql.Tx
	var latency atomic.Int64
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
		"slow": {func(*testing.T, *servers.Server, string) { latency.Store(int64(20 * time.Second)) }, func(*testing.T, *servers.Server, string) { latency.Store(0) }},
		"full": {fullDisk, func(t *testing.T, s *servers.Server, _ string) {
			must(t, syscall.Mount("tmpfs", diskOf(s), "tmpfs", syscall.MS_REMOUNT, "size=80m"))
		}},
		"read-only": {func(t *testing.T, s *servers.Server, _ string) { standby(t, s, true) }, func(t *testing.T, s *servers.Server, _ string) { standby(t, s, false) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := onPostgres().privateServer(t)
			s := newSiteWith(t, daemonPolicy, siteSQL)
			dsn := s.stateOn(server)
			if name == "slow" {
				s.write("retentiond.yaml", strings.ReplaceAll(s.read("retentiond.yaml"), server.Addr(), slowly(t, server.Addr(), &latency)))
			}
			if name == "full" && !diskForState(t, server, dsn) {
				return
			}
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

// slowly forwards to a server, each answer after that time.
func slowly(t *testing.T, to string, latency *atomic.Int64) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	forward := func(into, from net.Conn, wait bool) {
		defer into.Close()
		for b := make([]byte, 32<<10); ; {
			n, err := from.Read(b)
			if err != nil {
				return
			}
			for end := time.Now().Add(time.Duration(latency.Load())); wait && time.Now().Before(end) && latency.Load() > 0; {
				time.Sleep(20 * time.Millisecond)
			}
			if _, err := into.Write(b[:n]); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			go forward(server, client, false)
			go forward(client, server, true)
		}
	}()
	return l.Addr().String()
}

// diskForState moves a database to a disk of its own, where this user may mount one.
func diskForState(t *testing.T, s *servers.Server, dsn string) bool {
	t.Helper()
	disk := diskOf(s)
	must(t, os.Mkdir(disk, 0o700))
	owner, err := os.Stat(filepath.Dir(s.Log()))
	must(t, err)
	st := owner.Sys().(*syscall.Stat_t)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=40m,mode=0700,uid=%d,gid=%d", st.Uid, st.Gid)); err != nil {
		t.Logf("no disk of its own (%v): the other outages stand in", err)
		return false
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	u, err := url.Parse(dsn)
	must(t, err)
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	onSQL(t, u.String(), "CREATE TABLESPACE small LOCATION '"+disk+"'", "ALTER DATABASE "+name+" SET TABLESPACE small")
	return true
}

// diskOf is where the small disk is mounted.
func diskOf(s *servers.Server) string { return filepath.Join(filepath.Dir(s.Log()), "small") }

// fullDisk fills the small disk, and what is free on pages of the store's tables is
// kept from being used, so that whatever is recorded next finds no room.
func fullDisk(t *testing.T, _ *servers.Server, dsn string) {
	t.Helper()
	onSQL(t, dsn, `DO $$ DECLARE r record; BEGIN
		FOR r IN SELECT tablename FROM pg_tables WHERE schemaname = 'retentiond' LOOP EXECUTE format('ALTER TABLE retentiond.%I SET (fillfactor = 10)', r.tablename); END LOOP; END $$`,
		"INSERT INTO retentiond.slots (policy, rule_set, slot, zone, due, state, ended, reason) SELECT 'other', rule_set, slot, zone, due, state, ended, repeat('x', 1500) FROM retentiond.slots LIMIT 1",
		"CREATE TABLE ballast (b text)", "ALTER TABLE ballast ALTER COLUMN b SET STORAGE PLAIN")
	db, err := sql.Open("postgres", dsn)
	must(t, err)
	defer db.Close()
	for rows := 1000; rows > 0; {
		if _, err := db.Exec("INSERT INTO ballast SELECT repeat('x', 7000) FROM generate_series(1, $1)", rows); err == nil {
			continue
		} else if !strings.Contains(err.Error(), "No space left") {
			t.Fatal(err)
		}
		rows /= 4
	}
}

// onSQL runs statements on a PostgreSQL database.
func onSQL(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	must(t, err)
	defer db.Close()
	for _, q := range statements {
		_, err := db.Exec(q)
		must(t, err)
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
