package main

import "testing"

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
