package main

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// stateOn puts the site's state on a PostgreSQL server, in a database of its own.
func (s site) stateOn(server *servers.Server) (dsn string) {
	s.Helper()
	dsn = server.Database(s.T)
	s.write("retentiond.yaml", strings.Replace(s.read("retentiond.yaml"), "sqlite:./state.db", `"`+dsn+`"`, 1))
	return dsn
}

// replica is another process' directory on the same state store and sources: the
// same configuration and policies, and where key is true the audit key.
func (s site) replica(key bool) site {
	s.Helper()
	r := site{T: s.T, dir: s.TempDir(), on: s.on}
	files := []string{"retentiond.yaml", "policies/shop.yaml"}
	if key {
		files = append(files, "audit.key")
	}
	for _, name := range files {
		r.write(name, strings.ReplaceAll(s.read(name), "./crm.db", s.path("crm.db")))
	}
	for _, name := range []string{dsnFile, appFile} {
		if s.on.server != nil {
			r.write(name, s.read(name))
		}
	}
	return r
}

// Every command works on a shared store, and tells nobody its password.
func TestCommandsOnASharedStore(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dsn := s.stateOn(servers.Postgres(t))
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := u.User.Password()
	if secret == "" {
		t.Fatal("the DSN has no password to keep")
	}
	s.due(10)
	hold := s.hold("person:10")
	replies := []reply{
		s.do(exitOK, "status").says("postgres://", ":***@"),
		s.do(exitOK, "check"),
		s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/due", "2", "steps/0/classes/held", "1"),
		s.do(exitRefused, "run"),
		s.do(exitOK, "approve", s.plan(), "--by", "Ada", "--reason", "looked at it"),
		s.approve().is("verdict", "ok", "steps/0/done", "2"),
		s.do(exitOK, "hold", "list").says(hold),
		s.do(exitOK, "hold", "release", hold, "--by", "Ada", "--reason", "over"),
		s.do(exitOK, "runs", "list"),
		s.do(exitOK, "inventory"),
		s.do(exitOK, "audit", "list").says("batch.outcome"),
		s.do(exitOK, "audit", "verify"),
		s.do(exitOK, "audit", "export", "--dir", s.path("out")),
	}
	for _, r := range replies {
		if strings.Contains(r.out+r.err, secret) {
			t.Errorf("the password is told: %s%s", r.out, r.err)
		}
	}
	if got := s.ids(); got != "3 4 5 6 10" {
		t.Errorf("left are %s", got)
	}
}

// A run that was killed is settled by another process, which has its own copy of
// the key: the effect is there once, and so is its outcome.
func TestReplicaSettles(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"intended:1", "acted:1", "committed:1"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := newSiteOn(t, onPostgres(), sidePolicy, sideRows)
			s.stateOn(servers.Postgres(t))
			s.do(exitOK, "check", "--install")
			dead := s.stopped(at, "a")
			r := s.replica(true)
			r.do(exitOK, "run", "--rule", "b", "--approve", "--by", "Ada")
			if said := r.do(exitOK, "audit", "list").out; strings.Contains(said, "batch.settled") {
				t.Errorf("the batch of a process that lives was settled: %s", said)
			}
			dead.kill()
			r.do(exitOK, "run", "--rule", "a", "--approve", "--by", "Ada")
			if n := strings.Count(r.do(exitOK, "audit", "list").out, "batch.settled"); n != 1 {
				t.Errorf("%d batches are settled", n)
			}
			if left := s.query("crm.db", "SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b)"); left != "0" {
				t.Errorf("%s rows are left", left)
			}
			for _, x := range []site{r, s} {
				x.do(exitOK, "audit", "verify")
				x.do(exitOK, "run", "--rule", "c", "--approve", "--by", "Ada")
			}
		})
	}
}

// Lost, emptied, older or another's: a shared store that is not the one the source
// knows acts on nothing.
func TestSharedStoreThatIsNotTheOne(t *testing.T) {
	t.Parallel()
	server := servers.Postgres(t)
	s := newSite(t)
	first := s.stateOn(server)
	s.approve()
	older := changedPath(t, first, "older")
	server.Load(t, server.Admin(), `CREATE DATABASE "`+pathOf(t, older)+`" TEMPLATE "`+pathOf(t, first)+`"`)
	t.Cleanup(func() { server.Load(t, server.Admin(), `DROP DATABASE "`+pathOf(t, older)+`" WITH (FORCE)`) })
	s.due(19)
	s.approve()
	s.due(20)
	nothing := func(says ...string) {
		t.Helper()
		s.untouched("crm.db", func() {
			cmd, out := retentiondProcess(t, s.dir, "run", "--approve", "--by", "Ada")
			if code := exitCode(cmd.Run()); code == exitOK {
				t.Errorf("it ran: %s", out)
			}
			for _, text := range says {
				if !strings.Contains(out.String(), text) {
					t.Errorf("no %q in %s", text, out)
				}
			}
		})
	}
	config := s.read("retentiond.yaml")
	for other, says := range map[string]string{server.Database(t): "knows another state store", older: "it is older"} {
		s.write("retentiond.yaml", strings.Replace(config, first, other, 1))
		kept := s.read("audit.key.checkpoint")
		nothing("check --adopt") // the checkpoint beside the key is of another log
		s.remove("audit.key.checkpoint")
		nothing(says)
		s.write("audit.key.checkpoint", kept)
	}
	s.write("retentiond.yaml", config)
	s.remove("audit.key")
	nothing("no other is made")
	if s.there("audit.key") {
		t.Error("a key was made beside a store that has one")
	}
}

// changedPath is the DSN of a database with another name.
func changedPath(t *testing.T, dsn, more string) string {
	t.Helper()
	return strings.Replace(dsn, "/"+pathOf(t, dsn), "/"+pathOf(t, dsn)+more, 1)
}

// pathOf is the database that a DSN names.
func pathOf(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

func (s site) there(name string) bool {
	_, err := os.Stat(s.path(name))
	return err == nil
}

// A replica without the key makes none, and says which it needs.
func TestReplicaWithoutKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.stateOn(servers.Postgres(t))
	s.approve()
	r := s.replica(false)
	r.do(exitError, "run").oneError("the key file", "is missing", "no other is made")
	if r.there("audit.key") {
		t.Error("a second key was made")
	}
	r.write("retentiond.yaml", strings.Replace(r.read("retentiond.yaml"), "./audit.key", "./other.key", 1))
	r.do(exitError, "status").oneError("no other is made")
}
