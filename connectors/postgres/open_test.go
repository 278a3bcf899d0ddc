package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

func refusalOf(err error) retention.RefusalCode {
	if r, ok := errors.AsType[*retention.Refusal](err); ok {
		return r.Code
	}
	return ""
}

// Each way not to reach a source is one line with its remedy, without password.
func TestSourcesThatAreNotThere(t *testing.T) {
	server := servers.Postgres(t)
	good := server.Database(t)
	with := func(change func(*url.URL)) string {
		u, err := url.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		return u.String()
	}
	const secret = "PW-SECRET"
	for want, dsn := range map[string]string{
		"does not accept the password": with(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), secret) }),
		"does not exist":               with(func(u *url.URL) { u.Path = "/nosuch" }),
		"is not known":                 with(func(u *url.URL) { u.Host = "no-such-host.invalid:5432"; u.User = url.UserPassword("u", secret) }),
		"cannot be reached":            with(func(u *url.URL) { u.Host = "127.0.0.1:1"; u.User = url.UserPassword("u", secret) }),
		"has no TLS":                   with(func(u *url.URL) { u.RawQuery = "" }),
		"the dsn cannot be read":       "postgres://u:" + secret + "%zz@h/db",
		"cannot be read":               "host=h password=" + secret + " port=x",
		"dsn cannot be read: write":    "",
	} {
		s, err := Open(t.Context(), Options{DSN: dsn})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", want)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) || refusalOf(err) != retention.RefuseSourceDown || strings.Contains(err.Error(), "\n") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestPrivileges(t *testing.T) {
	server := servers.Postgres(t)
	dsn := server.Database(t)
	server.Load(t, dsn, prospects+"CREATE TABLE secret (id int PRIMARY KEY, at timestamptz)")
	reader := server.Role(t, dsn, "SELECT ON prospects", "SELECT ON interactions")
	s, err := Open(t.Context(), Options{DSN: dsn, ReadDSN: reader})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Install(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	b := &bundle{t: t, s: s}
	b.describe("prospects", "secret") // the catalogue is everybody's
	if got := b.classes(b.selection("prospects", "created_at"), noHolds()); got.Total != 20 {
		t.Errorf("%+v", got)
	}
	_, err = s.Count(t.Context(), b.selection("secret", "at"), noHolds(), nil)
	if err == nil || !strings.Contains(err.Error(), "GRANT SELECT") || !strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	poor, err := Open(t.Context(), Options{DSN: reader})
	if err != nil {
		t.Fatal(err)
	}
	defer poor.Close()
	if _, err := poor.Install(t.Context(), store); err == nil || !strings.Contains(err.Error(), "ON SCHEMA") && !strings.Contains(err.Error(), "retentiond_gate") {
		t.Errorf("got %v", err)
	}
}

// A server's messages quote values; ours do not.
func TestErrorsHoldNoValues(t *testing.T) {
	b := setup(t, "CREATE TABLE p (id int PRIMARY KEY, at timestamptz, c text UNIQUE, n text); INSERT INTO p VALUES (1, '2020-01-01', 'SECRET-1', 'SECRET-2'), (2, '2020-01-01', 'SECRET-3', 'SECRET-4')", "p")
	sel := b.selection("p", "at")
	set := func(column, text string) retention.Act {
		return retention.Act{Kind: retention.Redact, Changes: []retention.Change{{Column: column, Func: retention.Set, Value: &retention.Scalar{Text: text}}}}
	}
	_, clash := b.s.Apply(t.Context(), b.batch(sel, set("c", "SECRET-9"), 1, 2))
	sel.Where = &retention.Predicate{SQL: "n::int = 1"}
	_, badCount := b.s.Count(t.Context(), sel, noHolds(), nil)
	_, badBatch := b.s.Apply(t.Context(), b.batch(sel, retention.Act{Kind: retention.Delete}, 1))
	for _, err := range []error{clash, badCount, badBatch} {
		if err == nil || strings.Contains(fmt.Sprint(err), "SECRET") {
			t.Errorf("got %v", err)
		}
	}
	b.wantRows("SELECT c FROM p ORDER BY id", "SECRET-1", "SECRET-3")
}

// Settings are the transaction's own: the next user of a pooled session has his.
func TestNothingLeaksIntoASession(t *testing.T) {
	server := servers.Postgres(t)
	dsn := server.Database(t)
	server.Load(t, dsn, prospects)
	pooled := servers.PgBouncer(t, server).Via(t, dsn)
	s, err := Open(t.Context(), Options{DSN: pooled})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	app, err := sqlx.Connect("postgres", pooled)
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	b := &bundle{t: t, s: s, app: app, dsn: pooled}
	if _, err := s.Install(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	b.describe("prospects")
	for i := range 5 {
		b.classes(b.selection("prospects", "created_at"), person("p1"))
		b.apply(b.batch(b.selection("prospects", "created_at"), retention.Act{Kind: retention.Delete}, i+1))
		for setting, want := range map[string]string{"lock_timeout": "0", "idle_in_transaction_session_timeout": "0", "work_mem": "4MB"} {
			b.wantRows("SELECT current_setting('"+setting+"')", want)
		}
		b.wantRows("SELECT count(*) FROM pg_prepared_statements", "0")
		b.wantRows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())", "0")
	}
}

func TestStandbyActsOnNothing(t *testing.T) {
	server := servers.NewPostgres(t)
	dsn := server.Database(t)
	server.Load(t, dsn, prospects)
	s, err := Open(t.Context(), Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Install(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	replica := server.Replica(t)
	replica.CatchUp(t)
	r, err := Open(t.Context(), Options{DSN: replica.Via(t, dsn)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := &bundle{t: t, s: r}
	b.describe("prospects")
	if got := b.classes(b.selection("prospects", "created_at"), noHolds()); got.Total != 20 {
		t.Errorf("planning works on a standby: %+v", got)
	}
	_, err = r.Apply(t.Context(), b.batch(b.selection("prospects", "created_at"), retention.Act{Kind: retention.Delete}, 1))
	if refusalOf(err) != retention.RefuseSourceDown || !strings.Contains(err.Error(), "standby") {
		t.Errorf("got %v", err)
	}
}

// A batch whose COMMIT was answered, but whose answer was lost, is settled as
// done; one whose COMMIT never arrived, as abandoned.
func TestLostReplies(t *testing.T) {
	server := servers.NewPostgres(t)
	dsn := server.Database(t)
	server.Load(t, dsn, prospects)
	proxy := servers.NewProxy(t, server)
	s, err := Open(t.Context(), Options{DSN: proxy.Via(t, dsn)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Install(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	b := &bundle{t: t, s: s}
	b.describe("prospects")
	for want, lose := range map[retention.ReceiptState]func(int){retention.ReceiptDone: proxy.LoseReplies, retention.ReceiptAbandoned: proxy.LoseCommits} {
		x := b.batch(b.selection("prospects", "created_at"), retention.Act{Kind: retention.Delete}, 1, 5, 6)
		lose(1)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if _, err := s.Apply(ctx, x); err == nil {
			t.Errorf("%s: the batch said that it went through", want)
		}
		cancel()
		r, err := s.Settle(t.Context(), x.Intent, nil)
		for n := 0; err != nil && n < 10; n++ {
			time.Sleep(200 * time.Millisecond)
			r, err = s.Settle(t.Context(), x.Intent, nil)
		}
		if err != nil || r.State != want {
			t.Errorf("settled as %+v, %v, want %s", r, err, want)
		}
	}
}
