package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

const archiveConfig = filesConfig + "vaults:\n  sealed: {path: ./vault, recipients: [" + crashRecipient + "]}\n  tables: {source: crm, prefix: old_}\n"

// archivePolicy: recordings go to the archive after a year, and from there after ten.
const archivePolicy = `version: 1
policy: files
title: Files
controller: Example
timezone: Europe/Paris
source: tree
limits: {share: 100%, rows: 1000000}
datasets:
  videos:
    files: "videos/**/*"
    subject: {person: {name: '^u(?P<id>\d+)-'}}
rules:
  - id: videos
    title: Recordings
    dataset: videos
    from: {name: '-(?P<date>\d{8})'}
    approve: never
    stages:
      - {keep: 1 year, then: archive, to: sealed, why: disputes}
      - {keep: 10 years, then: delete}
`

// newArchive is a tree with a sealed vault.
func newArchive(t *testing.T) site {
	t.Helper()
	s := newTree(t)
	s.write("retentiond.yaml", archiveConfig)
	s.write("policies/files.yaml", archivePolicy)
	return s
}

// put writes a file that was last changed at an odd time, and may be read by all.
func (s site) put(name string, content []byte) {
	s.Helper()
	s.write("tree/"+name, string(content))
	at := time.Unix(1_600_000_000, 123_456_789)
	must(s.T, os.Chmod(s.path("tree/"+name), 0o744))
	must(s.T, os.Chtimes(s.path("tree/"+name), at, at))
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

// Files go to a sealed vault and come back as they left, byte by byte, whatever their
// names and sizes; what is held or young stays, and the archive ends by the original
// clock (L3, L9).
func TestFilesAreArchived(t *testing.T) {
	t.Parallel()
	s := newArchive(t)
	day := time.Now().AddDate(-2, 0, 0).Format("20060102")
	want := map[string][]byte{}
	for i, n := range []int{0, 1, 1 << 20, 1<<20 + 1, retention.MaxContent, 2*retention.MaxContent + 5} {
		want[fmt.Sprintf("videos/d%d/u1-\n\xff%d-%s", i%3, n, day)] = noise(n)
	}
	for name, content := range want {
		s.put(name, content)
	}
	hole := "videos/u1-hole-" + day
	s.put(hole, []byte("x"))
	must(t, os.Truncate(s.path("tree/"+hole), 3<<20))
	must(t, os.Chtimes(s.path("tree/"+hole), time.Unix(1, 0), time.Unix(1, 0)))
	want[hole] = append([]byte("x"), make([]byte, 3<<20-1)...)
	s.put("videos/u7-"+day, []byte("held"))
	s.put("videos/u1-"+time.Now().Format("20060102"), []byte("young"))
	s.hold("person:7")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", fmt.Sprint(len(want)))
	if got := s.tree(); len(got) != 2 {
		t.Errorf("the tree still has %q", got)
	}
	s.do(exitOK, "archive", "verify")
	s.do(exitOK, "archive", "list")
	who := identityFile(t, s.dir)
	restore := func(code int, more ...string) reply {
		return s.do(code, append([]string{"archive", "restore", "--identity", who, "--by", "Ada", "--reason", "a test"}, more...)...)
	}
	restore(exitOK, "--folder", s.path("back"), "--output", "json").is("files", fmt.Sprint(len(want)), "left", "0")
	for name, content := range want {
		got, err := os.ReadFile(s.path("back/" + name))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%q came back with %d bytes, %d left: %v", name, len(got), len(content), err)
			continue
		}
		at := time.Unix(1_600_000_000, 123_456_789)
		if name == hole {
			at = time.Unix(1, 0)
		}
		if st, err := os.Stat(s.path("back/" + name)); err != nil || !st.ModTime().Equal(at) || st.Mode().Perm() != 0o700 {
			t.Errorf("%q came back as %v, %v", name, st.ModTime(), st.Mode())
		}
	}
	must(t, os.WriteFile(s.path("back/"+hole), []byte("other"), 0o600))
	restore(exitPartial, "--folder", s.path("back")).says("1 file was left")
	if b, err := os.ReadFile(s.path("back/" + hole)); err != nil || string(b) != "other" {
		t.Errorf("a file was replaced: %q, %v", b, err)
	}
	restore(exitOK, "--folder", s.path("one"), "--key", hole, "--output", "json").is("files", "1")
	restore(exitUsage, "--folder", s.path("none"), "--subject", "person:2")
	s.do(exitOK, "audit", "verify")
	if left, err := os.ReadDir(s.path("back")); err != nil || len(left) != 1 {
		t.Errorf("the folder has %v, %v", left, err)
	}
	s.write("policies/files.yaml", strings.Replace(archivePolicy, "10 years", "18 months", 1))
	s.do(exitOK, "archive", "expire")
	if left, err := os.ReadDir(s.path("vault")); err != nil || strings.Contains(fmt.Sprint(left), ".age") {
		t.Errorf("the vault still has %v, %v", left, err)
	}
}

// Files do not go into tables: the rule is refused, and nothing happens.
func TestFilesAndTableVaults(t *testing.T) {
	t.Parallel()
	s := newArchive(t)
	s.write("policies/files.yaml", strings.Replace(archivePolicy, "to: sealed", "to: tables", 1))
	s.put("videos/u1-20200101", []byte("x"))
	s.do(exitRefused, "run").says("files do not go into tables")
	s.do(exitUsage, "check").says("files do not go into tables")
	s.wantTree("videos/u1-20200101")
}

// restoredTo restores everything into a folder, and returns what is there by path.
func (s site) restoredTo(folder string) map[string]string {
	s.Helper()
	return s.restoredAs(exitOK, folder)
}

// restoredNewest is restoredTo where older contents of a path are left.
func (s site) restoredNewest(folder string) map[string]string {
	s.Helper()
	return s.restoredAs(exitPartial, folder)
}

func (s site) restoredAs(code int, folder string) map[string]string {
	s.Helper()
	s.do(code, "archive", "restore", "--identity", identityFile(s.T, s.dir), "--by", "Ada", "--reason", "a test", "--folder", s.path(folder), "--output", "json").is("left", map[int]string{exitOK: "0", exitPartial: "1"}[code])
	return s.contentsBelow(folder)
}

// contentsBelow are the files of a folder, by path.
func (s site) contentsBelow(folder string) map[string]string {
	s.Helper()
	out := map[string]string{}
	must(s.T, filepath.WalkDir(s.path(folder), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(s.path(folder), p)
		out[rel] = string(b)
		return err
	}))
	return out
}

// A run that archives files and is killed at any moment leaves each of them in its
// place or in a segment that verifies, and in the end in exactly one (L7, L9).
func TestFilesArchiveCrash(t *testing.T) {
	t.Parallel()
	base := newArchive(t)
	day := time.Now().AddDate(-2, 0, 0).Format("20060102")
	want := map[string]string{"videos/u1-big-" + day: string(noise(retention.MaxContent + 1))}
	for i := range 40 {
		want[fmt.Sprintf("videos/d%d/u%d-%s", i%3, i, day)] = fmt.Sprintf("content %d", i)
	}
	for name, content := range want {
		base.put(name, []byte(content))
	}
	for _, at := range []string{"sealing:1", "sealing:2", "copied:1", "copied:2", "journalled:1", "removing:1", "acted:1", "receipted:2", "committing:1", "committed:1", "concluded:1"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := site{T: t, dir: base.dir}.copyTree()
			for name := range want { // copies have other times
				must(t, os.Chtimes(s.path("tree/"+name), time.Unix(1, 0), time.Unix(1, 0)))
			}
			cmd, out := retentiondProcess(t, s.dir, "run")
			cmd.Env = append(cmd.Env, envCrashAt+"="+at)
			if err := cmd.Run(); !killed(err) {
				t.Fatalf("it did not die: %v: %s", err, out)
			}
			gone := int64(len(want) - len(s.tree()))
			if done := audited(t, s.dir); done > gone {
				t.Errorf("%d are audited, %d are gone", done, gone)
			}
			s.do(exitOK, "run")
			s.wantTree()
			if done := audited(t, s.dir); done != int64(len(want)) {
				t.Errorf("%d of %d are audited", done, len(want))
			}
			s.do(exitOK, "archive", "verify", "--output", "json").is("ok", "true", "findings", "[]")
			if got := s.restoredTo("back"); !maps.Equal(got, want) {
				t.Errorf("%d files came back, %d left, or they are others", len(got), len(want))
			}
			s.do(exitOK, "audit", "verify")
		})
	}
}
