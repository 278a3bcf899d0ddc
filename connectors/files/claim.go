//go:build unix

package files

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
)

// claim is the name that a file has while it is removed.
func claim(tag string, i int) string { return tempPrefix + tag + "-" + strconv.Itoa(i) }

// Folders are the inodes of the folders of files.
func (t *Tree) Folders(paths []string) ([]string, error) {
	r := t.reach()
	out := make([]string, len(paths))
	last, told := "", ""
	for i, p := range paths {
		if _, err := r.in(p); err != nil {
			if errors.Is(err, unix.ENOENT) || behind(err) {
				continue
			}
			return nil, errors.Join(fmt.Errorf("folder of file %s: %w", t.shown(p), err), r.end())
		}
		if out[i] = told; told != "" && r.dir == last {
			continue
		}
		var st unix.Stat_t
		if err := unix.Fstat(r.fd, &st); err != nil {
			return nil, errors.Join(err, r.end())
		}
		told, last = strconv.FormatUint(wide(st.Ino), 36), r.dir
		out[i] = told
	}
	return out, r.end()
}

// take gives a file its own name, and looks at it there: what is not what was seen, or
// what was archived, has its name back.
func (r *reach) take(o objects.Object, name, own string) error {
	if err := moveNew(r.fd, name, own); err != nil {
		return err
	}
	r.dirty = true
	err := r.unchanged(o, own)
	if err == nil && o.Content != nil && !r.leads() { // reading it took its time
		err = objects.ErrChanged
	}
	if err == nil {
		return nil
	}
	if e := moveNew(r.fd, own, name); e != nil {
		return fmt.Errorf("file %s was replaced meanwhile, and what it was is beside it as %s: %w", r.shown(o.Path), own, errors.Join(err, e))
	}
	return errors.Join(err, objects.ErrChanged)
}

// unchanged is nil where the file of that name is what was seen, and, of one that was
// archived, has the content that the archive has: its size and time may be what they
// were while it is another.
func (r *reach) unchanged(o objects.Object, own string) error {
	if o.Content != nil {
		return r.copied(o, own)
	}
	var st unix.Stat_t
	if err := unix.Fstatat(r.fd, own, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if !r.plain(&st) || !objectOf(o.Path, &st).Same(o) {
		return objects.ErrChanged
	}
	return nil
}

// copied reads the file again, which must stay what it is meanwhile. Of one with other
// names only the content tells: that a name of it goes turns it too.
func (r *reach) copied(o objects.Object, own string) error {
	f, was, err := r.openAs(o, own)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	if err := o.Content.Is(f); err != nil {
		return err
	}
	now, err := r.still(int(f.Fd()), o)
	if err == nil && now.Ctim != was.Ctim && now.Nlink == 1 && was.Nlink == 1 {
		err = objects.ErrChanged
	}
	return err
}

// PutBack gives names back. What it leaves is counted by the next walk.
func (t *Tree) PutBack(tag string, of []objects.Object) error {
	r := t.reach()
	for i, o := range of {
		name, err := r.in(o.Path)
		if err == nil {
			err = moveNew(r.fd, claim(tag, i), name)
			r.dirty = r.dirty || err == nil
		}
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EEXIST) && !behind(err) {
			return errors.Join(fmt.Errorf("file %s has to have its name back: %w", t.shown(o.Path), err), r.end())
		}
	}
	return r.end()
}
