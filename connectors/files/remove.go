//go:build unix

package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
)

// reach opens folders of the tree one after the other, and keeps the last one open:
// a batch's files lie beside each other.
type reach struct {
	*Tree
	dir   string
	fd    int
	used  int      // files since its path was gone
	dirty bool     // names were removed from it
	to    *touched // folders in which names were removed
	own   *string  // the store that the root names; nil: not looked at yet
}

func (t *Tree) reach() *reach { return &reach{Tree: t, fd: -1, to: &touched{}} }

// in opens the folder of a file, from the root on and through no link, and returns
// the file's name in it.
func (r *reach) in(p string) (name string, err error) {
	dir, name := path.Split(p)
	dir = strings.TrimSuffix(dir, "/")
	if r.fd >= 0 && dir == r.dir && r.steady() {
		return name, nil
	}
	r.leave()
	fd, err := r.dirAt(dir)
	if err != nil {
		return "", err
	}
	r.dir, r.fd, r.used = dir, fd, 0
	return name, nil
}

// dirAt opens the folder of that path, from the root on and through no link.
func (r *reach) dirAt(dir string) (int, error) {
	if r.own == nil {
		own, err := r.Store()
		if err != nil {
			return -1, err
		}
		r.own = &own
	}
	fd, err := r.folder(r.Tree.fd, "", ".")
	if err != nil {
		return -1, err
	}
	for i, part := range strings.Split(dir, "/") {
		if dir == "" {
			break
		}
		if part == "" || part == "." || part == ".." {
			_ = unix.Close(fd)
			return -1, fmt.Errorf("part %d of a path leads out of its folder", i)
		}
		next, err := r.folder(fd, part, part)
		_ = unix.Close(fd)
		if err != nil {
			return -1, err
		}
		fd = next
		if apart, err := r.apart(fd); apart {
			_ = unix.Close(fd)
			return -1, cmp.Or(err, errApart)
		}
		if err := r.strange(fd, *r.own, dir); err != nil {
			_ = unix.Close(fd)
			return -1, err
		}
	}
	return fd, nil
}

// leave closes the folder, or keeps it for [touched.end].
func (r *reach) leave() {
	if r.fd >= 0 && (!r.dirty || !r.to.keep(r.fd, r.dir)) {
		_ = unix.Close(r.fd)
	}
	r.fd, r.dirty = -1, false
}

// end leaves the last folder; on return what was removed is gone for good.
func (r *reach) end() error {
	r.leave()
	return r.to.end(r.Tree)
}

// stat looks at a file; ok is false where there is no plain file.
func (r *reach) stat(p string) (name string, o objects.Object, ok bool, err error) {
	name, err = r.in(p)
	if err == nil {
		var st unix.Stat_t
		if err = unix.Fstatat(r.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err == nil {
			return name, objectOf(p, &st), r.plain(&st), nil
		}
	}
	return name, o, false, err
}

// errApart is of a folder on the way that is not the tree's.
var errApart = errors.New("a folder on the way is mounted there")

// behind is whether a folder on the way is a link, another thing than a folder, or not
// the tree's.
func behind(err error) bool {
	return errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, errApart)
}

// Look looks at files again, each through the handle of its folder.
func (t *Tree) Look(ctx context.Context, paths []string, f func(i int, o objects.Object)) error {
	r := t.reach()
	for i, p := range paths {
		if ctx.Err() != nil {
			break
		}
		_, o, ok, err := r.stat(p)
		switch {
		case ok:
			f(i, o)
		case behind(err) || err == nil && o.Path != "":
			f(i, objects.Object{Path: p})
		case err != nil && !errors.Is(err, unix.ENOENT):
			return errors.Join(fmt.Errorf("file %s: %w", t.shown(p), err), r.end())
		}
	}
	return errors.Join(ctx.Err(), r.end())
}

// Remove removes names; see [Tree.RemoveAs].
func (t *Tree) Remove(ctx context.Context, of []objects.Object, ended func(i int, err error)) error {
	return t.RemoveAs(ctx, "0", of, ended)
}

func (r *reach) remove(o objects.Object, own string) error {
	name, now, ok, err := r.stat(o.Path)
	switch {
	case errors.Is(err, unix.ENOENT):
		return objects.ErrGone
	case behind(err):
		return objects.ErrChanged
	case err != nil:
		return err
	case !ok || !now.Same(o):
		return objects.ErrChanged
	}
	err = r.take(o, name, own)
	r.worked(o.Size)
	if err == nil {
		_, err = retry(func() (int, error) { return 0, unix.Unlinkat(r.fd, own, 0) })
	}
	if err != nil {
		if errors.Is(err, unix.ENOENT) {
			return objects.ErrGone
		}
		return err
	}
	if now.More > 0 {
		r.more.Add(1)
	}
	return nil
}

// Advise tells of a root in which nothing can be removed.
func (t *Tree) Advise(context.Context) ([]retention.Advice, error) {
	if err := unix.Faccessat(t.fd, ".", unix.W_OK|unix.X_OK, 0); err != nil {
		return []retention.Advice{{
			Code: retention.AdvicePrivilegeMissing, Message: fmt.Sprintf("folder %s: this user may not remove files there (%v)", t.root, err),
			Hint: "give it the right to write into the folders whose files are due",
		}}, nil
	}
	return nil, nil
}
