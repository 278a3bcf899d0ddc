package main

import (
	"bytes"
	"context"
	"database/sql"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// paused is a run that stopped itself at a point.
type paused struct {
	cmd  *exec.Cmd
	out  *bytes.Buffer
	kill func() // ends it and waits for its end
}

// pausesRun starts a run under a short lease in a copy of the world, and waits until
// it is stopped. One that was stopped in the middle of a heartbeat holds the
// state store too: that is another story, and the next copy is taken.
func (tp *template) pausesRun(t *testing.T, at string) (paused, string) {
	t.Helper()
	return tp.pausesLeased(t, at, shortLease.String())
}

// shortLease is over soon, and not before a busy machine renews it.
const shortLease = 3 * time.Second

// pausesLeased is pausesRun with a lease of that length.
func (tp *template) pausesLeased(t *testing.T, at, lease string) (paused, string) {
	t.Helper()
	for range 10 {
		dir := tp.copy(t)
		p := pauses(t, dir, at, lease, tp.runArgs(t, dir, false)...)
		free := false
		tp.onState(t, dir, func(db *sql.DB) {
			_, err := db.Exec("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK")
			free = err == nil
		})
		if free {
			return p, dir
		}
		p.kill()
	}
	t.Fatalf("%s: it was always stopped in the middle of a heartbeat", at)
	return paused{}, ""
}

// pauses starts a command and waits until it has stopped itself.
func pauses(t *testing.T, dir, at, lease string, args ...string) paused {
	t.Helper()
	cmd, out := retentiondProcess(t, dir, args...)
	cmd.Env = append(cmd.Env, envStopAt+"="+at, envLease+"="+lease)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := paused{cmd, out, sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // it ends by itself unless a test failed
		_ = cmd.Wait()
	})}
	t.Cleanup(p.kill)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("%s: it did not stop: %v, status %v: %s", at, err, status, out)
	}
	return p
}

// goesOn wakes the run and returns its exit code and what it said.
func (p paused) goesOn(t *testing.T) (int, string) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	return exitCode(p.cmd.Wait()), p.out.String()
}

// takesOver runs beside a stopped process: busy while the lease lasts, then
// whatever it comes to.
func (tp *template) takesOver(t *testing.T, dir string) (code int, said string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var out, errs bytes.Buffer
		args := append([]string{"--config", filepath.Join(dir, "retentiond.yaml"), "--output", "json"}, tp.runArgs(t, dir, false)...)
		code = run(context.Background(), args, streams{In: strings.NewReader(""), Out: &out, Err: &errs, Env: []string{envLease + "=15s"}})
		if said = out.String() + errs.String(); !strings.Contains(said, `"busy"`) {
			return code, said
		}
	}
	t.Fatalf("the lease was never free: %s", said)
	return 0, ""
}

// pausedWorlds are where runs are stopped, and the points at which they hold no
// lock that others need to settle their intent: on a server, all but the last.
func pausedWorlds(t *testing.T, points ...string) (names []string, worlds map[string]*template) {
	t.Helper()
	worlds = map[string]*template{"": worldNamed("delete").make(t)}
	for _, on := range onServers() {
		worlds[on.driver] = worldOn(on, "delete").make(t)
	}
	for _, at := range points {
		for _, on := range []string{"", "postgres", "mysql"} {
			names = append(names, on+"/"+at)
		}
	}
	return names, worlds
}

// TestPausedRunIsFenced stops a run where it does not hold the source's write
// lock, lets another take over, settle and finish, and wakes it: it commits
// nothing, says why, and nothing is done twice.
func TestPausedRunIsFenced(t *testing.T) {
	t.Parallel()
	names, worlds := pausedWorlds(t, "started", "intended:1", "committed:2", "concluded:1")
	together(t, append(names, "/leased", "/intended:2", "/committed:1"), func(t *testing.T, name string) {
		on, at, _ := strings.Cut(name, "/")
		tp := worlds[on]
		p, dir := tp.pausesRun(t, at)
		if code, said := tp.takesOver(t, dir); code != exitOK {
			t.Fatalf("the run that took over: exit code %d: %s", code, said)
		}
		tp.none(t, dir, "before it wakes", append(slices.Clone(tp.always), tp.final...))
		tp.wakesFenced(t, dir, p)
		tp.recovers(t, dir, false, 0)
	})
}

// TestPausedRunCommitsNothing: the run that took over settles the intent and
// dies, so that the rows of the paused batch are still there for the taking. On
// a server a run that is stopped in its transaction is fenced as well.
func TestPausedRunCommitsNothing(t *testing.T) {
	t.Parallel()
	names, worlds := pausedWorlds(t, "started", "intended:1", "intended:2", "committed:2")
	for _, at := range []string{"begun:1", "tested:2", "acted:2"} {
		names = append(names, "postgres/"+at, "mysql/"+at)
	}
	together(t, names, func(t *testing.T, name string) {
		on, at, _ := strings.Cut(name, "/")
		tp := worlds[on]
		p, dir := tp.pausesRun(t, at)
		time.Sleep(shortLease + 200*time.Millisecond)
		tp.dies(t, dir, envCrashAt+"=started", tp.runArgs(t, dir, false)...)
		if open := tp.openIntents(t, dir); open > 0 {
			t.Errorf("%d intents are not settled: the server may have ended the paused transaction first", open)
		}
		tp.wakesFenced(t, dir, p)
		tp.recovers(t, dir, false, 0)
	})
}

// wakesFenced wakes a run that was overtaken: it says so, and changes nothing.
func (tp *template) wakesFenced(t *testing.T, dir string, p paused) {
	t.Helper()
	audited, acted := tp.audited(t, dir), tp.number(t, dir, tp.acted)
	code, said := p.goesOn(t)
	if code != exitError || !strings.Contains(said, "another process took over") {
		t.Errorf("the run that woke: exit code %d: %s", code, said)
	}
	if a, b := tp.audited(t, dir), tp.number(t, dir, tp.acted); a != audited || b != acted {
		t.Errorf("before it woke %d rows were acted on and %d audited, after it %d and %d", acted, audited, b, a)
	}
}

// together runs subtests side by side, however many processors there are: they
// mostly wait.
func together(t *testing.T, names []string, do func(t *testing.T, name string)) {
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() { t.Run(name, func(t *testing.T) { do(t, name) }) })
	}
	all.Wait()
}

// TestPausedUnderTheLock stops a run that holds the source's write lock. Another
// one says what it waits for and gives up; once the first wakes, its batch is
// audited once, whatever became of it, and it ends fenced.
func TestPausedUnderTheLock(t *testing.T) {
	t.Parallel()
	worlds := map[string]*template{"WAL": worldNamed("delete").make(t), "DELETE": worldNamed("delete-rollback-journal").make(t)}
	together(t, []string{"WAL/begun:1", "WAL/acted:2", "WAL/committing:1", "DELETE/acted:2", "DELETE/committing:1"}, func(t *testing.T, name string) {
		journal, at, _ := strings.Cut(name, "/")
		tp := worlds[journal]
		p, dir := tp.pausesRun(t, at)
		began := time.Now()
		code, said := tp.takesOver(t, dir)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("the run beside it gave up after %s", took)
		}
		if code != exitRefused || !strings.Contains(said, "another process holds the write lock") {
			t.Errorf("the run beside it: exit code %d: %s", code, said)
		}
		tp.afterCrash(t, dir, 0)
		if code, said = p.goesOn(t); code != exitError || !strings.Contains(said, "another process took over") {
			t.Errorf("the run that woke: exit code %d: %s", code, said)
		}
		tp.recovers(t, dir, false, 0)
	})
}
