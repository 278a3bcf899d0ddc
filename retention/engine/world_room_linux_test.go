package engine_test

import (
	"os"
	"syscall"
	"testing"
)

// roomyDir is a directory in memory where there is plenty, for worlds test what
// is decided and not what is durable; otherwise an ordinary one.
func roomyDir(t *testing.T) string {
	const memory, plenty = "/dev/shm", 2 << 30
	var free syscall.Statfs_t
	if syscall.Statfs(memory, &free) != nil || free.Bavail*uint64(free.Bsize) < plenty {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "worlds")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
