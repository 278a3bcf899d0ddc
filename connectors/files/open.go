//go:build unix

package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
)

var _ objects.Opener = (*Tree)(nil)

// Sealed are permissions, and the time of change as it is.
func (t *Tree) Sealed() []retention.Column {
	return []retention.Column{
		{Name: retention.SealedMode, Decl: "TEXT", Kind: retention.KindText},
		{Name: retention.SealedMtime, Decl: "TEXT", Kind: retention.KindText},
	}
}

// Open gives the content of a file.
func (t *Tree) Open(ctx context.Context, o objects.Object) retention.NextContent {
	given := false
	return func() ([]any, io.ReadCloser, error) {
		if given {
			return nil, nil, io.EOF
		}
		given = true
		mode, r, err := t.read(ctx, o)
		if err != nil {
			return nil, nil, err
		}
		return []any{strconv.FormatUint(uint64(mode), 8), objects.Mtime(o)}, r, nil
	}
}

// read opens a file that still is what was looked at, through the handle of its
// folder and no link. It is looked at again once its end was read.
func (t *Tree) read(ctx context.Context, o objects.Object) (mode uint32, r io.ReadCloser, err error) {
	in := t.reach()
	f, st, err := in.open(o)
	if e := in.end(); err == nil && e != nil {
		err = errors.Join(e, f.Close())
	}
	if err != nil {
		return 0, nil, err
	}
	return bits(st.Mode) & 0o7777, &reading{ctx: ctx, f: f, t: t, o: o}, nil
}

// open opens the file of that object by its name.
func (r *reach) open(o objects.Object) (*os.File, *unix.Stat_t, error) {
	name, err := r.in(o.Path)
	if err != nil {
		return nil, nil, goneOr(err)
	}
	return r.openAs(o, name)
}

// openAs opens it by that name in its folder.
func (r *reach) openAs(o objects.Object, name string) (*os.File, *unix.Stat_t, error) {
	// A pipe in its place must not be waited for.
	fd, err := retry(func() (int, error) {
		return unix.Openat(r.fd, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, nil, goneOr(err)
	}
	f := os.NewFile(uintptr(fd), name)
	st, err := r.still(fd, o)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, st, nil
}

// still is what the open file is, where that is what was looked at.
func (t *Tree) still(fd int, o objects.Object) (*unix.Stat_t, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if !t.plain(&st) || !objectOf(o.Path, &st).Same(o) {
		return nil, objects.ErrChanged
	}
	return &st, nil
}

// goneOr names the ways in which a file is no longer there, or behind a link.
func goneOr(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return objects.ErrGone
	case behind(err), errors.Is(err, unix.ENXIO): // a socket
		return objects.ErrChanged
	}
	return err
}

// reading is a file on its way into an archive.
type reading struct {
	ctx context.Context //nolint:containedctx // a reader has no other way to hear of a stop
	f   *os.File
	t   *Tree
	o   objects.Object
	n   int64
}

// Read reads on. The end is one only where the file is still the one that was tested,
// and all of it was read. One that grows is read to the first byte that was not tested,
// and not for as long as it grows.
func (r *reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.f.Read(p[:min(int64(len(p)), r.o.Size-r.n+1)])
	r.n += int64(n)
	switch {
	case r.n > r.o.Size:
		return 0, objects.ErrChanged
	case errors.Is(err, io.EOF):
		if _, e := r.t.still(int(r.f.Fd()), r.o); e != nil {
			return n, e
		}
		if r.n != r.o.Size {
			return n, objects.ErrChanged
		}
	case err != nil:
		return n, fmt.Errorf("file %s cannot be read: %w", r.t.shown(r.o.Path), err)
	}
	return n, err
}

// Close closes it.
func (r *reading) Close() error { return r.f.Close() }

// bits are permissions, which have another type on each system.
func bits[T ~uint16 | ~uint32](mode T) uint32 { return uint32(mode) }
