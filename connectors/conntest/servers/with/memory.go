package main

import (
	"errors"
	"os"
	"syscall"
)

// Where files in memory are, and how much must be free there.
const (
	memory = "/dev/shm"
	plenty = 6 << 30
)

// inMemory makes a directory in memory the one of temporary files, for this
// process and its children, until leave. Compilers keep theirs where they were.
func inMemory() (leave func() error, err error) {
	stay := func() error { return nil }
	var free syscall.Statfs_t
	if os.Getenv("RETENTIOND_TEST_ON_DISK") != "" || syscall.Statfs(memory, &free) != nil || free.Bavail*uint64(free.Bsize) < plenty {
		return stay, nil
	}
	before := os.TempDir()
	dir, err := os.MkdirTemp(memory, "retentiond-test-")
	if err != nil {
		return stay, nil // not ours to write to
	}
	leave = func() error { return os.RemoveAll(dir) }
	if os.Getenv("GOTMPDIR") == "" {
		err = os.Setenv("GOTMPDIR", before)
	}
	// As /tmp is: a server's own user has files below it.
	return leave, errors.Join(err, os.Chmod(dir, 0o777|os.ModeSticky), os.Setenv("TMPDIR", dir))
}
