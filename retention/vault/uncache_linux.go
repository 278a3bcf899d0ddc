package vault

import (
	"os"

	"golang.org/x/sys/unix"
)

// uncache lets go of the file's pages, so that it is read from the disk: what was
// written is read back, not what is still in memory.
func uncache(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) // only advice
}
