package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever takes rows out of a hold in the state store, without a release that
// the log tells of, stops everything: no run acts, no plan is made, and the log
// does not verify (L3, L8).
func TestForgedHolds(t *testing.T) {
	t.Parallel()
	whole := newSite(t)
	whole.approve()
	whole.due(20)
	whole.hold("person:20")
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
			// A person may accept the holds as they are, and the log says so.
			s.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "looked into it")
			s.do(exitOK, "audit", "list", "--output", "json").says(`"adopted"`)
			s.do(exitOK, "audit", "verify")
			s.do(exitOK, "plan")
		})
	}
}

// A plan that was saved and approved before does not act past it either.
func TestForgedHoldsUnderASavedPlan(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.due(20)
	s.hold("person:20")
	plan := s.do(exitOK, "plan", "--output", "json").get("plan")
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
	s.do(exitOK, "plan")
	s.exec("state.db", "UPDATE audit_entries SET line = CAST(replace(line, 'plan.made', 'plan.mad3') AS BLOB)")
	r := s.do(exitVerify, "audit", "export", "--dir", s.path("out"), "--output", "json")
	r.is("ok", "false").says("entry")
	s.do(exitVerify, "audit", "export", "--dir", s.path("out")).says("does not verify")
	if _, err := os.Stat(s.path("out")); !os.IsNotExist(err) {
		t.Errorf("something was exported: %v", err)
	}
}

// An auditor has every policy text that was in force, and can compute the digest
// that the log has of it.
func TestExportedPolicies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.approve()
	s.write("policies/shop.yaml", strings.Replace(sitePolicy, "keep: 3 years", "keep: 4 years", 1))
	s.approve()
	s.do(exitOK, "audit", "export", "--dir", s.path("out"), "--output", "json").is("not_canonical", "[]")
	log, loaded := s.read("out/entries.jsonl"), 0
	names, err := filepath.Glob(s.path("out/policies/*.canonical.json"))
	if err != nil || len(names) != 2 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, path := range names {
		name := strings.TrimSuffix(filepath.Base(path), ".canonical.json")
		if sum := sha256.Sum256([]byte(s.read("out/policies/" + name + ".canonical.json"))); hex.EncodeToString(sum[:]) != name {
			t.Errorf("%s has the digest %x", path, sum)
		}
		if strings.Contains(log, `"digest":"sha256:`+name+`"`) {
			loaded++
		}
		if text := s.read("out/policies/" + name + ".yaml"); !strings.Contains(text, "policy: shop") {
			t.Errorf("the text of %s is %q", name, text)
		}
	}
	if loaded != 2 {
		t.Errorf("%d of 2 policies are those that the log loaded", loaded)
	}
	for _, name := range []string{"README.txt", "verify.py"} {
		if s.read("out/"+name) == "" {
			t.Errorf("%s is empty", name)
		}
	}
}
