package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const ownedPolicy = `version: 1
policy: owned
title: Applications with documents
controller: Example
timezone: Europe/Paris
source: crm
limits: {share: 100%, rows: 1000000}
datasets:
  applications:
    table: applications
    subject: {person: person}
    children: [{files: "uploads/{doc}", source: tree, then: delete}]
rules:
  - {id: applications, title: Applications, dataset: applications, from: at, keep: 1 year, then: delete, approve: never}
`

// ownedSite has n due applications, each with a document; every tenth is young.
func ownedSite(t *testing.T, n int) (s site, due, stays []string) {
	t.Helper()
	var rows []string
	for i := range n {
		at, doc := "2019-01-01", fmt.Sprintf("d%d/doc-%d.pdf", i%3, i)
		if i%10 == 0 {
			at = "2999-01-01"
			stays = append(stays, "uploads/"+doc)
		} else {
			due = append(due, "uploads/"+doc)
		}
		rows = append(rows, fmt.Sprintf("(%d, %d, '%s', '%s')", i, i, doc, at))
	}
	stays = append(stays, "uploads/nobodys.pdf", "other.pdf")
	s = newTree(t, append(slices.Clone(due), stays...)...)
	s.write("policies/files.yaml", ownedPolicy)
	s.exec("crm.db", "CREATE TABLE applications (id INTEGER PRIMARY KEY, person INTEGER, doc TEXT, at TEXT)", "CREATE INDEX applications_at ON applications (at)",
		"INSERT INTO applications VALUES "+strings.Join(rows, ", "))
	return s, due, stays
}

// A row's files go with it, those of a row that stays do not, and no value of a row
// leads anywhere else.
func TestFilesOfRows(t *testing.T) {
	t.Parallel()
	s, _, stays := ownedSite(t, 30)
	s.exec("crm.db", `INSERT INTO applications VALUES (900, 7, '../other.pdf', '2019-01-01'), (901, 8, '', '2019-01-01'), (902, 9, NULL, '2019-01-01'), (903, 9, '/etc/hostname', '2019-01-01'),
  (904, 1, 'nobodys.pdf', '2019-01-01'), (905, 1, 'nobodys.pdf', '2999-01-01'), (906, 77, 'held.pdf', '2019-01-01')`)
	s.write("tree/uploads/held.pdf", "x")
	s.hold("person:77")
	s.do(exitPartial, "run", "--output", "json").is("steps/0/done", "30", "steps/0/spared/blocked", "2").says(`"files uploads/{doc}": 27`, "2 rows of table applications stay: what they name leads out of the folder")
	if got := s.query("crm.db", "SELECT group_concat(id) FROM applications WHERE id IN (900, 901, 902, 903)"); got != "900,903" {
		t.Errorf("of rows that name no file, or one elsewhere, %s stay", got)
	}
	s.exec("crm.db", "UPDATE applications SET doc = NULL WHERE id IN (900, 903)")
	s.wantTree(append(slices.Clone(stays), "uploads/held.pdf")...) // nobodys.pdf is still named by 905
	s.exec("crm.db", "UPDATE applications SET at = '2019-01-01' WHERE id = 905")
	s.do(exitOK, "run").says("with 1 file of uploads/{doc}", "files in tree: blocks of the file system", "files in tree: backups") // copies of the files too
	s.wantTree(slices.DeleteFunc(append(stays, "uploads/held.pdf"), func(n string) bool { return n == "uploads/nobodys.pdf" })...)
	if log := s.do(exitOK, "audit", "list", "--output", "json").out; strings.Contains(log, "doc-") {
		t.Error("the audit log names a file")
	}
	s.do(exitOK, "audit", "verify")
}

// A file stays while any row names it, in whatever spelling leads to it, or by another
// column: in doubt it stays (the order is in engine/named.go).
func TestFilesOfRowsNamedOtherwise(t *testing.T) {
	t.Parallel()
	names := map[string]string{ // of rows that go → of rows that stay
		"case.pdf": "CASE.PDF", "dot.pdf": "./dot.pdf", "slash/a.pdf": "/slash/a.pdf", "slash/b.pdf": "/SLASH/B.PDF", "\u00e9.pdf": "e\u0301.pdf", "padded.pdf": "padded.pdf  ", "same.pdf": "same.pdf", "round/a.pdf": "round//a.pdf", "round/b.pdf": "round/./b.pdf", "round/c.pdf": "round/../round/c.pdf", "d.pdf": "../uploads/d.pdf", "back/a.pdf": `back\a.pdf`, "behind/a.pdf": "link/a.pdf", "behind/b.pdf": "b.link", "alone.pdf": "alone.pdf.old",
	}
	s := newTree(t)
	s.write("policies/files.yaml", strings.Replace(ownedPolicy, "\nrules:", `
  pictures: {table: pictures, subject: none, why: of nobody, children: [{files: "uploads/{file}.png", source: tree, then: delete}]}
rules:
  - {id: pictures, title: P, dataset: pictures, from: at, keep: 1 year, then: delete, approve: never}`, 1))
	s.exec("crm.db", "CREATE TABLE applications (id INTEGER PRIMARY KEY, person INTEGER, doc TEXT COLLATE RTRIM, at TEXT)", "CREATE TABLE pictures (id INTEGER PRIMARY KEY, file TEXT, at TEXT)",
		"INSERT INTO pictures VALUES (1, 'both', '2999-01-01')", "INSERT INTO applications VALUES (1000, 1, 'both.png', '2019-01-01')")
	s.write("tree/uploads/both.png", "x")
	stays := []string{"uploads/both.png", "uploads/link", "uploads/b.link"}
	n := 0
	for goes, stay := range names {
		s.write("tree/uploads/"+goes, "x")
		s.exec("crm.db", fmt.Sprintf("INSERT INTO applications VALUES (%d, 1, '%s', '2019-01-01'), (%d, 2, '%s', '2999-01-01')", n, goes, n+1, stay))
		if n += 2; goes != "alone.pdf" {
			stays = append(stays, "uploads/"+goes)
		}
	}
	must(t, os.Symlink("behind", s.path("tree/uploads/link")))
	must(t, os.Symlink("behind/b.pdf", s.path("tree/uploads/b.link")))
	s.do(exitOK, "run", "--output", "json").is("steps/1/done", "16").says(`"files uploads/{doc}": 1`)
	s.wantTree(stays...)
	s.exec("crm.db", "UPDATE applications SET at = '2019-01-01'", "UPDATE pictures SET at = '2019-01-01'")
	s.do(exitPartial, "run").says("7 rows of table applications stay")
	s.wantTree("uploads/dot.pdf", "uploads/slash/a.pdf", "uploads/slash/b.pdf", "uploads/round/a.pdf", "uploads/round/b.pdf", "uploads/round/c.pdf", "uploads/d.pdf", "uploads/link", "uploads/b.link")
}

// A file that may also be of a dataset of files does not go with its row: a minimum
// there would not be asked (L4).
func TestFilesOfRowsAndDatasets(t *testing.T) {
	t.Parallel()
	s, due, stays := ownedSite(t, 12)
	s.write("policies/keep.yaml", `version: 1
policy: keep
title: K
controller: Example
timezone: Europe/Paris
source: tree
datasets:
  docs: {files: "uploads/**/*.pdf", subject: none, why: the law keeps them}
rules:
  - {id: keep, title: K, dataset: docs, from: modified, at_least: 10 years}
`)
	s.do(exitRefused, "run").says("its holds and minimums would not protect them")
	s.wantTree(append(slices.Clone(due), stays...)...)
}

// What could not go is told, and goes with a later run; a hold that comes meanwhile
// keeps it (L3).
func TestFilesOfRowsLater(t *testing.T) {
	t.Parallel()
	s, due, stays := ownedSite(t, 12)
	must(t, os.Rename(s.path("tree/uploads"), s.path("uploads")))
	must(t, os.Symlink(s.path("uploads"), s.path("tree/uploads")))
	s.do(exitPartial, "run").says("files of rows that are gone are still there")
	must(t, os.Remove(s.path("tree/uploads")))
	must(t, os.Rename(s.path("uploads"), s.path("tree/uploads")))
	s.wantTree(append(slices.Clone(due), stays...)...)
	s.do(exitOK, "hold", "place", "--matter", "M", "--subject", "person:4", "--reason", "claim", "--by", "Ada", "--allow-unmatched")
	s.do(exitOK, "run")
	s.wantTree(append(stays, "uploads/d1/doc-4.pdf")...)
}

// A row that comes to name a file between the question and the batch keeps it (L6).
func TestFilesOfRowsNamedMeanwhile(t *testing.T) {
	t.Parallel()
	s, due, stays := ownedSite(t, 5)
	cmd, out := retentiondProcess(t, s.dir, "run", "--output", "json")
	cmd.Env = append(cmd.Env, envStopAt+"=intended:2")
	must(t, cmd.Start())
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("it did not stop: %v, %v: %s", err, status, out)
	}
	s.wantTree(append(slices.Clone(due), stays...)...)
	s.exec("crm.db", "INSERT INTO applications VALUES (900, 7, 'd1/doc-1.pdf', '2999-01-01')")
	must(t, cmd.Process.Signal(syscall.SIGCONT))
	must(t, cmd.Wait())
	s.wantTree(append(slices.Clone(stays), "uploads/d1/doc-1.pdf")...)
	if !strings.Contains(out.String(), `"files uploads/{doc} that stay, named by a row again": 1`) {
		t.Errorf("it says %s", out)
	}
	s.exec("crm.db", "DELETE FROM applications WHERE id = 900")
	s.do(exitOK, "run")
	s.wantTree(stays...)
	s.do(exitOK, "audit", "verify")
}

// A run that is killed at any moment forgets no file of a row that is gone, and takes
// none of a row that is there.
func TestFilesOfRowsCrash(t *testing.T) {
	t.Parallel()
	base, due, stays := ownedSite(t, 40)
	for _, at := range []string{"intended:1", "tested:1", "acted:1", "receipted:1", "committing:1", "committed:1", "concluded:1", "intended:2", "admitted:2", "receipted:2", "acted:2", "committing:2", "committed:2", "concluded:2", "erasing:1"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := site{T: t, dir: base.dir}.copyTree()
			cmd, out := retentiondProcess(t, s.dir, "run")
			cmd.Env = append(cmd.Env, envCrashAt+"="+at)
			err := cmd.Run()
			if !killed(err) {
				t.Fatalf("it did not die: %v: %s", err, out)
			}
			rows := strings.Fields(s.query("crm.db", "SELECT 'uploads/' || doc FROM applications"))
			there := s.tree()
			for _, n := range append(rows, stays...) {
				if !slices.Contains(there, n) {
					t.Errorf("%q is gone before its row", n)
				}
			}
			s.do(exitOK, "run")
			s.wantTree(stays...)
			if done := audited(t, s.dir); done != 2*int64(len(due)) {
				t.Errorf("%d rows and files are audited, not %d", done, 2*len(due))
			}
			s.do(exitOK, "audit", "verify")
		})
	}
}

const childFilesPolicy = `version: 1
policy: owned
title: Applications with documents
controller: Example
timezone: Europe/Paris
source: crm
limits: {share: 100%, rows: 1000000}
datasets:
  applications:
    table: applications
    subject: {person: person}
    children: [{table: documents, on: {application: id}, then: delete}]
  documents:
    table: documents
    subject: {WHO}
    purpose: beside the application
    children:
      - {files: "uploads/{doc}", source: tree, then: delete}
      - {files: "thumbs/{thumb}", source: tree, then: delete}
rules:
  - {id: applications, title: Applications, dataset: applications, from: at, keep: 1 year, then: delete, approve: never}
`

// childFiles has two due applications and a young one, each with documents that have
// files of two kinds; the second has more than go in one batch.
func childFiles(t *testing.T) site {
	t.Helper()
	s := newTree(t, "uploads/a", "uploads/b", "uploads/c", "uploads/shared", "uploads/9000", "thumbs/a", "thumbs/b", "thumbs/c", "thumbs/shared")
	s.write("policies/files.yaml", strings.Replace(childFilesPolicy, "WHO", "person: person", 1))
	s.exec("crm.db", "CREATE TABLE applications (id INTEGER PRIMARY KEY, person INTEGER, at TEXT)", "CREATE INDEX applications_at ON applications (at)",
		"CREATE TABLE documents (id INTEGER PRIMARY KEY, application INTEGER REFERENCES applications (id), person INTEGER, doc TEXT, thumb TEXT)", "CREATE INDEX documents_application ON documents (application)",
		"INSERT INTO applications VALUES (1, 1, '2019-01-01'), (2, 2, '2019-01-01'), (3, 3, '2999-01-01')",
		"INSERT INTO documents VALUES (1, 1, 1, 'a', 'a'), (2, 2, 2, 'b', 'b'), (3, 3, 3, 'c', 'c'), (4, 1, 1, 'shared', NULL), (5, 3, 3, 'shared', NULL), (6, 1, 1, NULL, 'shared'), (7, 3, 3, NULL, 'shared')",
		"WITH n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 10200) INSERT INTO documents SELECT i, 2, 2, i, NULL FROM n")
	return s
}

// Files of child rows go when these go along with their row, whichever batch takes them:
// each kind by the column that names it.
func TestFilesOfChildRows(t *testing.T) {
	t.Parallel()
	s := childFiles(t)
	s.exec("crm.db", "INSERT INTO applications VALUES (4, 4, '2019-01-01')", "INSERT INTO documents VALUES (90, 4, 4, 'c/../shared', NULL), (91, 4, 4, 'c', NULL)")
	s.do(exitPartial, "run", "--output", "json").is("steps/0/done", "2", "steps/0/spared/blocked", "1").says(`"files uploads/{doc}": 3`, `"files thumbs/{thumb}": 2`, "1 rows of table applications stay")
	if got := s.query("crm.db", "SELECT group_concat(id) FROM documents WHERE application = 4"); got != "90,91" {
		t.Errorf("of a row that stays, the children %s do", got)
	}
	s.wantTree("uploads/c", "uploads/shared", "thumbs/c", "thumbs/shared")
	s.do(exitOK, "audit", "verify")
}

// A hold finds a child row through the row that it goes with, by another person than its
// own, and by that row's dataset: it keeps the file once both rows are gone (L3).
func TestFilesOfChildRowsLater(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string][]string{"subject": {"--subject", "person:1"}, "dataset": {"--dataset", "owned/applications"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTree(t, "away/a", "away/b")
			s.write("policies/files.yaml", strings.Replace(childFilesPolicy, "WHO", "person: person", 1))
			s.exec("crm.db", "CREATE TABLE applications (id INTEGER PRIMARY KEY, person INTEGER, at TEXT)", "CREATE TABLE documents (id INTEGER PRIMARY KEY, application INTEGER, person INTEGER, doc TEXT, thumb TEXT)",
				"CREATE INDEX a ON applications (at)", "CREATE INDEX d ON documents (application)",
				"INSERT INTO applications VALUES (1, 1, '2019-01-01'), (2, 2, '2019-01-01')", "INSERT INTO documents VALUES (1, 1, 900, 'a', NULL), (2, 2, 900, 'b', NULL)")
			must(t, os.Symlink("away", s.path("tree/uploads")))
			s.do(exitPartial, "run").says("files of rows that are gone are still there")
			must(t, os.Remove(s.path("tree/uploads")))
			must(t, os.Rename(s.path("tree/away"), s.path("tree/uploads")))
			s.do(exitOK, append([]string{"hold", "place", "--matter", "M", "--reason", "claim", "--by", "Ada", "--allow-unmatched"}, hold...)...)
			s.do(exitOK, "run")
			if name == "dataset" {
				s.wantTree("uploads/a", "uploads/b")
			} else {
				s.wantTree("uploads/a")
			}
		})
	}
}

// A child row that does not say itself whom it is about would leave files that no hold
// finds once it is gone (L3); rows whose files would stay are not archived.
func TestFilesOfChildRowsRefused(t *testing.T) {
	t.Parallel()
	s := childFiles(t)
	before := s.tree()
	s.write("policies/files.yaml", strings.Replace(childFilesPolicy, "subject: {WHO}", "subject: none\n    why: names", 1))
	s.do(exitRefused, "run").says("they would not find its files")
	s.write("policies/files.yaml", strings.Replace(strings.Replace(childFilesPolicy, "WHO", "person: person", 1), "keep: 1 year, then: delete,", "stages: [{keep: 1 year, then: archive, to: cold, why: w}, {keep: 9 years, then: delete}],", 1))
	config := s.read("retentiond.yaml")
	s.write("retentiond.yaml", config+"vaults:\n  cold: {source: crm, prefix: old_}\n")
	s.do(exitRefused, "run").says("files that go with a row are not archived")
	s.wantTree(before...)
}

// Files that cannot go stop none of those behind them (L13).
func TestFilesOfRowsOneStuck(t *testing.T) {
	t.Parallel()
	s, _, stays := ownedSite(t, 12)
	s.exec("crm.db", "UPDATE applications SET doc = 'stuck' WHERE id = 1")
	s.write("tree/uploads/stuck/inner", "x")
	s.do(exitPartial, "run").says("no plain files")
	s.exec("crm.db", "INSERT INTO applications VALUES (900, 7, 'later-1.pdf', '2019-01-01')")
	s.write("tree/uploads/later-1.pdf", "x")
	s.do(exitPartial, "run").says("no plain files")
	s.exec("crm.db", "INSERT INTO applications VALUES (901, 7, 'later-2.pdf', '2019-01-01')")
	s.write("tree/uploads/later-2.pdf", "x")
	s.do(exitPartial, "run").says("no plain files")
	s.wantTree(append(stays, "uploads/stuck/inner", "uploads/d1/doc-1.pdf")...)
	s.do(exitOK, "inventory").says("1 no plain files, or behind a link")
}

// Only the file that was there when its row went goes: one that has the name since is
// another's, whose row may come later (L6). A held one is told (L11).
func TestFilesOfRowsNamedAnew(t *testing.T) {
	t.Parallel()
	s, _, stays := ownedSite(t, 12)
	s.exec("crm.db", "INSERT INTO applications VALUES (900, 7, 'missing.pdf', '2019-01-01')")
	cmd, out := retentiondProcess(t, s.dir, "run")
	cmd.Env = append(cmd.Env, envCrashAt+"=committed:1")
	if err := cmd.Run(); !killed(err) {
		t.Fatalf("it did not die: %v: %s", err, out)
	}
	if got := s.query("crm.db", "SELECT count(*) FROM applications WHERE at < '2020'"); got != "0" {
		t.Fatalf("%s rows are left: the crash is too early", got)
	}
	must(t, os.Remove(s.path("tree/uploads/d1/doc-1.pdf")))
	s.write("tree/uploads/d1/doc-1.pdf", "the file of another person")
	s.write("tree/uploads/missing.pdf", "comes after its row")
	s.do(exitOK, "hold", "place", "--matter", "M", "--subject", "person:4", "--reason", "claim", "--by", "Ada", "--allow-unmatched")
	s.do(exitOK, "run", "--output", "json").says(`"files uploads/{doc} that stay, changed since their row went": 1`, `"files uploads/{doc} that stay, held": 1`)
	s.wantTree(append(stays, "uploads/d1/doc-1.pdf", "uploads/missing.pdf", "uploads/d1/doc-4.pdf")...)
	s.do(exitOK, "inventory").says("1 held", "1 changed since their row went")
	s.do(exitOK, "run").says("that stay, held")
}
