package engine_test

import (
	"os"
	"syscall"
	"testing"
)

// roomyDir is a directory in memory where there is plenty, for worlds test what
// is decided and not what is durable; otherwise an ordinary one. open: a server's
// own user may have files below it.
func roomyDir(t *testing.T) (dir string, open bool) {
	const memory, plenty = "/dev/shm", 2 << 30
	var free syscall.Statfs_t
	if syscall.Statfs(memory, &free) != nil || free.Bavail*uint64(free.Bsize) < plenty {
		return t.TempDir(), false
	}
	dir, err := os.MkdirTemp(memory, "worlds")
	if err != nil {
		return t.TempDir(), false
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir, os.Chmod(dir, 0o777|os.ModeSticky) == nil // as /tmp is
}
