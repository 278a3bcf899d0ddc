//go:build unix

package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
)

// Tree is a folder of this machine with all that lies below it.
type Tree struct {
	root  string // as it was given, absolute
	real  string // with its links resolved
	fd    int
	dev   uint64
	mount uint64       // as [mountOf]
	more  atomic.Int64 // removed names whose content stays under others
}

var _ objects.Tree = (*Tree)(nil)

// Open opens a folder as a source. dir is the folder of its gate file and journal,
// which must lie outside of the root. A root that is missing, or no folder, is a
// source_down refusal.
func Open(ctx context.Context, root, dir string) (*objects.Source, error) {
	t, err := open(root)
	if err != nil {
		return nil, err
	}
	own, err := filepath.Abs(filepath.Join(dir, "tree-"+t.key()))
	if err != nil {
		return nil, errors.Join(down("gate of folder %s: %v", root, err), t.Close())
	}
	if inside(t.real, own) {
		return nil, errors.Join(down("its gate file %s would lie within the folder itself: move the state store out of it", own), t.Close())
	}
	return objects.Open(ctx, t, own)
}

func open(root string) (*Tree, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, down("folder %s: %v", root, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return nil, down("folder %s cannot be opened: %v", abs, errors.Unwrap(err))
	}
	fd, err := retry(func() (int, error) {
		return unix.Open(real, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, down("folder %s cannot be opened: %v", abs, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, errors.Join(down("folder %s: %v", abs, err), unix.Close(fd))
	}
	return &Tree{root: abs, real: real, fd: fd, dev: wide(st.Dev), mount: mountOf(fd)}, nil
}

// key names the tree among the gates of others.
func (t *Tree) key() string {
	sum := sha256.Sum256([]byte(t.real))
	return hex.EncodeToString(sum[:8])
}

// inside is whether the path lies in the folder; both are absolute.
func inside(dir, path string) bool {
	if real, err := filepath.EvalSymlinks(filepath.Dir(filepath.Dir(path))); err == nil {
		path = filepath.Join(real, filepath.Base(filepath.Dir(path)), filepath.Base(path))
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

func down(format string, args ...any) error {
	return &retention.Refusal{Code: retention.RefuseSourceDown, Message: fmt.Sprintf(format, args...)}
}

// Name is the folder.
func (t *Tree) Name() string { return t.root }

// Identity is the folder that every name of it leads to.
func (t *Tree) Identity() string { return "tree:" + t.real }

// Residuals are what removed names leave.
func (t *Tree) Residuals() []retention.Residual {
	out := []retention.Residual{{What: "blocks of the file system, until they are used again; its snapshots", Stays: true}}
	if n := t.more.Swap(0); n > 0 {
		out = append(out, retention.Residual{What: strconv.FormatInt(n, 10) + " removed files have other names (hard links), under which their content stays", Stays: true})
	}
	return out
}

// Close gives the handle of the root back.
func (t *Tree) Close() error { return unix.Close(t.fd) }

// retry repeats a call that a signal interrupted.
func retry[T any](f func() (T, error)) (T, error) {
	for {
		v, err := f()
		if !errors.Is(err, unix.EINTR) {
			return v, err
		}
	}
}

// farthest is how many seconds from 1970 nanoseconds can surely say.
const farthest = 9_223_372_035

// objectOf is what was found at the path. A time that nanoseconds cannot say would
// come back as another one: it is kept apart (L1).
func objectOf(path string, st *unix.Stat_t) objects.Object {
	o := objects.Object{Path: path, Size: st.Size, ID: strconv.FormatUint(wide(st.Ino), 36), More: int(st.Nlink) - 1, Turned: st.Ctim.Nano()}
	sec, nsec := st.Mtim.Unix()
	if sec < -farthest || sec > farthest {
		o.Far, o.Nanos = sec, nsec
	} else {
		o.Nanos = sec*1e9 + nsec
	}
	return o
}

// plain is whether it is a plain file of the root's own file system.
func (t *Tree) plain(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFREG && wide(st.Dev) == t.dev
}

// apart is whether an open folder is of another file system than the root, or is bound
// into the tree from elsewhere: holds there are another store's, or nobody's (L3).
func (t *Tree) apart(fd int) (bool, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return err != nil || wide(st.Dev) != t.dev || mountOf(fd) != t.mount, err
}

// wide is a number of the system's, which has another type on each.
func wide[T ~int32 | ~uint32 | ~int64 | ~uint64](n T) uint64 { return uint64(n) }
