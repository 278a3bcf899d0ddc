package main

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// wentBack is a site whose rule never asks, which did rows 1 and 2, and whose source
// went back to before. restore makes and brings back the copy.
func wentBack(t *testing.T, s site, save, restore func()) {
	t.Helper()
	save()
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "2")
	restore()
	if got := s.ids(); got != "1 2 3 4 5 6" {
		t.Fatalf("the copy has %s", got)
	}
	hook := newHook(t, "")
	at := listener(t)
	d := s.serve(soon(3*time.Second), "RETENTIOND_HTTP_LISTEN="+at, "RETENTIOND_NOTIFY_WEBHOOK_URL="+hook.URL)
	until(t, "nobody was told that the source went back", func() bool { return hook.got("restored") > 0 })
	until(t, "its slot was not refused", func() bool { return d.out.has("prospects state_mismatch") || d.out.has(" state_mismatch") })
	d.says("2 rows there that it forgot: they may be back")
	if !strings.Contains(hook.all(), "forgot what was done to 2 rows") {
		t.Errorf("what it forgot is not told: %s", hook.all())
	}
	// One source that stands still leaves the daemon ready, and says so.
	until(t, "/readyz does not name the source", func() bool {
		code, body := asks(at, "/readyz")
		return code == http.StatusOK && strings.Contains(body, `{"source":"crm","state":"state_mismatch"}`)
	})
	s.do(exitError, "status").says("2 rows there that it forgot: they may be back", "waits for an approval", "check --adopt")
	if got := s.ids(); got != "1 2 3 4 5 6" {
		t.Errorf("rows went without a person: %s left", got)
	}
	s.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "disk failed")
	s.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "approval")
	if got := s.ids(); got != "1 2 3 4 5 6" {
		t.Errorf("rows went without an approval: %s left", got)
	}
	d.stops(syscall.SIGTERM, exitOK)
	// Said yes to, the rule works as before.
	s.approve().is("steps/0/done", "2")
	s.due(7)
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
	s.do(exitOK, "audit", "verify")
}

// adoptedPolicy never asks, but where its source went back.
var adoptedPolicy = strings.Replace(sitePolicy, "source: crm\n", "source: crm\nschedule: \"* * * * *\"\nlimits: {share: 100%}\n", 1) + "    approve: never\n"

// A SQLite file that was copied back stands still until a person looks at it.
func TestServeSourceFileWentBack(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, adoptedPolicy, siteSQL)
	s.do(exitOK, "check", "--install")
	s.due(9)
	s.do(exitOK, "run")
	s.exec("crm.db", `INSERT INTO prospects VALUES (1, 'a@example.org', 'lost', '2015-03-01 10:00:00'), (2, 'b@example.org', 'lost', '2016-05-02 10:00:00')`)
	wentBack(t, s, func() { s.save("copy", "crm.db") }, func() { s.restore("copy", "crm.db") })
}

// The same with a dump of a PostgreSQL database.
func TestServeSourceDumpWentBack(t *testing.T) {
	t.Parallel()
	s := newSiteOn(t, onPostgres(), adoptedPolicy, shopRows())
	s.do(exitOK, "run")
	s.exec("crm.db", `INSERT INTO prospects VALUES (1, 'a@example.org', 'lost', '2015-03-01 10:00:00'), (2, 'b@example.org', 'lost', '2016-05-02 10:00:00')`)
	dsn := strings.TrimSpace(s.read(appFile))
	tool := func(name string, args ...string) {
		t.Helper()
		path, err := servers.Tool(name, "postgresql-client")
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	wentBack(t, s,
		func() { tool("pg_dump", "--format=custom", "--file="+s.path("copy.dump"), "--dbname="+dsn) },
		func() {
			tool("pg_restore", "--clean", "--if-exists", fmt.Sprintf("--dbname=%s", dsn), s.path("copy.dump"))
		})
}

// The same with a dump of a MariaDB database.
func TestServeMariaDBDumpWentBack(t *testing.T) {
	t.Parallel()
	s := newSiteOn(t, onMariaDB(), adoptedPolicy, shopRows())
	s.do(exitOK, "run")
	s.exec("crm.db", `INSERT INTO prospects VALUES (1, 'a@example.org', 'lost', '2015-03-01 10:00:00'), (2, 'b@example.org', 'lost', '2016-05-02 10:00:00')`)
	dsn := strings.TrimSpace(s.read(appFile))
	host, port, _ := strings.Cut(s.on.server(t).Addr(), ":")
	tool := func(name string, args ...string) []byte {
		t.Helper()
		path, err := servers.Tool(name, "mariadb-client")
		if err != nil {
			t.Fatal(err)
		}
		user, _, _ := strings.Cut(dsn, ":")
		cmd := exec.Command(path, append([]string{"--no-defaults", "--protocol=tcp", "--host=" + host, "--port=" + port, "--user=" + user}, args...)...)
		cmd.Env = append(cmd.Environ(), "MYSQL_PWD="+s.on.passwordOf(t, dsn))
		if name == "mariadb" {
			cmd.Stdin = strings.NewReader(s.read("copy.sql"))
		}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return out
	}
	wentBack(t, s,
		func() { s.write("copy.sql", string(tool("mariadb-dump", databaseOf(dsn)))) },
		func() { tool("mariadb", databaseOf(dsn)) })
}
