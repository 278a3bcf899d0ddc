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

// serve starts the daemon; env may set its clock.
func (s site) serve(env ...string) daemonProcess {
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
