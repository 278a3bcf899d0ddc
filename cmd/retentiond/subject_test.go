package main

import (
	"strings"
	"testing"
	"time"
)

// TestSubjectsThatNobodyIsHeldBy: a subject column in which a hold would find
// nobody is an error of check, and its rule does not run; others do (L3).
func TestSubjectsThatNobodyIsHeldBy(t *testing.T) {
	t.Parallel()
	for _, on := range append(onServers(), ground{}) {
		t.Run(on.String(), func(t *testing.T) {
			t.Parallel()
			s := newSiteOn(t, on, strings.Replace(shopNever, "{person: id}", "{person: score}", 1), shopRows())
			s.exec("crm.db", "ALTER TABLE prospects ADD COLUMN score DOUBLE PRECISION")
			s.write("retentiond.yaml", strings.Replace(on.configure(siteConfig), "vaults:", "  bulk: {driver: sqlite, dsn: ./bulk.db}\nvaults:", 1))
			s.write("policies/bulk.yaml", strings.Replace(bulkPolicy, "then: delete}", "then: delete, approve: never}", 1))
			s.exec("bulk.db", "CREATE TABLE logs (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO logs VALUES (1, '2010-01-01 00:00:00')")
			s.do(exitUsage, "check").says("score", "rounded", "generated column")
			s.untouched("crm.db", func() {
				s.do(exitRefused, "plan", "--output", "json").is("refusals/0/code", "policy_error")
				s.do(exitPartial, "run")
			})
			if got := s.query("bulk.db", "SELECT count(*) FROM logs"); got != "0" {
				t.Errorf("%s rows of the other source are left", got)
			}
		})
	}
}

// TestSubjectsArePastedCleanly: an identifier that was pasted with what is around
// it is refused, and said why, without the identifier.
func TestSubjectsArePastedCleanly(t *testing.T) {
	s := newSite(t)
	for text, says := range map[string]string{
		"person:1\t": "tab", "person:1\n": "line break", "person:\n1": "line break", "person:1 ": "blank", "person: 1": "blank", "person :1": "blank",
		"person:1\u00a0": "blank", "person:\xff": "UTF-8", "person:1\x00": "control",
	} {
		for _, args := range [][]string{
			{"hold", "place", "--matter", "M", "--reason", "r", "--by", "Ada", "--allow-unmatched", "--subject", text},
			{"hold", "preview", "--subject", text},
			{"explain", "--subject", text},
		} {
			if strings.Contains(text, "\x00") { // no process can be given one
				s.at(time.Now(), exitUsage, args...).oneError("--subject", says)
				continue
			}
			s.do(exitUsage, args...).oneError("--subject", says)
		}
	}
	s.do(exitOK, "hold", "list", "--output", "json").is("holds/len", "0")
}
