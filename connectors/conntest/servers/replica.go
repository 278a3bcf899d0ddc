package servers

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

const replicaWithin = 30 * time.Second

// Replica is a server that streams what its primary commits and serves reads.
// It has the primary's users and databases; use [Replica.Via] for their DSNs.
type Replica struct {
	*Server
	primary *Server
}

// Replica starts a streaming replica of a server of the test's own, and returns
// when it has caught up. It ends with the test.
func (s *Server) Replica(t testing.TB) *Replica {
	t.Helper()
	if err := s.mine("copied"); err != nil {
		t.Fatal(err)
	}
	r := &Replica{Server: &Server{engine: s.engine, addr: s.addr, conf: s.conf}, primary: s}
	r.conf.args = slices.Clone(s.conf.args)
	if err := r.build(func() error { return s.engine.prepareReplica(s, r.Server) }); err != nil {
		t.Fatal(err)
	}
	endWith(t, r.Server)
	if err := s.engine.follow(s, r.Server); err != nil {
		t.Fatalf("replica: %v", err)
	}
	r.CatchUp(t)
	return r
}

// Via returns the primary's DSN with the replica's address.
func (r *Replica) Via(t testing.TB, dsn string) string {
	t.Helper()
	return r.via(t, dsn, r.addr.host, r.addr.port)
}

// Pause stops the replay: the replica receives what the primary commits and does
// not show it, until [Replica.Resume]. Replay has stopped when it returns.
func (r *Replica) Pause(t testing.TB) {
	t.Helper()
	if err := r.admin(r.engine.pause); err != nil {
		t.Fatalf("pause the replica: %v", err)
	}
}

// Resume lets a paused replica replay again.
func (r *Replica) Resume(t testing.TB) {
	t.Helper()
	if err := r.admin(r.engine.resume); err != nil {
		t.Fatalf("resume the replica: %v", err)
	}
}

// CatchUp returns when the replica shows all that the primary has committed by now.
func (r *Replica) CatchUp(t testing.TB) {
	t.Helper()
	err := r.primary.admin(func(primary *sql.DB) error {
		return r.admin(func(replica *sql.DB) error { return r.engine.catchUp(primary, replica) })
	})
	if err != nil {
		t.Fatalf("replica: %v\n%s", err, r.logTail())
	}
}

// poll asks until the answer is yes.
func poll(db *sql.DB, query string, args ...any) error {
	for end := time.Now().Add(replicaWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var yes sql.NullBool
		if err := db.QueryRow(query, args...).Scan(&yes); err != nil {
			return err
		}
		if yes.Bool {
			return nil
		}
	}
	return fmt.Errorf("not within %s: %s", replicaWithin, query)
}

func (p postgres) prepareReplica(s, r *Server) error {
	backup, err := p.tool("pg_basebackup")
	if err != nil {
		return err
	}
	r.conf.args = append(r.conf.args, "hot_standby=on", "wal_retrieve_retry_interval=100ms")
	return r.keeper.run(backup, "-d", s.Admin(), "-D", r.dir+"/data", "--write-recovery-conf",
		"--wal-method=stream", "--checkpoint=fast", "--no-sync")
}

// follow: standby.signal and primary_conninfo are in the copy.
func (postgres) follow(_, _ *Server) error { return nil }

func (postgres) pause(db *sql.DB) error {
	if _, err := db.Exec("SELECT pg_wal_replay_pause()"); err != nil {
		return err
	}
	return poll(db, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
}

func (postgres) resume(db *sql.DB) error {
	_, err := db.Exec("SELECT pg_wal_replay_resume()")
	return err
}

func (postgres) catchUp(primary, replica *sql.DB) error {
	var at string
	if err := primary.QueryRow("SELECT pg_current_wal_lsn()").Scan(&at); err != nil {
		return err
	}
	return poll(replica, "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", at)
}

// prepareReplica makes an empty server: the primary's binary log goes back to
// its first start and is replayed from there.
func (m mariadb) prepareReplica(_, r *Server) error {
	r.conf.args = append(r.conf.args, "read-only=ON", "relay-log=relay")
	return m.prepare(r)
}

func (mariadb) follow(s, r *Server) error {
	change := fmt.Sprintf("CHANGE MASTER TO MASTER_HOST = '%s', MASTER_PORT = %d, MASTER_USER = '%s', MASTER_PASSWORD = '%s',"+
		" MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1", s.addr.host, s.addr.port, s.addr.user, s.addr.password)
	if s.conf.tls {
		change += ", MASTER_SSL = 1"
	}
	return r.load(r.Admin(), change+"; START SLAVE")
}

func (mariadb) pause(db *sql.DB) error {
	_, err := db.Exec("STOP SLAVE SQL_THREAD")
	return err
}

func (mariadb) resume(db *sql.DB) error {
	_, err := db.Exec("START SLAVE SQL_THREAD")
	return err
}

func (mariadb) catchUp(primary, replica *sql.DB) error {
	var at string
	if err := primary.QueryRow("SELECT @@gtid_binlog_pos").Scan(&at); err != nil {
		return err
	}
	var timeout sql.NullInt64
	err := replica.QueryRow(fmt.Sprintf("SELECT MASTER_GTID_WAIT('%s', %d)", at, int(replicaWithin.Seconds()))).Scan(&timeout)
	if err == nil && timeout.Int64 != 0 {
		err = errors.New("it does not reach the primary: is it paused?")
	}
	return err
}
