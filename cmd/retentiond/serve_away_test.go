package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
)

// moved renames within the site.
func (s site) moved(from, to string) {
	s.Helper()
	if err := os.Rename(s.path(from), s.path(to)); err != nil {
		s.Fatal(err)
	}
}

func (s site) link(to, name string) {
	s.Helper()
	if err := os.Symlink(to, s.path(name)); err != nil {
		s.Fatal(err)
	}
}

// Policies that are replaced behind a link, or with their directory, are seen: the
// old period, which is shorter, deletes nothing.
func TestServeSeesReplacedPolicies(t *testing.T) {
	t.Parallel()
	longer := strings.Replace(daemonPolicy, "keep: 3 years", "keep: 90 years", 1)
	for name, replace := range map[string]func(s site){
		"mounted": func(s site) {
			s.link("..rev2", "policies/..data_tmp")
			s.moved("policies/..data_tmp", "policies/..data")
		},
		"directory replaced": func(s site) {
			s.moved("policies", "old")
			s.moved("other", "policies")
			time.Sleep(3 * time.Second) // what is there now says the same
			s.write("policies/shop.yaml", longer)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSiteWith(t, daemonPolicy, siteSQL)
			if name == "mounted" {
				s.write("policies/..rev1/shop.yaml", daemonPolicy)
				s.write("policies/..rev2/shop.yaml", longer)
				s.remove("policies/shop.yaml")
				s.link("..rev1", "policies/..data")
				s.link("..data/shop.yaml", "policies/shop.yaml")
			} else {
				s.write("other/shop.yaml", daemonPolicy)
			}
			d := s.serve(soon(18 * time.Second))
			time.Sleep(3 * time.Second) // past the first look
			replace(s)
			d.says("policy shop changed")
			until(t, "the slot was not done", func() bool { return s.slots() == "done:1" })
			d.stops(syscall.SIGTERM, exitOK)
			if got := s.ids(); got != "1 2 3 4 5 6" {
				t.Errorf("rows %s: the old period deleted", got)
			}
		})
	}
}

// A directory that is missing for a moment stops its rules and is not gone; back, they
// run.
func TestServeKeepsMissingPolicies(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	hook := newHook(t, "")
	d := s.serve(soon(15*time.Second), "RETENTIOND_NOTIFY_WEBHOOK_URL="+hook.URL)
	s.moved("policies", "aside")
	d.says("the policy is in no file now")
	until(t, "nobody was told", func() bool { return hook.got("policy") == 1 })
	s.untouched("crm.db", func() { time.Sleep(12 * time.Second) }) // past the slot's time
	if d.out.has("is gone") {
		t.Error("it counts as gone")
	}
	s.moved("aside", "policies")
	until(t, "the rules do not run again", func() bool { return s.ids() == "3 4 5 6" })
	d.stops(syscall.SIGTERM, exitOK)
}

// Only a policy that has been missing for long is gone, and none is while a path
// cannot be read.
func TestGuardAway(t *testing.T) {
	t.Parallel()
	shop := &retention.Policy{Name: "shop"}
	for name, c := range map[string]struct {
		since      time.Duration
		unreadable bool
		unread     bool
		guards     int
	}{
		"at once":            {0, false, false, 1},
		"soon":               {awayTime / 2, false, false, 1},
		"long":               {awayTime, false, false, 0},
		"long, unreadable":   {awayTime, true, false, 1},
		"just readable":      {awayTime, false, true, 1},
		"long, and another":  {2 * awayTime, false, false, 0},
		"both, and for long": {2 * awayTime, true, true, 1},
	} {
		k := &keeper{unread: c.unread}
		if c.since > 0 {
			k.away = map[string]time.Time{"shop": time.Now().Add(-c.since)}
		}
		next := &engine.Engine{}
		k.guardAway(next, &engine.Engine{Guards: []*retention.Policy{shop}}, c.unreadable)
		if len(next.Guards) != c.guards || len(k.next) != c.guards {
			t.Errorf("%s: %d guards, %d away; want %d", name, len(next.Guards), len(k.next), c.guards)
		}
	}
}

// A start names what it will run and when, and plans that wait; so does status.
func TestServeSaysWhatWaits(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, strings.Replace(daemonPolicy, "    approve: never\n", "", 1), siteSQL)
	d := s.serve(soon(3 * time.Second))
	d.says("a plan waits for approval")
	d.stops(syscall.SIGTERM, exitOK)
	plan := s.do(exitOK, "status", "--output", "json").is("waiting/0/policies/0", "shop").get("waiting/0/plan")
	s.do(exitOK, "status").says("waits", plan)
	d = s.serve(soon(40 * time.Second))
	d.says(plan)
	for _, text := range []string{`"policy":"shop","schedule":"* * * * *","rules":["prospects"],"next":"20`} {
		d.says(text)
	}
	d.stops(syscall.SIGTERM, exitOK)
	s.do(exitOK, "reject", plan, "--by", "Ada", "--reason", "no")
	if out := s.do(exitOK, "status").out; strings.Contains(out, plan) {
		t.Errorf("a rejected plan waits: %s", out)
	}
}
