package main

import (
	"bytes"
	"database/sql"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// throttled is a site on the ground whose source has these options beside.
func throttled(t *testing.T, on ground, options string) site {
	t.Helper()
	s := newSiteOn(t, on, sitePolicy, shopRows())
	s.options(options)
	s.do(exitOK, "check", "--install")
	return s
}

func (s site) options(options string) {
	s.Helper()
	s.write("retentiond.yaml", strings.Replace(s.on.configure(siteConfig), "backups: 35 days", "backups: 35 days, "+options, 1))
}

// told is what a process writes, read while it writes.
type told struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *told) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *told) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// waits runs the site's due steps, wants them to wait for that reason with
// nothing gone, frees them, and wants them done.
func (s site) waits(because string, free func()) {
	s.Helper()
	cmd, _ := retentiondProcess(s.T, s.dir, "run", "--approve", "--by", "Ada")
	var out told
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s.waitsFor(cmd, &out, ended, because)
	free()
	select {
	case err := <-ended:
		if err != nil {
			s.Fatalf("after the wait: %v\n%s", err, out.String())
		}
	case <-time.After(time.Minute):
		_ = cmd.Process.Kill()
		s.Fatalf("it still waits\n%s", out.String())
	}
	if n := s.query("crm.db", "SELECT count(*) FROM prospects"); n != "4" {
		s.Errorf("%s prospects are left, want 4\n%s", n, out.String())
	}
}

func (s site) waitsFor(cmd *exec.Cmd, out *told, ended chan error, because string) {
	s.Helper()
	end := time.Now().Add(30 * time.Second)
	for !strings.Contains(out.String(), because) {
		select {
		case err := <-ended:
			s.Fatalf("it did not wait because %s: %v\n%s", because, err, out.String())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(end) {
			_ = cmd.Process.Kill()
			s.Fatalf("it does not say that it waits because %s\n%s", because, out.String())
		}
	}
	time.Sleep(1500 * time.Millisecond) // longer than it looks again
	if n := s.query("crm.db", "SELECT count(*) FROM prospects"); n != "6" {
		s.Errorf("%s prospects are left while it waits, want 6", n)
	}
}

// Batches wait while a file is there, and while others run more statements than
// they may.
func TestBatchesWaitOnServers(t *testing.T) {
	for _, on := range onServers() {
		t.Run(on.String()+"/flag", func(t *testing.T) {
			s := throttled(t, on, "throttle: {flag_file: ./wait}")
			s.write("wait", "")
			s.waits("asks to wait", func() {
				if err := os.Remove(s.path("wait")); err != nil {
					t.Error(err)
				}
			})
		})
		t.Run(on.String()+"/running", func(t *testing.T) {
			on := on.of(on.privateServer(t)) // of which nobody else runs statements
			s := throttled(t, on, "throttle: {running: 1}")
			sleep := map[string]string{"postgres": "SELECT pg_sleep(120)", "mysql": "SELECT SLEEP(120)"}[on.driver]
			var others sync.WaitGroup
			app, db := on.open(t, s.dir), on.open(t, s.dir)
			defer app.Close()
			defer db.Close()
			// The application and this source share a user here: the statements
			// that count are those of others.
			role := on.server(t).Role(t, on.dsn(t, s.dir), map[string]string{"postgres": "ALL ON ALL TABLES IN SCHEMA public", "mysql": "ALL ON *"}[on.driver],
				map[string]string{"postgres": "pg_monitor", "mysql": "PROCESS ON *.*"}[on.driver])
			s.write(dsnFile, role)
			others.Add(2)
			go func() { defer others.Done(); _, _ = app.Exec(sleep) }() // ended by force below
			go func() { defer others.Done(); _, _ = db.Exec(sleep) }()
			s.waits("statements are running", func() {
				end := map[string]string{"postgres": "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"}[on.driver]
				killer := on.open(t, s.dir)
				defer killer.Close()
				if on.driver == "mysql" {
					for _, id := range query(t, killer, "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'") {
						if _, err := killer.Exec("KILL QUERY " + id); err != nil {
							t.Error(err)
						}
					}
				} else if _, err := killer.Exec(end); err != nil {
					t.Error(err)
				}
				others.Wait()
			})
		})
	}
}

// Batches wait while log is kept for somebody who does not fetch it, and while old
// row versions cannot be purged.
func TestBatchesWaitForBacklog(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		on := onPostgres()
		s := throttled(t, on.of(on.privateServer(t)), "throttle: {backlog: 1000000}")
		s.exec("crm.db", "SELECT pg_create_physical_replication_slot('slow', true)",
			"CREATE TABLE filler AS SELECT repeat(md5(n::text), 8) AS text FROM generate_series(1, 20000) AS n")
		s.waits("a backlog of", func() { s.exec("crm.db", "SELECT pg_drop_replication_slot('slow')") })
	})
	t.Run("mysql", func(t *testing.T) {
		t.Parallel()
		on := onMariaDB()
		s := throttled(t, on.of(on.privateServer(t)), "throttle: {backlog: 200}")
		app := s.on.open(t, s.dir)
		defer app.Close()
		reader, err := app.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		must(t, err)
		var n int
		must(t, reader.QueryRow("SELECT count(*) FROM prospects").Scan(&n))
		s.exec("crm.db", "CREATE TABLE filler (id INT PRIMARY KEY, n INT)", "INSERT INTO filler VALUES (1, 0)")
		for range 400 {
			s.exec("crm.db", "UPDATE filler SET n = n + 1")
		}
		s.waits("a backlog of", func() {
			must(t, reader.Rollback())
			s.exec("crm.db", "SET GLOBAL innodb_max_purge_lag_wait = 0")
		})
	})
}

// lagging is a site whose dsn_read is a replica.
func lagging(t *testing.T, on ground, options string) (site, *servers.Replica) {
	t.Helper()
	server := on.privateServer(t)
	on = on.of(server)
	s := throttled(t, on, "parallel: 2")
	r := server.Replica(t)
	s.options("dsn_read: \"" + r.Via(t, on.dsn(t, s.dir)) + "\"" + options)
	return s, r
}

// Batches wait while a replica does not follow, and go on when it has.
func TestBatchesWaitForReplicas(t *testing.T) {
	for _, on := range onServers() {
		t.Run(on.String(), func(t *testing.T) {
			s, r := lagging(t, on, ", throttle: {replica_lag: 1s}")
			if out := s.do(exitOK, "check"); strings.Contains(out.out, "lag_unseen") {
				t.Errorf("the lag is seen: %s", out.out)
			}
			s.exec("crm.db", "UPDATE prospects SET status = 'x'")
			r.CatchUp(t)
			r.Pause(t)
			s.exec("crm.db", "UPDATE prospects SET status = 'y'")
			s.waits("batches wait", func() { r.Resume(t) })
		})
	}
}

// Planning reads the replica, whatever it has missed; acting tests everything
// again at the primary, so that what the replica has missed is never harmed.
func TestReplicasPlanAndPrimariesAct(t *testing.T) {
	for _, on := range onServers() {
		t.Run(on.String(), func(t *testing.T) {
			s, r := lagging(t, on, "")
			r.Pause(t)
			s.exec("crm.db", "INSERT INTO interactions VALUES (9, 1, '"+time.Now().UTC().AddDate(0, 0, -1).Format(time.DateTime)+"')",
				"DELETE FROM prospects WHERE id = 4")
			s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/total", "6", "steps/0/classes/due", "2")
			s.do(exitOK, "run", "--approve", "--by", "Ada", "--output", "json").is("steps/0/planned", "2", "steps/0/done", "1", "steps/0/spared/changed", "1")
			if got := s.query("crm.db", "SELECT id FROM prospects ORDER BY id"); got != "1 3 5 6" {
				t.Errorf("prospects %s are left", got)
			}
			r.Resume(t)
			r.CatchUp(t)
			s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/total", "4", "steps/0/classes/due", "0")
		})
	}
}

// A new user runs what check prints, all of it and once, while our own two tables
// are not there yet; then check --install works, and check has nothing more to say.
func TestCheckSaysEveryGrantAtOnce(t *testing.T) {
	for _, on := range onServers() {
		t.Run(on.String(), func(t *testing.T) {
			s := newSiteOn(t, on, sitePolicy, shopRows())
			grant := map[string]string{"postgres": "SELECT ON ALL TABLES IN SCHEMA public", "mysql": "SELECT ON *"}[on.driver]
			s.write(dsnFile, on.server(t).Role(t, on.dsn(t, s.dir), grant))
			got := s.do(exitUsage, "check").says("error crm (privilege_missing)")
			ran := 0
			for _, line := range strings.Split(got.out, "\n") {
				if line = strings.TrimSpace(line); strings.HasPrefix(line, "GRANT ") {
					line, _, _ = strings.Cut(line, "; or let its owner")
					s.exec("crm.db", line)
					ran++
				}
			}
			if ran < 3 {
				t.Errorf("%d statements in %s", ran, got.out)
			}
			s.do(exitOK, "check", "--install")
			if got := s.do(exitOK, "check"); strings.Contains(got.out, "privilege_missing") {
				t.Errorf("more to grant: %s", got.out)
			}
			s.do(exitOK, "run", "--approve", "--by", "Ada", "--output", "json").is("steps/0/done", "2")
		})
	}
}

// check names the GRANT statements and the index that are missing, in the
// server's own words, and is content once they are there.
func TestCheckOnServers(t *testing.T) {
	for _, on := range onServers() {
		t.Run(on.String(), func(t *testing.T) {
			s := newSiteOn(t, on, sitePolicy, shopRows())
			s.do(exitOK, "check", "--install")
			grant := map[string]string{"postgres": "SELECT ON ALL TABLES IN SCHEMA public", "mysql": "SELECT ON *"}[on.driver]
			s.write(dsnFile, on.server(t).Role(t, on.dsn(t, s.dir), grant))
			quoted := map[string]func(string) string{"postgres": func(n string) string { return `"public"."` + n + `"` }, "mysql": func(n string) string { return "`" + n + "`" }}[on.driver]
			got := s.do(exitUsage, "check").says("error crm (privilege_missing)", quoted("prospects")+" TO ", quoted("interactions")+" TO ", quoted("retentiond_gate")+" TO ")
			for _, line := range strings.Split(got.out, "\n") {
				if line = strings.TrimSpace(line); strings.HasPrefix(line, "GRANT ") {
					s.exec("crm.db", line)
				}
			}
			s.do(exitOK, "check")
			drop := map[string]string{"postgres": "DROP INDEX prospects_created", "mysql": "DROP INDEX prospects_created ON prospects"}[on.driver]
			s.exec("crm.db", drop)
			index := map[string]string{"postgres": "CREATE INDEX CONCURRENTLY ON ", "mysql": "CREATE INDEX `idx_prospects_created_at` ON "}[on.driver] + quoted("prospects")
			got = s.do(exitOK, "check").says("warning shop/prospects (clock_index)", index)
			for _, line := range strings.Split(got.out, "\n") {
				if line = strings.TrimSpace(line); strings.HasPrefix(line, "CREATE INDEX ") {
					s.exec("crm.db", line)
				}
			}
			if got := s.do(exitOK, "check"); strings.Contains(got.out, "warning") {
				t.Errorf("more to say: %s", got.out)
			}
			s.do(exitOK, "run", "--approve", "--by", "Ada", "--output", "json").is("steps/0/done", "2")
		})
	}
}
