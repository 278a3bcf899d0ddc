package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// manyLogs is a tree of n due logs of 50 persons in 7 folders, those of person 3
// held, and some that are young.
func manyLogs(t *testing.T, n int) (s site, due, stays []string) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("logs/d%d/u%d-%04d-2020%02d%02d.log", i%7, i%50, i, i%12+1, i%28+1)
		if i%50 == 3 {
			stays = append(stays, name)
		} else {
			due = append(due, name)
		}
	}
	stays = append(stays, "logs/u1-29990101.log", "logs/none.log")
	s = newTree(t, append(slices.Clone(due), stays...)...)
	s.hold("person:3")
	return s, due, stays
}

func (s site) copyTree() site {
	s.Helper()
	to := site{T: s.T, dir: s.TempDir()}
	must(s.T, os.CopyFS(to.dir, os.DirFS(s.dir)))
	if to.there("audit.key") {
		must(s.T, os.Chmod(to.path("audit.key"), 0o600))
	}
	return to
}

// goneOf counts the due files that are gone, and fails where another one is.
func (s site) goneOf(when string, due, stays []string) int64 {
	s.Helper()
	there := s.tree()
	for _, n := range stays {
		if !slices.Contains(there, n) {
			s.Errorf("%s: %q is gone", when, n)
		}
	}
	return int64(len(due) - (len(there) - len(stays)))
}

// A run on files that is killed at any moment is settled exactly: what is gone is
// audited, nothing else is, and the next run does the rest (L7).
func TestFilesCrash(t *testing.T) {
	t.Parallel()
	base, due, stays := manyLogs(t, 2500)
	for _, at := range []string{
		"intended:1", "begun:1", "admitted:2", "tested:1", "journalled:1", "journalled:2", "removing:1", "removing:2", "acted:1", "receipted:2",
		"committing:1", "committed:1", "committed:2", "concluded:1", "ended:1",
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := site{T: t, dir: base.dir}.copyTree()
			cmd, out := retentiondProcess(t, s.dir, "run")
			cmd.Env = append(cmd.Env, envCrashAt+"="+at)
			if err := cmd.Run(); !killed(err) {
				t.Fatalf("it did not die: %v: %s", err, out)
			}
			gone := s.goneOf("after the crash", due, stays)
			if done := audited(t, s.dir); done > gone {
				t.Errorf("%d are audited, %d are gone", done, gone)
			}
			s.do(exitOK, "run")
			if gone, done := s.goneOf("in the end", due, stays), audited(t, s.dir); gone != int64(len(due)) || done != gone {
				t.Errorf("%d of %d are gone, %d are audited", gone, len(due), done)
			}
			left, err := filepath.Glob(s.path("gates/*/journal"))
			must(t, err)
			if len(left) != 1 {
				t.Fatalf("journals: %q", left)
			}
			if names, err := os.ReadDir(left[0]); err != nil || len(names) > 0 {
				t.Errorf("the journal still has %v (%v)", names, err)
			}
			s.do(exitOK, "audit", "verify")
			s.do(exitOK, "inventory")
		})
	}
}

// A run that is stopped while it has the gate makes a hold wait; one that is stopped
// before sees the hold when it wakes. A file that is held stays from then on (L3).
func TestFilesHoldRace(t *testing.T) {
	t.Parallel()
	base, due, stays := manyLogs(t, 300)
	for _, at := range []string{"started", "intended:1", "tested:1", "journalled:1", "removing:1", "committing:1"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := site{T: t, dir: base.dir}.copyTree()
			cmd, out := retentiondProcess(t, s.dir, "run")
			cmd.Env = append(cmd.Env, envStopAt+"="+at)
			must(t, cmd.Start())
			var status syscall.WaitStatus
			if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
				t.Fatalf("it did not stop: %v, %v: %s", err, status, out)
			}
			place := func(want int) reply {
				return s.do(want, "hold", "place", "--matter", "N", "--subject", "person:4", "--reason", "claim", "--by", "Ada", "--allow-unmatched", "--wait", "2s", "--output", "json")
			}
			before := slices.Contains([]string{"started", "intended:1"}, at)
			if before {
				place(exitOK).is("state", "in_force")
			} else {
				place(exitRefused)
				s.do(exitOK, "hold", "list", "--output", "json").says(`"placing"`)
			}
			must(t, cmd.Process.Signal(syscall.SIGCONT))
			_ = cmd.Wait() // it may have been overtaken
			s.goneOf("in the end", due, stays)
			if held := s.query("state.db", "SELECT coalesce(sum(json_extract(outcome, '$.Spared.held')), 0) FROM intents"); before && held != "6" {
				t.Errorf("its batches count %s files that came to be held, not 6", held)
			}
			for _, n := range due {
				if there := slices.Contains(s.tree(), n); before && strings.Contains(n, "/u4-") && !there {
					t.Errorf("%q was held, and is gone", n)
				}
			}
			s.do(exitOK, "run")
			if !before {
				s.do(exitOK, "hold", "list", "--output", "json").says(`"in_force"`)
			}
		})
	}
}
