//go:build linux

package main

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// shut makes a folder in which this user can remove nothing: one whom no mode stops
// needs the attribute.
func shut(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		must(t, os.Chmod(dir, 0o555))
		t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
		return
	}
	f, err := os.Open(dir)
	must(t, err)
	set := func(flags int) error { return unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags) }
	if err := set(0x10); /* FS_IMMUTABLE_FL */ err != nil {
		t.Fatalf("the superuser without CAP_LINUX_IMMUTABLE cannot shut a folder: run this as another user: %v", err)
	}
	t.Cleanup(func() { _, _ = set(0), f.Close() })
}

// Why files stay that should go is said, how many they are, and not which (L8, L11).
func TestFilesThatCannotGo(t *testing.T) {
	t.Parallel()
	s := newTree(t, "logs/shut/u1-20200101.log", "logs/shut/u2-20200102.log", "logs/open/u3-20200101.log")
	shut(t, s.path("tree/logs/shut"))
	s.do(exitOK, "check").says(`2 of 3 files of "logs/**/u*-*.log" could not be removed`)
	r := s.do(exitPartial, "run", "--output", "json").is("steps/0/done", "1", "steps/0/spared/failed", "2").says("2 files could not be removed: ")
	if strings.Contains(r.out+r.err, "u1-2020") {
		t.Errorf("a name of a file is told: %s %s", r.out, r.err)
	}
	s.do(exitPartial, "run").says("2 files could not be removed: ")
	s.wantTree("logs/shut/u1-20200101.log", "logs/shut/u2-20200102.log")
	s.do(exitOK, "audit", "verify")
}
