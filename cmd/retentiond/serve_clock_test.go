package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// daemonInside is a daemon in the test's own process, with any clock: the environment
// only sets one off by less than the clock guard lets pass.
type daemonInside struct {
	site
	out  *said
	stop context.CancelFunc
	code chan int
}

// inside starts a daemon whose clock is off, and waits until it works.
func (s site) inside(off time.Duration) daemonInside {
	s.Helper()
	out := &said{}
	a := newApp(streams{In: strings.NewReader(""), Out: out, Err: out, Env: os.Environ()})
	a.now = func() time.Time { return time.Now().Add(off) }
	ctx, stop := context.WithCancel(s.Context())
	d := daemonInside{s, out, stop, make(chan int, 1)}
	go func() {
		d.code <- execute(ctx, a, []string{"--config", s.path("retentiond.yaml"), "--log-level", "debug", "serve"})
	}()
	s.Cleanup(func() {
		stop()
		if s.Failed() {
			s.Log(out)
		}
	})
	d.says(`"serving"`)
	return d
}

// insideAt starts a daemon whose clock shows that instant.
func (s site) insideAt(text string) daemonInside {
	s.Helper()
	at, err := time.Parse(time.RFC3339, text)
	must(s.T, err)
	return s.inside(time.Until(at))
}

func (d daemonInside) says(text string) {
	d.Helper()
	until(d.T, fmt.Sprintf("the daemon did not say %q", text), func() bool { return d.out.has(text) })
}

func (d daemonInside) ends() {
	d.Helper()
	d.stop()
	if code := <-d.code; code != exitOK {
		d.Errorf("exit code %d", code)
	}
}

// A daemon whose clock jumps, either way, acts on nothing and says so; with the right
// clock it goes on by itself (L12).
func TestServeClockJumps(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	d := s.serve(soon(3 * time.Second))
	until(t, "the first slot was not run", func() bool { return s.slots() == "done:1" })
	d.stops(syscall.SIGTERM, exitOK)
	s.due(7)
	s.untouched("crm.db", func() {
		for _, jump := range []time.Duration{20 * 24 * time.Hour, -3 * 24 * time.Hour} {
			d := s.inside(jump)
			s.exec("state.db", "UPDATE schedules SET fired = fired - 60000000")
			d.says("accept-clock")
			d.ends()
		}
	})
	d = s.serve(soon(3 * time.Second)) // slots of the wrong clock wait for their time
	until(t, "it did not go on with the right clock", func() bool { return s.ids() == "3 4 5 6" })
	d.stops(syscall.SIGTERM, exitOK)
	s.do(exitOK, "audit", "verify")
}

// On days of both kinds the daemon begins a slot once: a time that the clocks skip at
// the first instant after the gap, one that they repeat the first time. Its runs are
// refused, for the source's clock shows today.
func TestServeOnDaysOfChange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, during, after, want string }{
		"gap":  {"2026-03-29T00:50:00Z", "2026-03-29T00:59:57Z", "2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z"},
		"fold": {"2026-10-25T00:20:00Z", "2026-10-25T00:29:57Z", "2026-10-25T01:29:57Z", "2026-10-25T00:30:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSiteWith(t, strings.Replace(daemonPolicy, `"* * * * *"`, `"30 2 * * *"`, 1), siteSQL)
			s.write("retentiond.yaml", s.read("retentiond.yaml")+"schedule: {catch_up: all}\nhttp: {listen: 127.0.0.1:0}\n")
			slots := func() string {
				return s.query("state.db", "SELECT group_concat(strftime('%Y-%m-%dT%H:%M:%SZ', slot / 1000000, 'unixepoch')) FROM slots")
			}
			s.insideAt(c.before).ends()
			d := s.insideAt(c.during)
			d.says("a slot's run begins")
			if got := slots(); got != c.want {
				t.Errorf("slots %s, want %s", got, c.want)
			}
			d.ends()
			d = s.insideAt(c.after)
			time.Sleep(6 * time.Second) // over the time that comes again, and longer than the daemon's look
			d.ends()
			if got := slots(); got != c.want {
				t.Errorf("slots %s, want %s", got, c.want)
			}
		})
	}
}
