package main

import (
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// A server whose clock is not this machine's is asked nothing until a person says that
// its clock is right; one that is off by some seconds is no matter. Its own clock moves,
// not ours: faketime turns it.
func TestServerClockSkew(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		for by, code := range map[string]int{"-3m": exitRefused, "+2h": exitRefused, "-20s": exitOK} {
			t.Run(on.driver+by, func(t *testing.T) {
				t.Parallel()
				s := newSiteOn(t, on.of(on.privateServer(t, servers.Clock(by))), shopNever, shopRows())
				s.do(exitOK, "check", "--install")
				r := s.do(code, "run", "--output", "json")
				if code == exitOK {
					r.is("steps/0/done", "2")
					return
				}
				r.is("verdict", "refused", "refusals/0/code", "clock").says("crm")
				if got := s.ids(); got != "1 2 3 4 5 6" {
					t.Errorf("rows %s are left", got)
				}
				s.do(exitRefused, "plan", "--output", "json").is("refusals/0/code", "clock")
				s.do(exitOK, "run", "--accept-clock", "--output", "json").is("steps/0/done", "2")
				s.do(exitOK, "audit", "verify")
			})
		}
	}
}
