package main

import (
	"os"
	"testing"
)

// Whoever takes rows out of a hold in the state store, without a release that
// the log tells of, stops everything: no run acts, no plan is made, and the log
// does not verify (L3, L8).
func TestForgedHolds(t *testing.T) {
	t.Parallel()
	whole := newSite(t)
	whole.approve()
	whole.hold("person:20")
	whole.due(20)
	whole.do(exitOK, "plan")
	whole.do(exitOK, "audit", "verify")
	whole.exec("state.db", "PRAGMA wal_checkpoint(TRUNCATE)")
	for name, forge := range map[string]string{
		"deleted":  "DELETE FROM holds; DELETE FROM hold_subjects; DELETE FROM hold_sources",
		"released": "UPDATE holds SET state = 'released'",
		"emptied":  "DELETE FROM hold_subjects",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := whole.copyOf(t)
			s.exec("state.db", forge)
			s.untouched("crm.db", func() {
				s.do(exitRefused, "run", "--output", "json").says("hold_unreadable", "hold h-")
				s.do(exitRefused, "plan", "--output", "json").says("hold_unreadable")
			})
			s.verify().is("ok", "false").says("hold h-")
		})
	}
}

// A plan that was saved and approved before does not act past it either.
func TestForgedHoldsUnderASavedPlan(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hold("person:20")
	s.due(20)
	plan := s.do(exitOK, "plan", "--save", "--output", "json").get("plan/id")
	s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "r")
	s.exec("state.db", "DELETE FROM holds", "DELETE FROM hold_subjects")
	s.untouched("crm.db", func() {
		s.do(exitRefused, "run", "--plan", plan, "--output", "json").says("hold_unreadable", "hold h-")
	})
}

// A log that does not verify is not exported: nothing is written.
func TestForgedExport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.do(exitOK, "plan", "--save")
	s.exec("state.db", "UPDATE audit_entries SET line = CAST(replace(line, 'plan.made', 'plan.mad3') AS BLOB)")
	r := s.do(exitVerify, "audit", "export", "--dir", s.path("out"), "--output", "json")
	r.is("ok", "false").says("entry")
	s.do(exitVerify, "audit", "export", "--dir", s.path("out")).says("does not verify")
	if _, err := os.Stat(s.path("out")); !os.IsNotExist(err) {
		t.Errorf("something was exported: %v", err)
	}
}
