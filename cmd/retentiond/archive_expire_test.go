package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// endsPolicy archives after a year, and ends the archive after another.
const endsPolicy = siteHead + `limits: {share: 100%}
datasets:
  notes: {table: notes, subject: {person: id}}
rules:
  - id: notes
    title: Notes
    dataset: notes
    from: at
    approve: never
    stages:
      - {keep: 1 year, then: archive, to: sealed, why: a claim may follow}
      - {keep: 2 years, then: delete}
`

// endsSite has three rows that are to be archived, and not to end yet.
func endsSite(t *testing.T) site {
	t.Helper()
	s := newSiteWith(t, endsPolicy, "CREATE TABLE notes (id INTEGER PRIMARY KEY, at TEXT); CREATE INDEX notes_at ON notes (at); INSERT INTO notes SELECT value, datetime('now', '-18 months') FROM json_each('[1,2,3]')")
	s.vaultAt("./vault")
	return s
}

func (s site) vaultAt(path string) {
	s.Helper()
	s.write("retentiond.yaml", strings.Replace(siteConfig, "vaults:\n", "vaults:\n  sealed: {path: "+path+", recipients: ["+crashRecipient+"]}\n", 1))
}

// soonOver makes what was archived due to end.
func (s site) soonOver() {
	s.Helper()
	s.write("policies/shop.yaml", strings.Replace(endsPolicy, "keep: 2 years", "keep: 17 months", 1))
}

// sealedFiles are those of the vault's segments, whoever they belong to.
func (s site) sealedFiles() (n int) {
	s.Helper()
	must(s.T, filepath.WalkDir(s.path("vault"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), ".") && !strings.Contains(path, ".retentiond-seen") {
			n++
		}
		return err
	}))
	return n
}

// whole: nothing that the site archived is missing or damaged. Segments of others are
// told, and no harm.
func (s site) whole() {
	s.Helper()
	if r := s.anyCode("archive", "verify", "--output", "json"); strings.Contains(r.out, `"missing"`) || strings.Contains(r.out, `"damaged"`) || !strings.Contains(r.out, "findings") {
		s.Errorf("archive verify says %s %s", r.out, r.err)
	}
}

// No archive ends by a clock that is not what it was, nor one that the state store has
// seen later: neither by the command that ends archives, nor by a run, nor where the
// source itself is away (L12).
func TestClockGuardsArchives(t *testing.T) {
	t.Parallel()
	s := endsSite(t)
	s.do(exitOK, "run")
	sealed := s.sealedFiles()
	if sealed == 0 {
		t.Fatal("nothing was sealed")
	}
	ahead, now := time.Now().AddDate(1, 0, 0), time.Now()
	stays := func(when string) {
		t.Helper()
		if n := s.sealedFiles(); n != sealed {
			t.Fatalf("%s: %d files are left of %d", when, n, sealed)
		}
	}
	refused := func(at time.Time, when, why string) {
		t.Helper()
		for _, args := range [][]string{{"archive", "expire"}, {"archive", "expire", "--approve", "--by", "Ada"}, {"run"}} {
			s.at(at, exitRefused, append(args, "--output", "json")...).is("refusals/0/code", "clock").says(why)
			stays(when)
		}
	}
	refused(ahead, "a year ahead", "differs by")
	s.rename("crm.db", "away.db")
	s.at(ahead, exitRefused, "archive", "expire", "--output", "json").says(`"clock"`, "the clock jumped forward")
	stays("a year ahead, with its source away")
	s.rename("away.db", "crm.db")
	s.soonOver()
	s.at(now.Add(2*time.Hour), exitOK, "plan", "--accept-clock")
	refused(now, "once the state store has seen a later time", "the clock went back")
	s.do(exitOK, "run", "--accept-clock")
	if n := s.sealedFiles(); n != 0 {
		t.Errorf("%d files are left once a person said that the clock is right", n)
	}
}

// atOnce runs the commands at once, each as a process of its own, and returns what
// each said.
func atOnce(t *testing.T, command []string, sites ...site) []string {
	t.Helper()
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for _, s := range sites {
		cmd, out := retentiondProcess(t, s.dir, command...)
		must(t, cmd.Start())
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	var said []string
	for i, cmd := range cmds {
		_ = cmd.Wait() // how it ended is what the test looks at afterwards
		said = append(said, outs[i].String())
	}
	return said
}

// Two processes of one state store that end the same archives at once, and two daemons
// with a store each in one vault's directory that archive and end at once: each segment
// ends once, by its own store, and none of the other's is touched (L9).
func TestTwoInOneVault(t *testing.T) {
	t.Parallel()
	t.Run("one store", func(t *testing.T) {
		t.Parallel()
		s := endsSite(t)
		s.do(exitOK, "run")
		s.soonOver()
		said := atOnce(t, []string{"archive", "expire"}, s, s, s)
		s.do(exitOK, "archive", "expire")
		if n, ended := s.sealedFiles(), s.query("state.db", "SELECT count(*) = sum(expired_at > 0) FROM segments"); n != 0 || ended != "1" {
			t.Errorf("%d files are left, all segments ended: %s: %q", n, ended, said)
		}
		s.do(exitOK, "archive", "verify")
		s.do(exitOK, "audit", "verify")
	})
	t.Run("two stores", func(t *testing.T) {
		t.Parallel()
		a, b := endsSite(t), endsSite(t)
		b.vaultAt(a.path("vault"))
		said := atOnce(t, []string{"run"}, a, b)
		for _, s := range []site{a, b} {
			if got := s.query("crm.db", "SELECT count(*) FROM notes"); got != "0" {
				t.Fatalf("%s rows were not archived: %q", got, said)
			}
			s.whole()
		}
		both := a.sealedFiles()
		a.soonOver()
		atOnce(t, []string{"archive", "expire"}, a, b)
		a.do(exitOK, "archive", "expire")
		if n := a.sealedFiles(); n != both/2 {
			t.Errorf("%d of %d files are left", n, both)
		}
		b.whole()
		b.soonOver()
		b.do(exitOK, "archive", "expire")
		for _, s := range []site{a, b} {
			s.do(exitOK, "archive", "verify")
			s.do(exitOK, "audit", "verify")
		}
	})
}
