package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fleetSite is a fleet of SQLite databases of the fleet's schema, whose rules ask
// nobody.
func fleetSite(t *testing.T, tenants ...string) site {
	t.Helper()
	s := site{T: t, dir: t.TempDir()}
	s.write("retentiond.yaml", "sources: {tenants: {driver: sqlite, dsns_file: ./fleet.txt}}\nhttp: {listen: 127.0.0.1:0}\naudit: {origin: example.org/retention, key_file: ./audit.key}\npolicies: ./policies\n")
	s.write("policies/shop.yaml", strings.NewReplacer("source: tenants\n", "source: tenants\nschedule: \"* * * * *\"\n", "then: delete}", "then: delete, approve: never}").Replace(fleetPolicy))
	for _, name := range tenants {
		s.exec(name+".db", fleetSchema)
	}
	s.write("fleet.txt", s.lines(tenants))
	return s
}

// lines lists tenants by their absolute paths.
func (s site) lines(tenants []string) string {
	out := "# the tenants\n"
	for _, name := range tenants {
		out += name + "=" + s.path(name+".db") + "\n"
	}
	return out
}

// slotNow makes a slot due, and waits until it ran.
func (s site) slotNow() {
	s.Helper()
	was := s.query("state.db", "SELECT count(*) FROM slots WHERE state = 'done'")
	s.exec("state.db", "UPDATE schedules SET fired = fired - 60000000")
	until(s.T, "the slot did not run", func() bool {
		return s.query("state.db", "SELECT count(*) FROM slots WHERE state = 'done'") != was
	})
}

// Tenants that come are taken without a restart, and held rows stay there from the
// first batch on; one that goes is left alone, and nobody fails for it.
func TestServeTakesTenants(t *testing.T) {
	t.Parallel()
	s := fleetSite(t, "a", "b")
	d := s.serve(soon(3 * time.Second))
	const rows = "SELECT group_concat(id) FROM (SELECT id FROM prospects ORDER BY id)"
	until(t, "the first slot did not run", func() bool { return s.slots() == "done:1" && s.query("b.db", rows) == "3" })
	s.do(exitOK, "hold", "place", "--matter", "M", "--subject", "person:1", "--reason", "claim", "--by", "Ada", "--allow-unmatched")
	s.exec("c.db", fleetSchema)
	if err := os.Remove(s.path("a.db")); err != nil {
		t.Fatal(err)
	}
	s.write("fleet.txt", s.lines([]string{"b", "c"}))
	d.says("tenants changed: tenants/c is new")
	d.says("tenants changed: tenants/a is taken out")
	s.slotNow()
	if got := s.query("c.db", rows); got != "1,3" {
		t.Errorf("rows %s of the new tenant: the held one must stay, the other one go", got)
	}
	for _, bad := range []string{"source_down", s.path("a.db"), "restart"} {
		if d.out.has(bad) {
			t.Errorf("the daemon says %s of a tenant that was taken out, or of a list of tenants", bad)
		}
	}
	if n := s.query("state.db", "SELECT count(*) FROM audit_entries WHERE kind = 'refusal'"); n != "0" {
		t.Errorf("%s refusals", n)
	}
	s.do(exitOK, "audit", "verify")
	d.stops(syscall.SIGTERM, exitOK)
}

// A list that cannot be read, or names no tenant, leaves those that are in force; a
// signal reads it at once.
func TestServeKeepsTenants(t *testing.T) {
	t.Parallel()
	s := fleetSite(t, "a")
	d := s.serve(soon(50 * time.Second))
	s.write("fleet.txt", "# nobody\n")
	d.says("the configuration no longer loads: the one in force stays")
	s.slotNow()
	if got := s.query("a.db", "SELECT count(*) FROM prospects"); got != "1" {
		t.Errorf("%s rows: the tenant in force was not done", got)
	}
	s.exec("b.db", fleetSchema)
	s.write("fleet.txt", s.lines([]string{"a", "b"}))
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.says("tenants changed: tenants/b is new")
	s.write("retentiond.yaml", strings.Replace(s.read("retentiond.yaml"), "dsns_file: ./fleet.txt", "at_once: 2, dsns_file: ./fleet.txt", 1))
	d.says("in force after a restart")
	d.stops(syscall.SIGTERM, exitOK)
}
