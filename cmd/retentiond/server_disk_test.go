package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

// TestServerDiskFull fills the server's disk in the middle of a run: on PostgreSQL with
// room left in its log, and with none, which ends the server; MariaDB waits for room in
// its binary log, and the run does not wait with it. The step fails with words; nothing
// is lost, nothing goes unaudited, and once there is room the next run finishes.
func TestServerDiskFull(t *testing.T) {
	t.Parallel()
	if !servers.CanMount() {
		t.Log("a disk of its own takes root and the right to mount: not run")
		return
	}
	small := map[string][]servers.Option{
		"postgres": {servers.Disk("150m"), servers.Set("max_wal_size", "32MB"), servers.Set("min_wal_size", "32MB")},
		"mysql":    {servers.Disk("150m"), servers.Set("innodb-log-file-size", "8M")},
	}
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s := on.privateServer(t, small[on.driver]...)
			tp := worldOn(on.of(s), "delete").make(t)
			if on.driver == "mysql" {
				tp.fills(t, s, false, 100*time.Second)
				return
			}
			for _, log := range []bool{false, true} {
				t.Run(map[bool]string{false: "tables", true: "log too"}[log], func(t *testing.T) { tp.fills(t, s, log, 20*time.Second) })
			}
		})
	}
}

func (tp *template) fills(t *testing.T, s *servers.Server, log bool, room time.Duration) {
	dir := tp.copy(t)
	var once sync.Once
	full := retention.PointIntended // no receipt has been written: its table needs room
	if log || tp.on.driver == "mysql" {
		full = retention.PointConcluded
	}
	freed := make(chan error, 1)
	began := time.Now()
	code, said := tp.runTold(t, dir, func(p retention.Point) {
		if p != full {
			return
		}
		once.Do(func() {
			s.Fill(t)
			if log {
				tp.spends(t, dir)
				s.Fill(t)
			}
			time.AfterFunc(room, func() { freed <- s.Free() })
		})
	})
	if took := time.Since(began); took > room+5*time.Second {
		t.Errorf("the run took %s", took)
	}
	must(t, <-freed)
	must(t, s.Recover())
	tp.toldOfIt(t, dir, code, said)
	if code != exitPartial || !strings.Contains(said, map[string]string{"postgres": "", "mysql": "has not answered a commit"}[tp.on.driver]) {
		t.Errorf("exit code %d: %s", code, said)
	}
	tp.settles(t, dir)
	tp.afterCrash(t, dir, 0)
	tp.recovers(t, dir, false, 0)
}

// settles waits until no session of the server is in the middle of a commit: MariaDB
// looks each minute whether there is room.
func (tp *template) settles(t *testing.T, dir string) {
	t.Helper()
	if tp.on.driver != "mysql" {
		return
	}
	db := tp.on.open(t, dir)
	defer db.Close()
	until(t, "a session still commits", func() bool {
		return len(query(t, db, "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() AND command <> 'Sleep'")) == 0
	})
}

// spends writes to PostgreSQL's log until it can take no more.
func (tp *template) spends(t *testing.T, dir string) {
	t.Helper()
	db := tp.on.open(t, dir)
	defer db.Close()
	for range 400 {
		if _, err := db.Exec("SELECT pg_logical_emit_message(true, 'x', repeat('y', 500000))"); err != nil {
			return
		}
	}
	t.Error("the log took everything")
}
