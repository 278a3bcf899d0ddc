//go:build unix

package files

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
)

var (
	_ objects.Rooted = (*Tree)(nil)
	_ objects.Seer   = (*Tree)(nil)
)

// markName is the file that names the store where the file system keeps no
// attributes; attrName is the attribute of the root.
const (
	markName = tempPrefix + "tree"
	attrName = "user.retentiond.store"
)

// mostMark is more than any name of a store takes, in bytes.
const mostMark = 256

// tries is how long a lock that others keep is left alone.
const tries = 5 * time.Millisecond

// Lock locks the root by a handle of its own: every name, and every gate file, of the
// tree leads to the one lock, and two goroutines exclude each other as processes do.
func (t *Tree) Lock(ctx context.Context, wait time.Duration) (func() error, error) {
	fd, err := t.folder(t.fd, "", ".")
	if err != nil {
		return nil, fmt.Errorf("folder %s: lock: %w", t.root, err)
	}
	if wait > 0 {
		limited, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		ctx = limited
	}
	again := time.NewTicker(tries)
	defer again.Stop()
	for {
		_, err := retry(func() (int, error) { return 0, unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
		switch {
		case err == nil:
			return func() error { return unix.Close(fd) }, nil
		case !errors.Is(err, unix.EWOULDBLOCK):
			return nil, errors.Join(&retention.Refusal{Code: retention.RefuseGate, Message: fmt.Sprintf(
				"folder %s: its file system cannot lock a folder (%v), so that no hold could be sure of it: run retentiond where the files are", t.root, err)}, unix.Close(fd))
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("folder %s: %w: another batch or hold has it: %w", t.root, retention.ErrLocked, ctx.Err()), unix.Close(fd))
		}
	}
}

// Store is what the attribute says, or the file where there is no attribute.
func (t *Tree) Store() (string, error) {
	s, _, err := t.says()
	return s, err
}

// says is the mark: a store, and after a blank how far that had come.
func (t *Tree) says() (store string, seen retention.Seen, err error) {
	text, err := markAt(t.fd)
	if err != nil {
		return "", seen, fmt.Errorf("folder %s: %w", t.root, err)
	}
	store, rest, more := strings.Cut(text, " ")
	if more {
		if seen, more = retention.ParseSeen(rest); !more { // no store has come as far: a person adopts it
			seen = retention.Seen{Holds: math.MaxInt64}
		}
	}
	return store, seen, nil
}

// Seen is what the mark says of that store: nothing where it names another.
func (t *Tree) Seen(_ context.Context, store string) (retention.Seen, error) {
	named, seen, err := t.says()
	if named != store {
		seen = retention.Seen{}
	}
	return seen, err
}

// Saw writes the mark anew. Whoever does has the lock of the tree, so that nothing comes
// between.
func (t *Tree) Saw(_ context.Context, store string, _, now retention.Seen, _ bool) error {
	return t.write(store + " " + now.String())
}

// Mark makes the tree name the store, which it knows nothing else of.
func (t *Tree) Mark(store string) error { return t.write(store) }

// write writes the attribute, or the file.
func (t *Tree) write(text string) error {
	err := setAttr(t.fd, text)
	if errors.Is(err, unix.ENOTSUP) {
		err = t.markFile(text)
	}
	if err == nil {
		err = unix.Fsync(t.fd)
	}
	if err != nil {
		return &retention.Refusal{Code: retention.RefuseGate, Message: fmt.Sprintf(
			"folder %s: it cannot be made to name its state store (%v): give this user the right to write into the folder itself", t.root, err)}
	}
	return nil
}

func (t *Tree) markFile(text string) error {
	const next = markName + ".new"
	fd, err := retry(func() (int, error) {
		return unix.Openat(t.fd, next, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	})
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), next)
	_, err = f.WriteString(text + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return unix.Renameat(t.fd, next, t.fd, markName)
}

// Place is the inode of the root with what it names: numbers of devices change when
// machines start again.
func (t *Tree) Place() (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(t.fd, &st); err != nil {
		return "", fmt.Errorf("folder %s: %w", t.root, err)
	}
	store, err := t.Store() // every file system's own root may have the same inode
	return strconv.FormatUint(wide(st.Ino), 36) + " " + store, err
}
