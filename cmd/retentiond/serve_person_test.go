package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// again makes the daemon's rule set due once more, as if a minute had passed.
func (s site) again() {
	s.Helper()
	n := s.query("state.db", "SELECT count(*) FROM slots")
	s.exec("state.db", "UPDATE schedules SET fired = fired - 60000000", "UPDATE slots SET slot = slot - 3600000000 * (SELECT count(*) FROM slots)")
	until(s.T, "no slot came", func() bool {
		return s.query("state.db", "SELECT count(*) FROM slots") != n && s.query("state.db", "SELECT count(*) FROM slots WHERE ended = 0") == "0"
	})
}

// What needs an approval is asked for once; the approved plan runs at the next slot,
// and then the rule runs by itself.
func TestServeAsksOnce(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, strings.TrimSuffix(daemonPolicy, "    approve: never\n"), siteSQL)
	d := s.serve(soon(2 * time.Second))
	until(t, "the slot was not done", func() bool { return s.slots() == "done:1" })
	s.untouched("crm.db", func() {
		for range 3 {
			s.again()
		}
	})
	if n := strings.Count(d.out.String(), "a plan waits for approval"); n != 1 {
		t.Errorf("it was asked for %d times", n)
	}
	if n := s.query("state.db", "SELECT count(*) FROM audit_entries WHERE kind = 'refusal'"); n != "1" {
		t.Errorf("%s refusals in the log", n)
	}
	plan := s.query("state.db", "SELECT plan FROM parked")
	s.do(exitOK, "runs", "list", "--output", "json").is("runs/0/verdict", "refused")
	last := s.do(exitOK, "runs", "list", "--output", "json").get("runs/0/run")
	s.do(exitOK, "runs", "show", last).says("waits for a person since plan " + plan)

	s.due(20) // since the plan: not in it
	s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "checked")
	s.again()
	if got := s.ids(); got != "3 4 5 6" {
		t.Errorf("rows %s: the plan's, and then what the rule found by itself, should be gone", got)
	}
	s.do(exitOK, "runs", "list", "--output", "json").is("runs/1/plan", plan, "runs/1/done", "2", "runs/1/slot", "null", "runs/0/done", "1")
	d.stops(syscall.SIGTERM, exitOK)
	s.do(exitOK, "audit", "verify")
}

// A rejected plan is not asked for again, until the rule means something else.
func TestServeHearsNo(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, strings.TrimSuffix(daemonPolicy, "    approve: never\n"), siteSQL)
	d := s.serve(soon(2 * time.Second))
	until(t, "the slot was not done", func() bool { return s.slots() == "done:1" })
	s.do(exitOK, "reject", s.query("state.db", "SELECT plan FROM parked"), "--by", "Ada", "--reason", "no")
	s.untouched("crm.db", func() {
		s.again()
		s.again()
		if n := strings.Count(d.out.String(), "a plan waits for approval"); n != 1 {
			t.Errorf("it was asked for %d times", n)
		}
		s.write("policies/shop.yaml", strings.Replace(s.read("policies/shop.yaml"), "keep: 3 years", "keep: 4 years", 1))
		d.says("shop/prospects")
		s.again()
	})
	until(t, "it was not asked for again after the rule changed", func() bool {
		return strings.Count(d.out.String(), "a plan waits for approval") == 2
	})
	d.stops(syscall.SIGTERM, exitOK)
}

// A policy that no longer loads stops its own rules; what it protects stays
// protected, and others run. Put right, it runs again.
func TestServeReloads(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	other := strings.NewReplacer("policy: shop", "policy: blog", "prospects:\n", "visits:\n", "table: prospects", "table: visits", "{person: id}", "none", "    children:\n      - {table: interactions, on: {prospect_id: id}, then: delete}\n", "    why: nobody\n",
		"- id: prospects", "- id: visits", "dataset: prospects", "dataset: visits", "from: {latest: [created_at, {table: interactions, on: {prospect_id: id}, column: occurred_at}]}", "from: at").Replace(daemonPolicy)
	s.write("policies/blog.yaml", other)
	s.exec("crm.db", "CREATE TABLE visits (id INTEGER PRIMARY KEY, at TEXT)", "CREATE INDEX visits_at ON visits (at)", "INSERT INTO visits VALUES (1, '2010-01-01 00:00:00')")
	good := s.read("policies/shop.yaml")
	s.write("policies/shop.yaml", strings.Replace(good, "keep: 3 years", "keep: 3 years\n    keeep: 4 years", 1))
	d := s.serve(soon(50 * time.Second)) // it never saw a good one
	d.says("a policy does not load")
	s.write("policies/shop.yaml", good)
	d.says("policies changed: policy shop is new")
	s.write("policies/shop.yaml", strings.Replace(good, "keep: 3 years", "keep: 3 years\n    keeep: 4 years", 1))
	until(t, "it was not refused again", func() bool { return strings.Count(d.out.String(), "a policy does not load") == 2 })
	s.exec("state.db", "UPDATE schedules SET fired = fired - 60000000")
	until(t, "the other policy did not run", func() bool { return s.query("crm.db", "SELECT count(*) FROM visits") == "0" })
	if got := s.ids(); got != "1 2 3 4 5 6" {
		t.Errorf("rows %s: rules of a policy that does not load acted", got)
	}
	s.write("policies/shop.yaml", "# put right\n"+good)
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the slots that waited were not caught up", func() bool { return s.ids() == "3 4 5 6" })
	s.write("retentiond.yaml", s.read("retentiond.yaml")+"log: {level: warn}\n")
	d.says("in force after a restart")
	d.stops(syscall.SIGTERM, exitOK)
	if n := s.query("state.db", "SELECT count(*) FROM audit_entries WHERE kind = 'policy.refused'"); n != "2" {
		t.Errorf("%s refused policies in the log", n)
	}
}

// Outside of a source's window nothing is begun, and the slot waits for it.
func TestServeWaitsForTheWindow(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	closed := time.Now().Add(3 * time.Hour)
	window := fmt.Sprintf(`, throttle: {window: "%s-%s"}`, closed.In(paris(t)).Format("15:04"), closed.Add(time.Hour).In(paris(t)).Format("15:04"))
	s.write("retentiond.yaml", strings.Replace(siteConfig, ", backups: 35 days", window, 1))
	s.untouched("crm.db", func() {
		d := s.serve(soon(2 * time.Second))
		d.says("window is closed")
		until(t, "the slot does not wait", func() bool { return s.slots() == "open:1" })
		d.stops(syscall.SIGTERM, exitOK)
	})
	if got, want := s.query("state.db", "SELECT after / 60000000 FROM slots"), fmt.Sprint(closed.Unix()/60); got != want {
		t.Errorf("it waits until minute %s, the window opens at %s", got, want)
	}
	s.write("retentiond.yaml", siteConfig)
	s.exec("state.db", "UPDATE slots SET after = 1") // the window opens
	d := s.serve(soon(50 * time.Second))
	until(t, "the slot was not run", func() bool { return s.slots() == "done:1" })
	d.stops(syscall.SIGTERM, exitOK)
	if got := s.ids(); got != "3 4 5 6" {
		t.Errorf("rows %s", got)
	}
}

func paris(t *testing.T) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// While the kill switch is on the daemon idles; then it goes on.
func TestServeStopsAndResumes(t *testing.T) {
	t.Parallel()
	const rows = 40_000
	s := bulkDaemon(t, rows)
	d := s.serve(soon(3 * time.Second))
	d.working(rows)
	s.do(exitOK, "stop-all", "--by", "Ada", "--reason", "incident")
	d.says("stopped by the kill switch")
	until(t, "the slot is not paused", func() bool { return s.slots() == "paused:1" })
	rest := s.logs()
	time.Sleep(2 * time.Second)
	if s.logs() != rest || rest == "0" {
		t.Errorf("%s rows, %s two seconds later", rest, s.logs())
	}
	s.do(exitOK, "resume", "--by", "Ada", "--reason", "over")
	until(t, "it did not go on", func() bool { return s.logs() == "0" })
	d.says("the kill switch is off")
	d.stops(syscall.SIGTERM, exitOK)
	if audited(t, s.dir) != rows {
		t.Errorf("%d of %d audited", audited(t, s.dir), rows)
	}
}
