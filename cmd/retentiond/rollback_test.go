package main

import (
	"strings"
	"testing"
)

// A state store that went back to before a hold and then places another one
// gives it the version that the lost hold had. No gate lets it pass, and nothing
// acts: the lost hold's rows stay (L3).
func TestRolledBackStorePlacesNoHold(t *testing.T) {
	t.Parallel()
	s := lived(t)
	s.save("old", "state.db", "audit.key.checkpoint")
	s.hold("person:7")
	s.restore("old", "state.db", "audit.key.checkpoint")
	place := []string{"hold", "place", "--matter", "N", "--subject", "person:6", "--reason", "claim", "--by", "Ada", "--wait", "2s"}
	s.untouched("crm.db", func() {
		s.do(exitRefused, place...).says("it went back and grew again", "check --adopt --by NAME --reason TEXT")
		s.do(exitRefused, append(place, "--output", "json")...).is("state", "placing", "in_force/crm", "false").says("it went back and grew again")
		s.do(exitOK, "hold", "list", "--output", "json").is("holds/1/state", "placing", "holds/2/state", "placing")
		s.do(exitRefused, "run", "--output", "json").says("state_mismatch", "check --adopt --by NAME --reason TEXT")
	})
	s.do(exitVerify, "audit", "verify")
	s.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "restored")
	s.do(exitOK, "run")
	s.do(exitOK, "hold", "list", "--output", "json").is("holds/1/state", "in_force", "holds/2/state", "in_force")
}

// The other half: a hold that is extended passes every gate again, with the log
// that holds the extension.
func TestRolledBackStoreExtendsNoHold(t *testing.T) {
	t.Parallel()
	s := lived(t)
	hold := s.hold("person:6")
	s.save("old", "state.db", "audit.key.checkpoint")
	s.do(exitOK, "hold", "add", hold, "--subject", "person:7", "--by", "Ada")
	s.restore("old", "state.db", "audit.key.checkpoint")
	s.untouched("crm.db", func() {
		s.do(exitRefused, "hold", "add", hold, "--subject", "person:3", "--by", "Ada", "--wait", "2s").says("it went back and grew again")
		s.do(exitRefused, "run", "--output", "json").says("state_mismatch")
	})
}

// A sealed vault has no gate, and its database may have been copied with the state: the
// vault itself knows that a hold came since, and its segments stay (L3).
func TestRolledBackStoreEndsNoSegment(t *testing.T) {
	t.Parallel()
	s, policy := archivingSite(t, "sealed")
	names := []string{"state.db", "audit.key.checkpoint", "crm.db"}
	s.save("old", names...)
	s.hold("person:100")
	s.restore("old", names...)
	kept := s.segments()
	s.write("policies/shop.yaml", strings.Replace(policy, "keep: 90 years", "keep: 2 years", 1))
	s.do(exitUsage, "check", "--output", "json").says("state_mismatch", "has seen holds version 1")
	s.do(exitRefused, "run", "--output", "json").says("state_mismatch", "has seen holds version 1")
	s.do(exitRefused, "archive", "expire").says("has seen holds version 1")
	if got := s.segments(); got != kept {
		t.Fatalf("the vault has %s, and had %s", got, kept)
	}
	s.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "restored")
	s.do(exitOK, "run", "--approve", "--by", "Ada")
	if got := s.segments(); strings.Contains(got, ".manifest") {
		t.Errorf("once it is adopted, the vault has %s", got)
	}
}
