package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A hold is in force within seconds, though a file is at work that takes minutes: the
// batch gives up, nothing of it is left, and the file, which is held, stays (L3).
func TestFilesHoldBesideLargeFile(t *testing.T) {
	t.Parallel()
	t.Run("archive", func(t *testing.T) {
		t.Parallel()
		s := newArchive(t)
		day := time.Now().AddDate(-2, 0, 0).Format("20060102")
		s.put("videos/u1-"+day, []byte("small"))
		large := "videos/u7-" + day
		s.put(large, []byte("large"))
		must(t, os.Truncate(s.path("tree/"+large), 1<<38)) // a hole: hours of reading
		s.placesBeside(large, "vault/*")
		if got := s.tree(); len(got) != 1 {
			t.Errorf("the tree has %q", got)
		}
		s.do(exitOK, "archive", "verify")
		if got := s.restoredTo("back"); len(got) != 1 {
			t.Errorf("%d files came back", len(got))
		}
	})
	t.Run("redact", func(t *testing.T) {
		t.Parallel()
		s := newLogs(t)
		day := time.Now().AddDate(0, -2, 0).Format("20060102")
		large := "logs/u7-" + day + ".gz"
		s.put(large, bytes.Repeat(gzipped(strings.Repeat("203.0.113.45 GET /\n", 1<<20)), 1000)) // 20 GB of text
		s.placesBeside(large, "tree/logs/.retentiond-*")
		s.wantTree(large)
	})
}

// placesBeside places a hold on person 7 once a run is at work on the large file, which
// is so once something matches the pattern, and lets the run end.
func (s site) placesBeside(large, begun string) {
	s.Helper()
	was, err := os.Stat(s.path("tree/" + large))
	must(s.T, err)
	cmd, out := retentiondProcess(s.T, s.dir, "run")
	must(s.T, cmd.Start())
	s.Cleanup(func() { _ = cmd.Process.Kill() })
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if found, err := filepath.Glob(s.path(begun)); err != nil || len(found) > 0 {
			must(s.T, err)
			break
		}
		if time.Now().After(end) {
			s.Fatalf("the run did not begin: %s", out)
		}
	}
	s.do(exitOK, "hold", "place", "--matter", "N", "--subject", "person:7", "--reason", "claim", "--by", "Ada", "--wait", "30s")
	if err := cmd.Wait(); exitCode(err) != exitOK {
		s.Errorf("the run ended as %v: %s", err, out)
	}
	if now, err := os.Stat(s.path("tree/" + large)); err != nil || !os.SameFile(was, now) || now.Size() != was.Size() {
		s.Errorf("the large file is another: %v", err)
	}
	s.do(exitOK, "audit", "verify")
}
