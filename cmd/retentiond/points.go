package main

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// Variables that tests set, and nobody else (CONTRIBUTING.md). They end or pause
// this process, as a crash or a stalled machine would, and change nothing else.
const (
	envCrashAt = "RETENTIOND_CRASH_AT" // POINT[:NTH]: SIGKILL at the nth pass
	envStopAt  = "RETENTIOND_STOP_AT"  // POINT[:NTH]: SIGSTOP at the nth pass
	envLease   = "RETENTIOND_LEASE"    // how long a lease lasts without a heartbeat
	envClock   = "RETENTIOND_CLOCK"    // by how much this process's clock is off: less than a minute
)

// mine is one point at which something happens to this process.
type mine struct {
	at  retention.Point
	nth int
	do  func()
}

// mines are told of every point, by several goroutines.
type mines struct {
	mu    sync.Mutex
	armed []mine
}

// reached is what is told of points: what the environment arms; nil: nothing.
func (a *app) reached() (func(retention.Point), error) {
	if a.points != nil {
		return a.points, nil
	}
	m := &mines{}
	for _, v := range []struct {
		name string
		do   func()
	}{{envCrashAt, crash}, {envStopAt, pause}} {
		text := a.getenv(v.name)
		if text == "" {
			continue
		}
		one, err := parseMine(text)
		if err != nil {
			return nil, usage("POINT or POINT:NTH, such as acted:2", "%s: %v", v.name, err)
		}
		one.do = v.do
		m.armed = append(m.armed, one)
	}
	if len(m.armed) == 0 {
		return nil, nil
	}
	return m.pass, nil
}

func parseMine(text string) (mine, error) {
	name, nth, counted := strings.Cut(text, ":")
	m := mine{nth: 1}
	var err error
	if counted {
		if m.nth, err = strconv.Atoi(nth); err != nil || m.nth < 1 {
			return m, usage("", "%q is no number of a pass: they count from 1", nth)
		}
	}
	m.at, err = retention.ParsePoint(name)
	return m, err
}

func (m *mines) pass(p retention.Point) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.armed {
		if m.armed[i].at != p {
			continue
		}
		if m.armed[i].nth--; m.armed[i].nth == 0 {
			m.armed[i].do()
		}
	}
}

// leaseTime is 0, the store's default, unless a test shortens it.
func (a *app) leaseTime() (time.Duration, error) {
	text := a.getenv(envLease)
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 100*time.Millisecond {
		return 0, usage("such as 2s, at least 100ms", "%s is %q", envLease, text)
	}
	return d, nil
}

// shiftClock sets this process's clock off, within what the clock guard lets pass:
// tests do not wait for the minute to end.
func (a *app) shiftClock() error {
	text := a.getenv(envClock)
	if text == "" {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d.Abs() >= time.Minute {
		return usage("such as 20s, less than a minute", "%s is %q", envClock, text)
	}
	now := a.now
	a.now = func() time.Time { return now().Add(d) }
	return nil
}
