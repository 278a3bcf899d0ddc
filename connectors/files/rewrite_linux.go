package files

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
)

var _ objects.Rewriter = (*Tree)(nil)

// Rewrite rewrites files one after the other; see [objects.Rewriter]. Two names change
// places at once, so that no moment is without the file, and what was in its place is
// looked at before it goes.
func (t *Tree) Rewrite(ctx context.Context, tag string, of []objects.Object, form objects.Form, soon func(i int, next objects.Object) error, ended func(i int, now objects.Object, r objects.Rewritten, err error)) error {
	r := t.reach()
	for i, o := range of {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, r.end())
		}
		w := rewriting{reach: r, o: o, own: claim(tag, i), form: form}
		err := w.do(func(next objects.Object) error { return soon(i, next) })
		ended(i, w.now, w.told, err)
	}
	return r.end()
}

// rewriting is one file that is written anew.
type rewriting struct {
	*reach
	o    objects.Object
	own  string // name of what becomes of it
	form objects.Form

	name   string
	old    *os.File
	st     *unix.Stat_t // of old
	leased bool
	made   bool // something is under its own name
	next   objects.Object
	now    objects.Object
	told   objects.Rewritten
}

func (w *rewriting) do(soon func(objects.Object) error) (err error) {
	if w.old, w.st, err = w.open(w.o); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.old.Close()) }() // which gives the lease back
	if w.name, err = w.in(w.o.Path); err != nil {
		return goneOr(err)
	}
	if err := w.lease(); err != nil {
		return err
	}
	changed, err := w.write()
	if err == nil {
		err = w.unchanged()
	}
	if err == nil && !w.leads() { // it was moved out of the tree while it was written
		err = objects.ErrChanged
	}
	if err != nil || !changed {
		w.now = objectOf(w.o.Path, w.st)
		if w.made {
			err = errors.Join(err, w.drop())
		}
		return err
	}
	err = soon(w.next)
	if err == nil {
		err = w.unchanged() // who opens the name between two exchanges would write to what goes
	}
	if err != nil {
		return errors.Join(err, w.drop())
	}
	return w.swap()
}

// lease asks to be told of whoever opens the file for writing, and refuses where
// somebody has. Whoever comes later waits until the file is closed here, and is seen
// before. File systems without leases, and files of others, are looked at alone.
func (w *rewriting) lease() error {
	_, err := unix.FcntlInt(w.old.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	w.leased = err == nil
	if errors.Is(err, unix.EAGAIN) {
		return objects.ErrChanged
	}
	return nil
}

// unchanged is whether the file is what it was, and nobody came to write to it.
func (w *rewriting) unchanged() error {
	if w.leased {
		if kind, err := unix.FcntlInt(w.old.Fd(), unix.F_GETLEASE, 0); err != nil || kind != unix.F_RDLCK {
			return objects.ErrChanged
		}
	}
	_, err := w.still(int(w.old.Fd()), w.o)
	return err
}

// write writes what becomes of the file under its own name, durably; changed: it is
// another.
func (w *rewriting) write() (changed bool, err error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(w.fd, w.own, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	})
	if err != nil {
		return false, err
	}
	w.made = true
	f := os.NewFile(uintptr(fd), w.own)
	if w.told, err = w.form.Write(f, w.old); err == nil && w.told.Changed > 0 {
		if err = w.alike(int(f.Fd())); err == nil {
			err = f.Sync()
		}
		var st unix.Stat_t
		if err == nil {
			err = unix.Fstat(int(f.Fd()), &st)
		}
		w.next = objectOf(w.o.Path, &st)
	}
	return w.told.Changed > 0, errors.Join(err, f.Close())
}

// alike gives what becomes of a file its owner, permissions, attributes and times. One
// that cannot have them is not written: nobody is to read it who could not before.
func (w *rewriting) alike(fd int) error {
	if err := copyAttrs(int(w.old.Fd()), fd); err != nil {
		return errors.Join(objects.ErrUnlike, err)
	}
	if int(w.st.Uid) != os.Geteuid() || int(w.st.Gid) != os.Getegid() {
		if err := unix.Fchown(fd, int(w.st.Uid), int(w.st.Gid)); err != nil {
			return errors.Join(objects.ErrUnlike, err)
		}
	}
	if err := unix.Fchmod(fd, w.st.Mode&0o7777); err != nil {
		return err
	}
	return unix.UtimesNanoAt(w.fd, w.own, []unix.Timespec{w.st.Atim, w.st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}

// swap lets the two files change places, and removes the old one once it is sure that
// it is. Otherwise they change back.
func (w *rewriting) swap() error {
	if err := w.exchange(); err != nil {
		return errors.Join(objects.ErrNoSwap, err, w.drop())
	}
	w.dirty = true
	var st unix.Stat_t
	err := unix.Fstatat(w.fd, w.own, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil && w.plain(&st) && objectOf(w.o.Path, &st).Same(w.o) && w.unchanged() == nil {
		if err := w.drop(); err != nil {
			return err
		}
		if w.o.More > 0 {
			w.more.Add(1)
		}
		w.now = w.look(w.name)
		if !w.now.Same(w.next) {
			w.now = w.next // another took its place since
		}
		return nil
	}
	return errors.Join(objects.ErrChanged, w.back(w.next))
}

// back undoes an exchange, and removes what became of the file: that, and nothing
// else, may be under its own name then.
func (w *rewriting) back(next objects.Object) error {
	if err := w.exchange(); err != nil {
		return fmt.Errorf("file %s was replaced meanwhile, and what it was is beside it as %s: %w", w.shown(w.o.Path), w.own, err)
	}
	w.dirty = true
	if own := w.look(w.own); !own.Same(next) {
		return fmt.Errorf("file %s was replaced meanwhile, and what it was is beside it as %s", w.shown(w.o.Path), w.own)
	}
	return w.drop()
}

func (w *rewriting) exchange() error {
	_, err := retry(func() (int, error) { return 0, unix.Renameat2(w.fd, w.own, w.fd, w.name, unix.RENAME_EXCHANGE) })
	return err
}

// drop removes what is under its own name.
func (w *rewriting) drop() error {
	_, err := retry(func() (int, error) { return 0, unix.Unlinkat(w.fd, w.own, 0) })
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	w.dirty = true
	return err
}

// look is what a name of the folder has; nothing: no plain file.
func (w *rewriting) look(name string) (o objects.Object) {
	var st unix.Stat_t
	if err := unix.Fstatat(w.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil || !w.plain(&st) {
		return o
	}
	return objectOf(w.o.Path, &st)
}

// Undo ends what a rewriting left.
func (t *Tree) Undo(ctx context.Context, tag string, of, next []objects.Object) ([]bool, error) {
	r := t.reach()
	done := make([]bool, len(of))
	for i, o := range of {
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(err, r.end())
		}
		name, err := r.in(o.Path)
		if errors.Is(err, unix.ENOENT) || behind(err) {
			continue
		}
		w := rewriting{reach: r, o: o, own: claim(tag, i), name: name}
		if err == nil {
			done[i], err = w.undo(next[i])
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("what is beside file %s cannot be taken away: %w", t.shown(o.Path), err), r.end())
		}
	}
	return done, r.end()
}

// undo says whether the file has its new form.
func (w *rewriting) undo(next objects.Object) (done bool, err error) {
	own, here := w.look(w.own), w.look(w.name)
	switch {
	case own.Path == "": // it was completed, or not begun
		return next.Path != "" && here.Same(next), nil
	case own.Same(w.o) && next.Path != "" && here.Same(next):
		return false, w.back(next)
	case own.Same(w.o): // and another took its name: it stays beside it, and is counted
		return false, nil
	}
	return false, w.drop()
}
