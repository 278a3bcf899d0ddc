//go:build unix

package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
)

// atOnce is how many names of a folder are read, and put in order, at once.
const atOnce = 20_000

// walk is one walk over the tree.
type walk struct {
	*Tree
	p   objects.Patterns
	f   func(o objects.Object, matches []int) error
	odd objects.Odd
	own string // the store that the root names

	spare []*[]looked // room that no folder uses
}

// Walk goes through the folders in which some pattern may match. A folder or a file
// that goes meanwhile is not there; one that may not be read is an error.
func (t *Tree) Walk(ctx context.Context, p objects.Patterns, f func(o objects.Object, matches []int) error) (objects.Odd, error) {
	w := &walk{Tree: t, p: p, f: f}
	var err error
	if w.own, err = t.Store(); err != nil {
		return w.odd, err
	}
	fd, err := t.folder(unix.AT_FDCWD, "", ".")
	if err == nil {
		err = w.folder(ctx, fd, "")
	}
	return w.odd, err
}

// folder opens a folder by its name in another, never a link; of the root itself it
// makes another handle.
func (t *Tree) folder(in int, path, name string) (int, error) {
	if path == "" {
		in = t.fd
	}
	return retry(func() (int, error) {
		return unix.Openat(in, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
}

// folder walks the folder of that path, and closes its handle.
func (w *walk) folder(ctx context.Context, fd int, path string) error {
	dir := os.NewFile(uintptr(fd), w.shown(path))
	defer func() { _ = dir.Close() }() // it was only read
	in := w.p.In(path)
	room, give := w.room()
	defer give()
	for {
		entries, err := dir.ReadDir(atOnce)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("folder %s: %w", w.shown(path), err)
		}
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(sortable(a), sortable(b)) })
		looks := w.look(fd, entries, in, room)
		for i, e := range entries {
			if err := w.entry(ctx, fd, path, e, in, &looks[i]); err != nil {
				return err
			}
		}
		if err != nil || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// sortable puts what lies in a folder at its place in the order of paths.
func sortable(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

func (w *walk) entry(ctx context.Context, fd int, path string, e fs.DirEntry, in objects.Folder, is *looked) error {
	name := e.Name()
	full := name
	if path != "" {
		full = path + "/" + name
	}
	if e.IsDir() {
		return w.enter(ctx, fd, full, name, in)
	}
	if ours(name) && name != markName {
		w.odd.Beside++
	}
	st := &is.st
	switch {
	case len(is.matches) == 0, errors.Is(is.err, unix.ENOENT):
		return nil
	case is.err != nil:
		return fmt.Errorf("file %s: %w", w.shown(full), is.err)
	case w.plain(st):
		return w.f(objectOf(full, st), is.matches)
	case st.Mode&unix.S_IFMT == unix.S_IFLNK:
		w.odd.Links++
	case wide(st.Dev) != w.dev:
		w.odd.Mounts++
	default:
		w.odd.Special++
	}
	return nil
}

// enter walks a folder within another, unless it is of another file system, or mounted there.
func (w *walk) enter(ctx context.Context, in int, path, name string, parent objects.Folder) error {
	if !parent.Enters(name) {
		return nil
	}
	fd, err := w.Tree.folder(in, path, name)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENOTDIR): // it went, or became another thing, meanwhile
		return nil
	case err != nil:
		return fmt.Errorf("folder %s cannot be read: %w: give this user the right to, or write patterns that do not lead there", w.shown(path), err)
	}
	if apart, err := w.apart(fd); apart {
		w.odd.Mounts++
		return errors.Join(err, unix.Close(fd))
	}
	if err := w.strange(fd, w.own, path); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	return w.folder(ctx, fd, path)
}

// tempPrefix begins the names of files that a rewriting makes on its way.
const tempPrefix = ".retentiond-"

func ours(name string) bool { return strings.HasPrefix(name, tempPrefix) }

// shown is a path as it is printed: no byte of a name reaches a terminal as it is.
func (t *Tree) shown(path string) string { return fmt.Sprintf("%q", t.root+"/"+path) }
