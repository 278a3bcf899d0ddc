//go:build unix

package files

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// fewFolders is how many are made durable one by one; beyond, their file system is
// as a whole.
const fewFolders = 64

// touched are the folders in which names were removed. They are made durable in the
// end, all of them: the first makes the file system write what it has, and the others
// find that done.
type touched struct {
	mu   sync.Mutex
	fds  []int
	dirs []string
	late bool // the others are, all at once
}

// keep takes the handle of a folder; false: the caller closes it.
func (t *touched) keep(fd int, dir string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.fds) >= fewFolders && syncsAll {
		t.late = true
		return false
	}
	t.fds, t.dirs = append(t.fds, fd), append(t.dirs, dir)
	return true
}

// end makes them durable, and closes them. The error is that of the first that could
// not be.
func (t *touched) end(tree *Tree) (first error) {
	for i, fd := range t.fds {
		if err := unix.Fsync(fd); err != nil && first == nil {
			first = notKept(tree, t.dirs[i], err)
		}
		_ = unix.Close(fd)
	}
	if t.late {
		if err := syncAll(tree.fd); err != nil && first == nil {
			first = notKept(tree, "", err)
		}
	}
	t.fds, t.dirs, t.late = nil, nil, false
	return first
}

func notKept(t *Tree, dir string, err error) error {
	return fmt.Errorf("folder %s: what was removed may come back: %w", t.shown(dir), err)
}
