package main

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

// On a full vault no file leaves the tree, and with room again each does, once (L9).
func TestFilesVaultOverflows(t *testing.T) {
	t.Parallel()
	s := newArchive(t)
	day := time.Now().AddDate(-2, 0, 0).Format("20060102")
	want := []string{"videos/u1-big-" + day, "videos/u1-small-" + day}
	s.put(want[0], noise(200_000))
	s.put(want[1], []byte("small"))
	room := smallDisk(t, s.dir)
	s.do(exitPartial, "run")
	s.wantTree(want...)
	room()
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "2")
	s.wantTree()
	s.do(exitOK, "archive", "verify")
}

// A hold waits for a run that is stopped while it seals, and is seen by one that is
// stopped before: a held file stays (L3).
func TestFilesArchiveHoldRace(t *testing.T) {
	t.Parallel()
	for at, before := range map[string]bool{"intended:1": true, "copied:1": false} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := newArchive(t)
			day := time.Now().AddDate(-2, 0, 0).Format("20060102")
			for i := range 4 {
				s.put(fmt.Sprintf("videos/u%d-%s", i, day), []byte("x"))
			}
			cmd, out := retentiondProcess(t, s.dir, "run")
			cmd.Env = append(cmd.Env, envStopAt+"="+at)
			must(t, cmd.Start())
			var status syscall.WaitStatus
			if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
				t.Fatalf("it did not stop: %v, %v: %s", err, status, out)
			}
			want := exitRefused
			if before {
				want = exitOK
			}
			s.do(want, "hold", "place", "--matter", "N", "--subject", "person:2", "--reason", "claim", "--by", "Ada", "--allow-unmatched", "--wait", "1s")
			must(t, cmd.Process.Signal(syscall.SIGCONT))
			_ = cmd.Wait() // it may have been overtaken
			s.do(exitOK, "run")
			if before {
				s.wantTree("videos/u2-" + day)
			} else {
				s.wantTree()
			}
			s.do(exitOK, "archive", "verify")
		})
	}
}

// What is written into a file between its copy and its removal stays, whatever size
// and time it is given; the other files go (L9).
func TestFilesArchiveKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	s := newArchive(t)
	day := time.Now().AddDate(-2, 0, 0).Format("20060102")
	written := "videos/u1-" + day
	s.put(written, []byte("old"))
	s.put("videos/u2-"+day, []byte("old"))
	cmd := s.stopsAt("copied:1")
	s.put(written, []byte("new"))
	must(t, cmd.Process.Signal(syscall.SIGCONT))
	if err := cmd.Wait(); exitCode(err) != exitPartial {
		t.Errorf("the run ended as %v", err)
	}
	s.do(exitOK, "audit", "list", "--output", "json").says(`"copied_and_left": 1`) // its copy ends with the archive
	s.wantTree(written)
	if b, err := os.ReadFile(s.path("tree/" + written)); err != nil || string(b) != "new" {
		t.Errorf("the file has %q, %v", b, err)
	}
	s.do(exitOK, "run")
	s.wantTree()
	if got := s.restoredNewest("back"); got[written] != "new" {
		t.Errorf("%q came back", got)
	}
}
