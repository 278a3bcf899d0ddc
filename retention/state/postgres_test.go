package state

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// at is a bench on a server's DSN, by the server's own clock.
func at(t *testing.T, dsn string) *bench {
	t.Helper()
	return &bench{t: t, on: onServer, dir: t.TempDir(), dsn: dsn, at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func changed(t *testing.T, dsn string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(dsn)
	must(t, err)
	change(u)
	return u.String()
}

// Each way not to reach a store is one line with its remedy, without password, and
// asks for its key in the same words.
func TestServersThatAreNotThere(t *testing.T) {
	good := servers.Postgres(t).Database(t)
	const secret = "PW-SECRET"
	for want, dsn := range map[string]string{
		"does not accept the password": changed(t, good, func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), secret) }),
		"the database does not exist":  changed(t, good, func(u *url.URL) { u.Path = "/nosuch" }),
		"is not known":                 changed(t, good, func(u *url.URL) { u.Host = "no-such-host.invalid:5432"; u.User = url.UserPassword("u", secret) }),
		"cannot be reached":            changed(t, good, func(u *url.URL) { u.Host = "127.0.0.1:1"; u.User = url.UserPassword("u", secret) }),
		"has no TLS":                   changed(t, good, func(u *url.URL) { u.RawQuery = "" }),
		"%-form":                       "postgres://u:" + secret + "%zz@h/db",
		"schema \"A B\"":               changed(t, good, func(u *url.URL) { u.RawQuery += "&schema=A+B" }),
	} {
		b := at(t, dsn)
		s, err := Open(t.Context(), b.options())
		if err == nil {
			must(t, s.Close())
			t.Errorf("%s: opened", want)
			continue
		}
		_, keyless := KeyOf(t.Context(), dsn)
		for _, err := range []error{err, keyless} {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n") {
				t.Errorf("want %q, got %v", want, err)
			}
		}
	}
}

func TestSchemaOfSomethingElse(t *testing.T) {
	server := servers.Postgres(t)
	dsn := server.Database(t)
	server.Load(t, dsn, "CREATE SCHEMA retentiond; CREATE TABLE retentiond.customers (id int)")
	if _, err := Open(t.Context(), at(t, dsn).options()); err == nil || !strings.Contains(err.Error(), "its schema retentiond is of something else; name another with ?schema=NAME") {
		t.Errorf("got %v", err)
	}
	b := at(t, dsn+"&schema=other")
	b.Store = b.open()
	b.fill(1)
	if r := b.verify(); !r.OK {
		t.Errorf("verify: %+v", r)
	}
	latin := server.Database(t)
	server.Load(t, latin, "CREATE DATABASE latin_state ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
	defer server.Load(t, latin, "DROP DATABASE latin_state")
	if _, err := Open(t.Context(), at(t, changed(t, latin, func(u *url.URL) { u.Path = "/latin_state" })).options()); err == nil || !strings.Contains(err.Error(), "ENCODING 'UTF8'") {
		t.Errorf("got %v", err)
	}
}

// A role needs no more than a schema of its own; without one it is told what helps.
func TestPrivilegesOfTheStore(t *testing.T) {
	server := servers.Postgres(t)
	dsn := server.Database(t)
	role := server.Role(t, dsn)
	_, err := Open(t.Context(), at(t, role).options())
	if err == nil || !strings.Contains(err.Error(), "CREATE SCHEMA retentiond AUTHORIZATION") {
		t.Fatalf("without any privilege: %v", err)
	}
	u, err := url.Parse(role)
	must(t, err)
	server.Load(t, dsn, `CREATE SCHEMA retentiond AUTHORIZATION "`+u.User.Username()+`"`)
	b := at(t, role)
	b.Store = b.open()
	b.fill(2)
	server.Load(t, dsn, `ALTER ROLE "`+u.User.Username()+`" SET default_transaction_read_only = on`)
	b.fill(1) // what a role sets does not decide
	reader := server.Role(t, dsn, "USAGE ON SCHEMA retentiond", "SELECT ON ALL TABLES IN SCHEMA retentiond")
	o := b.options()
	o.DSN = reader
	s, err := Open(t.Context(), o)
	must(t, err)
	_, err = s.Record(t.Context(), audit.Event{Kind: audit.Access})
	must(t, s.Close())
	if err == nil || !strings.Contains(err.Error(), "privilege is missing") {
		t.Errorf("a role that may only read wrote: %v", err)
	}
}

// Through a pooler in transaction mode, whatever it leaves in sessions; and what
// one session is set to does not matter.
func TestThroughAPooler(t *testing.T) {
	server := servers.Postgres(t)
	dsn := server.Database(t)
	b := at(t, servers.PgBouncer(t, server).Via(t, dsn))
	b.Store = b.open()
	dirty, err := sql.Open("postgres", b.dsn)
	must(t, err)
	defer dirty.Close()
	_, err = dirty.Exec("SET search_path = pg_catalog; SET TimeZone = 'Asia/Tokyo'; SET standard_conforming_strings = off; SET synchronous_commit = off; SET bytea_output = 'escape'")
	must(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if _, err := b.Record(t.Context(), audit.Event{Kind: audit.Access}); err != nil {
					t.Error(err)
				}
				if err := b.HoldsFitLog(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if r := b.open(); r.UUID() != b.UUID() {
		t.Error("another store")
	}
	if r := b.verify(); !r.OK || r.Size != 40 {
		t.Errorf("verify: %+v", r)
	}
}

func TestStandbyAndUndurable(t *testing.T) {
	primary := servers.NewPostgres(t, servers.Set("wal_level", "replica"))
	dsn := primary.Database(t)
	b := at(t, dsn)
	b.Store = b.open()
	b.fill(1)
	replica := primary.Replica(t)
	replica.CatchUp(t)
	o := b.options()
	o.DSN = replica.Via(t, dsn)
	s, err := Open(t.Context(), o)
	must(t, err) // whoever only looks may
	_, err = s.Record(t.Context(), audit.Event{Kind: audit.Access})
	must(t, s.Close())
	if err == nil || !strings.Contains(err.Error(), "is a standby") {
		t.Errorf("written to a standby: %v", err)
	}
	loose := servers.NewPostgres(t, servers.Set("fsync", "off"))
	if _, err := Open(t.Context(), at(t, loose.Database(t)).options()); err == nil || !strings.Contains(err.Error(), "fsync=off") {
		t.Errorf("a server that may forget: %v", err)
	}
}

// The clock that decides is the server's; the process' own is never asked.
func TestServersClock(t *testing.T) {
	b := at(t, schemaOf(t))
	o := b.options()
	o.ForceClock, o.Clock = false, func() time.Time { return time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC) }
	s, err := Open(t.Context(), o)
	must(t, err)
	defer s.Close()
	now, err := s.Now(t.Context())
	must(t, err)
	l, err := s.Lease(t.Context(), "one", []string{"rule:p/a"})
	must(t, err)
	if d := time.Since(now).Abs(); d > time.Minute || l.Until.Before(now) {
		t.Errorf("the store's clock is %s, the lease lasts until %s", now, l.Until)
	}
}

// Where the connection is lost before COMMIT, nothing is stored and the write is
// made again; where its reply is lost, the write is there once, and the caller is
// told that it is not known.
func TestLostCommits(t *testing.T) {
	server := servers.Postgres(t)
	b := at(t, server.Database(t))
	proxy := servers.NewProxy(t, server)
	straight := b.dsn
	b.dsn = proxy.Via(t, b.dsn)
	b.Store = b.open()
	b.dsn = straight
	sure, ctx := b.open(), t.Context()
	l, err := b.Lease(ctx, "one", []string{"rule:p/a"})
	must(t, err)
	proxy.LoseReplies(1)
	if err := b.Intend(ctx, intent("i1", l)); !errors.Is(err, ErrUnknown) {
		t.Errorf("a lost reply: %v", err)
	}
	if open, err := sure.OpenIntents(ctx); err != nil || len(open) != 1 {
		t.Errorf("open: %+v, %v", open, err)
	}
	proxy.LoseReplies(1)
	if err := b.Conclude(ctx, "i1", retention.Outcome{Done: 10}, false); !errors.Is(err, ErrUnknown) {
		t.Errorf("a lost reply: %v", err)
	}
	if err := b.Conclude(ctx, "i1", retention.Outcome{}, true); !errors.Is(err, retention.ErrDecided) {
		t.Errorf("an outcome that was stored: %v", err)
	}
	proxy.LoseCommits(1)
	if err := b.Intend(ctx, intent("i2", l)); !errors.Is(err, ErrUnknown) {
		t.Errorf("a lost commit: %v", err)
	}
	if open, err := sure.OpenIntents(ctx); err != nil || len(open) != 0 {
		t.Errorf("open: %+v, %v", open, err)
	}
	proxy.Cut() // every session of the pool is dead: BEGIN goes to a new one
	must(t, b.Intend(ctx, intent("i2", l)))
	if r := b.verify(); !r.OK || r.Size != 3 {
		t.Errorf("verify: %+v", r)
	}
}

// A server that is killed and comes back: nothing acts meanwhile, and afterwards the
// same handle goes on.
func TestServerComesBack(t *testing.T) {
	server := servers.NewPostgres(t, servers.Set("recovery_init_sync_method", "syncfs"))
	b := at(t, server.Database(t))
	b.Store = b.open()
	b.fill(3)
	must(t, server.Kill())
	_, err := b.Record(t.Context(), audit.Event{Kind: audit.Access})
	if err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("while it is down: %v", err)
	}
	must(t, server.Start())
	b.fill(3)
	if r := b.verify(); !r.OK || r.Size != 6 {
		t.Errorf("verify: %+v", r)
	}
}

// One writer at a time: a transaction begun later waits, and sees what the first
// committed.
func TestOneWriterAtATime(t *testing.T) {
	b := setup(t, onServer)
	other := b.open()
	var order []string
	var mu sync.Mutex
	say := func(s string) { mu.Lock(); order = append(order, s); mu.Unlock() }
	inside, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		must(t, b.base.within(t.Context(), true, func(*sqlx.Tx, time.Time) error {
			close(inside)
			time.Sleep(300 * time.Millisecond)
			say("first")
			return nil
		}))
	}()
	<-inside
	must(t, other.base.within(t.Context(), true, func(*sqlx.Tx, time.Time) error { say("second"); return nil }))
	<-done
	if strings.Join(order, " ") != "first second" {
		t.Errorf("in the order %q", order)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := other.SetAnchor(ctx, time.Now()); err == nil {
		t.Error("a cancelled write was stored")
	}
}

// A replica without the key file makes no key of its own, and one with another key
// is refused. An older checkpoint beside a replica's key fits the log that others
// let grow; one of a longer log does not.
func TestReplicasKeysAndCheckpoints(t *testing.T) {
	b, ctx := setup(t, onServer), t.Context()
	had, err := KeyOf(ctx, b.dsn)
	if err != nil || had == "" {
		t.Fatalf("%q, %v", had, err)
	}
	stranger := at(t, b.dsn)
	if _, err := Open(ctx, stranger.options()); !errors.Is(err, audit.ErrKey) {
		t.Errorf("another key: %v", err)
	}
	text := readFile(t, filepath.Join(b.dir, "audit.key"))
	replica := at(t, b.dsn)
	replica.at = b.at
	writeFile(t, filepath.Join(replica.dir, "audit.key"), text)
	replica.Store = replica.open()
	b.fill(3)
	must(t, second(b.Checkpoint(ctx)))
	must(t, second(replica.Checkpoint(ctx)))
	b.fill(3)
	must(t, second(b.Checkpoint(ctx)))
	replica.at = b.at
	replica.fill(1)
	must(t, second(replica.Checkpoint(ctx))) // three more than its own checkpoint, and one
	if r := replica.verify(); !r.OK || r.Size != 7 {
		t.Errorf("verify: %+v", r)
	}
	for _, q := range []string{"DELETE FROM audit_entries WHERE n > 6", "DELETE FROM audit_checkpoints WHERE size > 6", "UPDATE audit_logs SET size = 6"} {
		b.sql(q)
	}
	if _, err := replica.Checkpoint(ctx); !errors.Is(err, retention.ErrRolledBack) {
		t.Errorf("the log is shorter than the replica's checkpoint: %v", err)
	}
}
