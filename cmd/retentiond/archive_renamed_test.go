package main

import (
	"os"
	"strings"
	"testing"
)

// archivingSite archives invoices after a year, to that vault, and ends them after five;
// one invoice of 2023 is in the vault, about person 100.
func archivingSite(t *testing.T, vault string) (s site, policy string) {
	t.Helper()
	policy = siteHead + `limits: {share: 100%}
datasets:
  invoices: {table: invoices, subject: {person: payer}}
rules:
  - id: invoices
    title: Invoices
    dataset: invoices
    from: at
    approve: never
    stages:
      - {keep: 1 year, then: archive, to: ` + vault + `, why: disputes}
      - {keep: 90 years, then: delete}
`
	s = newSiteWith(t, policy, `CREATE TABLE invoices (id INTEGER PRIMARY KEY, payer INTEGER, at TEXT);
CREATE INDEX invoices_at ON invoices (at); CREATE INDEX invoices_payer ON invoices (payer);
INSERT INTO invoices VALUES (1, 100, '2023-03-03'), (2, 101, '2999-10-03')`)
	s.write("retentiond.yaml", strings.Replace(siteConfig, "vaults:\n", "vaults:\n  other: {source: crm, prefix: other_}\n  sealed: {path: ./vault, recipients: ["+crashRecipient+"]}\n", 1))
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
	s.do(exitOK, "inventory")
	return s, policy
}

// segments are the files of the vault.
func (s site) segments() string {
	s.Helper()
	entries, err := os.ReadDir(s.path("vault"))
	if err != nil {
		s.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// L9: segments of a vault that has another name since are not what failed batches left.
func TestSealedVaultRenamed(t *testing.T) {
	t.Parallel()
	s, policy := archivingSite(t, "sealed")
	config := s.read("retentiond.yaml")
	kept := s.segments()
	s.write("retentiond.yaml", strings.Replace(config, "  sealed:", "  legal:", 1))
	s.write("policies/shop.yaml", strings.Replace(policy, "to: sealed", "to: legal", 1))
	for _, c := range [][]string{{"archive", "expire"}, {"archive", "verify"}, {"inventory"}} {
		s.do(exitError, c...).says(`that of vault "sealed", which has 1 segments`)
	}
	s.do(exitPartial, "run").says(`that of vault "sealed"`)
	s.write("retentiond.yaml", strings.Replace(config, "  sealed:", "  second: {path: vault/../vault, recipients: ["+crashRecipient+"]}\n  sealed:", 1))
	s.do(exitUsage, "archive", "expire").says("is the place of vault sealed too")
	if got := s.segments(); got != kept {
		t.Fatalf("the vault has %s, and had %s", got, kept)
	}
	// A vault that is no longer configured is told, whoever looks.
	s.write("retentiond.yaml", strings.Replace(config, "  sealed:", "  legal:", 1))
	s.write("retentiond.yaml", strings.Replace(s.read("retentiond.yaml"), "./vault,", "./elsewhere,", 1))
	s.do(exitPartial, "inventory").says("vault sealed: not counted: 1 segment is in a vault that the configuration does not have")
	s.do(exitVerify, "archive", "verify").says("missing sealed", "the configuration has no vault of this name")
	s.write("retentiond.yaml", config)
	s.write("policies/shop.yaml", policy)
	s.do(exitOK, "archive", "verify")
	s.do(exitOK, "inventory")
}

// Who died while it gave the place its name left a file that hinders nobody.
func TestPlaceThatWasBeingNamed(t *testing.T) {
	t.Parallel()
	s, policy := archivingSite(t, "cold")
	if err := os.Mkdir(s.path("vault"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.write("vault/.unfinished-.retentiond-vault", "abc\n")
	s.write("policies/shop.yaml", strings.Replace(policy, "to: cold", "to: sealed", 1))
	s.exec("crm.db", "INSERT INTO invoices VALUES (3, 100, '2023-03-03')")
	s.do(exitOK, "run", "--approve", "--by", "Ada", "--reason", "moved", "--output", "json").is("steps/0/done", "1")
	s.do(exitOK, "archive", "verify").says("Vault sealed: 1 segment verified")
}

// While everything is stopped nothing is removed from a vault either; afterwards what
// batches left is, and the log says so.
func TestSweepIsStoppedAndAudited(t *testing.T) {
	t.Parallel()
	s, _ := archivingSite(t, "sealed")
	name, kept := s.query("state.db", "SELECT name FROM segments"), s.segments()
	s.exec("state.db", "UPDATE segments SET vault = 'former'") // an outcome names it, of a vault of another name
	s.do(exitOK, "archive", "expire")
	if got := s.segments(); got != kept {
		t.Fatalf("the vault has %s, and had %s: what an outcome names was removed", got, kept)
	}
	s.exec("state.db", "DELETE FROM segments") // as if no outcome had named it
	s.do(exitOK, "stop-all", "--by", "Ada", "--reason", "incident")
	s.do(exitRefused, "archive", "expire").says("stopped")
	if got := s.segments(); got != kept {
		t.Errorf("while everything is stopped the vault has %s, and had %s", got, kept)
	}
	s.do(exitOK, "resume", "--by", "Ada", "--reason", "over")
	s.do(exitOK, "archive", "expire").says("removed " + name)
	if log := s.do(exitOK, "audit", "list", "--output", "json").out; strings.Count(log, `"archive.swept"`) != 1 || !strings.Contains(log, name) {
		t.Error("the log does not say what was removed, or not once")
	}
	s.do(exitOK, "audit", "verify")
}

// L9, L11: archived rows that nothing will ever end are told, however they got there.
func TestArchivesLeftBehind(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s site, config, policy string){
		"another vault": func(s site, _, policy string) {
			s.write("policies/shop.yaml", strings.Replace(policy, "to: cold", "to: other", 1))
		},
		"another kind": func(s site, _, policy string) {
			s.write("policies/shop.yaml", strings.Replace(policy, "to: cold", "to: sealed", 1))
		},
		"another prefix": func(s site, config, _ string) {
			s.write("retentiond.yaml", strings.Replace(config, "prefix: archive_", "prefix: arch_", 1))
		},
		"another name of rule": func(s site, _, policy string) {
			s.write("policies/shop.yaml", strings.Replace(policy, "id: invoices", "id: bills", 1))
		},
		"another table": func(s site, _, policy string) {
			s.exec("crm.db", "ALTER TABLE invoices RENAME TO bills")
			s.write("policies/shop.yaml", strings.Replace(policy, "table: invoices", "table: bills", 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, policy := archivingSite(t, "cold")
			change(s, s.read("retentiond.yaml"), policy)
			s.do(exitPartial, "inventory").says("archive_invoices: not explained", "Left behind: 1 item")
		})
	}
}
