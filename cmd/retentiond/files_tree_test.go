package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// stopsAt starts a run that stops at the point.
func (s site) stopsAt(at string, more ...string) *exec.Cmd {
	s.Helper()
	cmd, out := retentiondProcess(s.T, s.dir, "run")
	cmd.Env = append(append(cmd.Env, envStopAt+"="+at), more...)
	must(s.T, cmd.Start())
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		s.Fatalf("it did not stop: %v, %v: %s", err, status, out)
	}
	return cmd
}

// crashed runs until the point, and dies there.
func (s site) crashed(at string) {
	s.Helper()
	cmd, out := retentiondProcess(s.T, s.dir, "run")
	cmd.Env = append(cmd.Env, envCrashAt+"="+at)
	if err := cmd.Run(); !killed(err) {
		s.Fatalf("it did not die: %v: %s", err, out)
	}
}

func (s site) rename(from, to string) {
	s.Helper()
	must(s.T, os.Rename(s.path(from), s.path(to)))
}

func (s site) place(subject string, want int) reply {
	s.Helper()
	return s.do(want, "hold", "place", "--matter", "N", "--subject", subject, "--reason", "claim", "--by", "Ada", "--allow-unmatched", "--wait", "2s", "--output", "json")
}

// A hold is in force only once no batch has the tree, whatever became of the gate
// files that led to it (L3).
func TestFilesGateIsTheTree(t *testing.T) {
	t.Parallel()
	base, due, stays := manyLogs(t, 100)
	for name, move := range map[string]func(s site){
		"exchanged": func(s site) { s.rename("gates", "gates.old"); s.rename("gates.backup", "gates") },
		"moved":     func(s site) { s.rename("gates", "gates.old") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := site{T: t, dir: base.dir}.copyTree()
			s.do(exitOK, "check", "--install")
			must(t, os.CopyFS(s.path("gates.backup"), os.DirFS(s.path("gates"))))
			cmd := s.stopsAt("journalled:1")
			move(s)
			s.place("person:4", exitRefused)
			must(t, cmd.Process.Signal(syscall.SIGCONT))
			_ = cmd.Wait() // what it says is not what is tested
			s.goneOf("in the end", due, stays)
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		s := site{T: t, dir: base.dir}.copyTree()
		s.do(exitOK, "check", "--install")
		s.rename("gates", "gates.old")
		s.place("person:4", exitRefused).says("state_mismatch", "put it back", "gates/")
	})
}

// Two state stores on one tree: the second acts on nothing until it is adopted (L3).
func TestFilesOfTwoStores(t *testing.T) {
	t.Parallel()
	a, due, stays := manyLogs(t, 100)
	a.do(exitOK, "check", "--install")
	b := site{T: t, dir: t.TempDir()}
	b.write("retentiond.yaml", strings.Replace(filesConfig, "./tree", a.path("tree"), 1))
	b.write("policies/files.yaml", filesPolicy)
	b.exec("crm.db", recordingsSQL)
	b.do(exitUsage, "check", "--output", "json").says("state_mismatch", "knows another state store")
	b.anyCode("check", "--install").says("another state store")
	if left, err := filepath.Glob(b.path("gates/*/*")); err != nil || len(left) > 0 {
		t.Errorf("a refused install left %v, %v", left, err)
	}
	b.do(exitRefused, "run", "--output", "json").says("state_mismatch")
	if n := a.goneOf("by another store", due, stays); n != 0 {
		t.Errorf("another store removed %d", n)
	}
	b.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "moved")
	a.do(exitRefused, "run", "--output", "json").says("state_mismatch")
}

// A state folder that was restored with its gate files is older than the tree, which has
// seen a hold since: it acts on nothing until it is adopted (L3).
func TestFilesOfARestoredStore(t *testing.T) {
	t.Parallel()
	s, due, stays := manyLogs(t, 100)
	s.do(exitOK, "check", "--install")
	names := []string{"state.db", "audit.key.checkpoint"}
	s.save("old", names...)
	must(t, os.CopyFS(s.path("gates.old"), os.DirFS(s.path("gates"))))
	s.place("person:4", exitOK).is("state", "in_force")
	s.restore("old", names...)
	must(t, os.RemoveAll(s.path("gates")))
	s.rename("gates.old", "gates")
	s.do(exitRefused, "run", "--output", "json").says("state_mismatch", "has seen holds version")
	if n := s.goneOf("by an older store", due, stays); n != 0 {
		t.Errorf("an older store removed %d", n)
	}
	s.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "restored")
	s.do(exitOK, "check")
}

// Roots of two stores that lie within each other: whichever comes second acts on nothing,
// and cannot be adopted either (L3).
func TestFilesOfNestedStores(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"outer", "inner"} {
		a, due, stays := manyLogs(t, 20)
		if first == "inner" { // the hold made the outer one name its store: a copy names none
			a = a.copyTree()
			_ = os.Remove(a.path("tree/.retentiond-tree"))
		}
		b := site{T: t, dir: t.TempDir()}
		b.write("retentiond.yaml", strings.Replace(filesConfig, "./tree", a.path("tree/logs"), 1))
		b.write("policies/files.yaml", strings.Replace(filesPolicy, "logs/**", "**", 1))
		b.exec("crm.db", recordingsSQL)
		one, other := a, b
		if first == "inner" {
			one, other = b, a
		}
		one.do(exitOK, "check", "--install")
		other.do(exitRefused, "run", "--output", "json").says("state_mismatch", "holds of the one would not be seen by the other")
		if first == "outer" {
			other.anyCode("check", "--adopt", "--by", "Ada", "--reason", "moved")
			other.do(exitRefused, "run", "--output", "json").says("state_mismatch")
		}
		if n := a.goneOf("by the second", due, stays); n != 0 {
			t.Errorf("%s first: the second store removed %d", first, n)
		}
	}
}

// What is said of a batch that was cut short is what it did: an empty folder where
// the tree is not mounted, and a folder that was renamed, say nothing (L7).
func TestFilesSettleTheirOwnTree(t *testing.T) {
	t.Parallel()
	base, due, stays := manyLogs(t, 100)
	t.Run("not mounted", func(t *testing.T) {
		t.Parallel()
		s := site{T: t, dir: base.dir}.copyTree()
		s.crashed("journalled:1")
		s.rename("tree", "away")
		must(t, os.Mkdir(s.path("tree"), 0o755))
		s.anyCode("run")
		if n := audited(t, s.dir); n != 0 {
			t.Errorf("%d are audited, none is gone", n)
		}
		must(t, os.Remove(s.path("tree")))
		s.rename("away", "tree")
		s.do(exitOK, "run")
		if gone, done := s.goneOf("in the end", due, stays), audited(t, s.dir); gone != int64(len(due)) || done != gone {
			t.Errorf("%d of %d are gone, %d are audited", gone, len(due), done)
		}
	})
	t.Run("folder renamed", func(t *testing.T) {
		t.Parallel()
		s := site{T: t, dir: base.dir}.copyTree()
		s.crashed("journalled:1")
		s.rename("tree/logs", "tree/logs.old")
		s.do(exitOK, "run")
		if n := audited(t, s.dir); n != 0 {
			t.Errorf("%d are audited, none is gone", n)
		}
		s.rename("tree/logs.old", "tree/logs")
		s.do(exitOK, "run")
		if gone, done := s.goneOf("in the end", due, stays), audited(t, s.dir); gone != int64(len(due)) || done != gone {
			t.Errorf("%d of %d are gone, %d are audited", gone, len(due), done)
		}
	})
	t.Run("restored", func(t *testing.T) {
		t.Parallel()
		s := site{T: t, dir: base.dir}.copyTree()
		s.crashed("removing:1")
		gone := s.goneOf("after the crash", due, stays)
		must(t, os.CopyFS(s.path("restored"), os.DirFS(s.path("tree")))) // another inode, and no mark
		must(t, os.RemoveAll(s.path("tree")))
		s.rename("restored", "tree")
		s.do(exitRefused, "run", "--output", "json").says("state_mismatch")
		if n := audited(t, s.dir); n != 0 {
			t.Errorf("%d are audited of a folder that is not there", n)
		}
		s.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "restored")
		if n := audited(t, s.dir); n > gone || n < gone-4 { // those whose mark the crash cut off
			t.Errorf("%d are audited, %d were gone", n, gone)
		}
		s.do(exitOK, "run")
		if left := int64(len(due)) - s.goneOf("in the end", due, stays); left != 0 || audited(t, s.dir) > int64(len(due)) {
			t.Errorf("%d are left, %d are audited of %d", left, audited(t, s.dir), len(due))
		}
		s.do(exitOK, "audit", "verify")
	})
	t.Run("written anew", func(t *testing.T) {
		t.Parallel()
		s := site{T: t, dir: base.dir}.copyTree()
		s.crashed("removing:1")
		gone := s.goneOf("after the crash", due, stays)
		there := s.tree()
		for _, n := range due {
			if !slices.Contains(there, n) {
				s.write("tree/"+n, "content of "+n+" anew") // it may have the inode of what is gone
			}
		}
		s.do(exitOK, "run")
		if done := audited(t, s.dir); done != gone+int64(len(due)) {
			t.Errorf("%d are audited, %d were removed", done, gone+int64(len(due)))
		}
	})
}
