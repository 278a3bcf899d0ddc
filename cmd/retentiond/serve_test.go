package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// daemonPolicy is the shop's with a slot every minute, and no approval to wait for.
var daemonPolicy = strings.Replace(sitePolicy, "source: crm\n", "source: crm\nschedule: \"* * * * *\"\n", 1) + "    approve: never\n"

// daemonProcess is a serve process of a test.
type daemonProcess struct {
	site
	cmd *exec.Cmd
	out *said
}

// said is what a process has said so far.
type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write takes what the process says.
func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func (s *said) has(text string) bool { return strings.Contains(s.String(), text) }

// soon sets a clock off so that the next minute begins in a few seconds: far enough
// for a process to start, and within what the clock guard lets pass.
func soon(in time.Duration) string {
	rest := time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)) - in
	if rest < 0 { // it begins sooner: the one after it
		rest += time.Minute
	}
	return fmt.Sprintf("%s=%s", envClock, rest.Round(time.Millisecond))
}

// serve starts the daemon and waits until it works; env may set its clock.
func (s site) serve(env ...string) daemonProcess {
	s.Helper()
	d := s.start(env...)
	d.says(`"serving"`)
	return d
}

// start starts the daemon.
func (s site) start(env ...string) daemonProcess {
	s.Helper()
	cmd, _ := retentiondProcess(s.T, s.dir, "serve", "--log-level", "debug")
	d := daemonProcess{s, cmd, &said{}}
	cmd.Stdout, cmd.Stderr = d.out, d.out
	cmd.Env = append(cmd.Env, env...)
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill() // a test that failed left it
			_ = cmd.Wait()
		}
		if s.Failed() {
			s.Log(d.out)
		}
	})
	return d
}

func (d daemonProcess) says(text string) {
	d.Helper()
	until(d.T, fmt.Sprintf("the daemon did not say %q", text), func() bool { return d.out.has(text) })
}

// stops sends a signal and wants that exit code.
func (d daemonProcess) stops(sig syscall.Signal, want int) {
	d.Helper()
	began := time.Now()
	if err := d.cmd.Process.Signal(sig); err != nil {
		d.Fatal(err)
	}
	code := exitCode(d.cmd.Wait())
	if sig != syscall.SIGKILL && code != want {
		d.Errorf("exit code %d, want %d", code, want)
	}
	if took := time.Since(began); took > 30*time.Second {
		d.Errorf("it took %s to stop", took)
	}
}

// slots are the slots of the store, by state.
func (s site) slots() string {
	s.Helper()
	return s.query("state.db", "SELECT state || ':' || count(*) FROM slots GROUP BY state ORDER BY state")
}

// missed are the slots that the log says were missed, and why.
func (s site) missed() string {
	s.Helper()
	return s.query("state.db", `SELECT json_extract(line, '$.count') || ' ' || json_extract(line, '$.reason') FROM audit_entries WHERE kind = 'slot.missed' ORDER BY n`)
}

// The daemon runs a slot of every minute at its time, says so, and ends when asked.
func TestServeRunsSlots(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	d := s.serve(soon(3 * time.Second))
	d.says("a run ended")
	until(t, "the slot was not done", func() bool { return s.slots() == "done:1" })
	if got := s.ids(); got != "3 4 5 6" {
		t.Errorf("rows %s", got)
	}
	d.stops(syscall.SIGTERM, exitOK)
	s.do(exitOK, "runs", "list").says("shop 20", "Europe/Paris")
	run := s.do(exitOK, "runs", "list", "--output", "json").is("runs/0/slot/policy", "shop", "runs/0/slot/rule_set", "* * * * *", "runs/0/slot/attempt", "1").get("runs/0/run")
	s.do(exitOK, "runs", "show", run).says("Run of the slot 20", "Europe/Paris of policy shop")
	s.do(exitOK, "audit", "verify")
}

// bulkDaemon is the bulk table under a schedule of every minute, slowly enough that
// a run can be met at work.
func bulkDaemon(t *testing.T, rows int) site {
	t.Helper()
	dir, _ := bulk(t, rows)
	s := site{T: t, dir: dir}
	s.write("policy.yaml", strings.Replace(bulkPolicy, "source: bulk\n", "source: bulk\nschedule: \"* * * * *\"\n", 1))
	s.write("policy.yaml", strings.Replace(s.read("policy.yaml"), "then: delete", "then: delete, approve: never", 1))
	s.write("retentiond.yaml", strings.Replace(bulkConfig, "dsn: ./bulk.db", "dsn: ./bulk.db, throttle: {rate: 4000}", 1))
	s.do(exitOK, "policy", "validate", s.path("policy.yaml"))
	return s
}

func (s site) logs() string { s.Helper(); return s.query("bulk.db", "SELECT count(*) FROM logs") }

// working waits until the run has done some rows and not all.
func (d daemonProcess) working(rows int) {
	d.Helper()
	until(d.T, "no batch was done", func() bool { return d.logs() != fmt.Sprint(rows) })
}

// A daemon that is killed in the middle of a slot leaves it to the next, which
// settles the open batch and runs the same slot to its end: once.
func TestServeKilled(t *testing.T) {
	t.Parallel()
	const rows = 12_000
	s := bulkDaemon(t, rows)
	d := s.serve(soon(3*time.Second), envCrashAt+"=acted:3")
	_ = d.cmd.Wait() // it kills itself
	if rest := s.logs(); rest == "0" || rest == fmt.Sprint(rows) || s.slots() != "running:1" {
		t.Fatalf("killed with %s rows left, slots %s", rest, s.slots())
	}
	d = s.serve(soon(50 * time.Second)) // the next slot is far
	until(t, "the slot was not done", func() bool { return s.slots() == "done:1" })
	d.stops(syscall.SIGTERM, exitOK)
	if s.logs() != "0" || audited(t, s.dir) != rows {
		t.Errorf("%s rows left, %d of %d audited", s.logs(), audited(t, s.dir), rows)
	}
	if open := s.query("state.db", "SELECT count(*) FROM intents WHERE concluded = 0"); open != "0" {
		t.Errorf("%s intents are open", open)
	}
	runs := s.do(exitOK, "runs", "list", "--output", "json").is("runs/0/slot/attempt", "2", "runs/0/verdict", "ok", "runs/1/slot/attempt", "1")
	if runs.get("runs/0/slot/at") != runs.get("runs/1/slot/at") {
		t.Error("two slots were run")
	}
	s.do(exitOK, "audit", "verify")
}

// The first signal ends the run between batches, and the daemon: exit 0. The slot
// stays open and goes on after the next start.
func TestServeDrains(t *testing.T) {
	t.Parallel()
	const rows = 60_000
	s := bulkDaemon(t, rows)
	d := s.serve(soon(3 * time.Second))
	d.working(rows)
	d.stops(syscall.SIGTERM, exitOK)
	rest := s.logs()
	if rest == "0" || s.slots() != "paused:1" {
		t.Fatalf("stopped with %s rows left, slots %s", rest, s.slots())
	}
	s.do(exitOK, "runs", "list", "--output", "json").is("runs/0/slot/attempt", "1")
	d = s.serve(soon(50 * time.Second))
	until(t, "the slot did not go on", func() bool { n := s.logs(); return n != rest })
	busy := s.do(exitError, "run", "--output", "json").says(`"busy"`, "rule bulk/logs")
	if !strings.Contains(busy.out, "is taken by") {
		t.Errorf("a run beside the daemon: %s", busy.out)
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	d.stops(syscall.SIGINT, exitInterrupted)
	s.do(exitOK, "audit", "verify")
}

// Slots that nobody was there to run.
func TestServeCatchesUp(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]struct{ slots, missed string }{
		"skip": {"", "5 down"}, "one": {"done:1", "4 down"}, "all": {"done:5", ""},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			minute := fmt.Sprint(time.Now().Add(-10*time.Minute).Minute(), " * * * *") // of every hour
			s := newSiteWith(t, strings.Replace(daemonPolicy, "* * * * *", minute, 1), siteSQL)
			s.write("retentiond.yaml", siteConfig+"schedule: {catch_up: "+mode+"}\n")
			d := s.serve()
			until(t, "the schedule was not seen", func() bool { return s.query("state.db", "SELECT count(*) FROM schedules") == "1" })
			d.stops(syscall.SIGTERM, exitOK)
			// As if it had been down for five hours.
			s.exec("state.db", "UPDATE schedules SET fired = fired - 18000000000")
			d = s.serve()
			if want.slots == "" {
				until(t, "nothing was missed", func() bool { return s.missed() != "" })
			} else {
				until(t, "not caught up: "+want.slots, func() bool { return s.slots() == want.slots })
			}
			d.stops(syscall.SIGTERM, exitOK)
			if s.slots() != want.slots || s.missed() != want.missed {
				t.Errorf("slots %q, missed %q; want %q, %q", s.slots(), s.missed(), want.slots, want.missed)
			}
			s.do(exitOK, "audit", "verify")
		})
	}
}

// Two daemons on one state store run each slot once.
func TestServeTwice(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	s.write("retentiond.yaml", siteConfig+"schedule: {catch_up: all}\n")
	clock := soon(50 * time.Second) // one for all: set off anew, a minute might begin in between
	a := s.serve(clock)
	until(t, "the schedule was not seen", func() bool { return s.query("state.db", "SELECT count(*) FROM schedules") == "1" })
	a.stops(syscall.SIGTERM, exitOK)
	s.exec("state.db", "UPDATE schedules SET fired = fired - 1800000000")
	a, b := s.serve(clock), s.serve(clock)
	// The thirty of half an hour, and those that begin while a slow machine does them.
	caughtUp := "SELECT count(*) >= 30 AND min(state = 'done') FROM slots"
	until(t, "not caught up", func() bool { return s.query("state.db", caughtUp) == "1" })
	a.stops(syscall.SIGTERM, exitOK)
	b.stops(syscall.SIGTERM, exitOK)
	once := "SELECT count(*) = (SELECT count(*) FROM slots) AND count(*) = count(DISTINCT slot_at) AND min(ended > 0) FROM runs WHERE slot_set <> ''"
	if s.query("state.db", once) != "1" {
		t.Errorf("a slot was not run once and to its end: %s", s.do(exitOK, "runs", "list").out)
	}
	s.do(exitOK, "audit", "verify")
}
