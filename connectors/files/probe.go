//go:build unix

package files

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
)

var _ objects.Prober = (*Tree)(nil)

// Why a file could not be removed.
const (
	whyShut   = "this user may not write into their folder"
	whyLocked = "they, or their folder, have the immutable or append-only attribute (lsattr shows it, chattr takes it away)"
	whyMount  = "they are mounted read-only"
	whySticky = "their folder is sticky, and another user owns them"
)

// Probe asks the system, folder by folder, and changes nothing. Who may do anything to
// any file is stopped by attributes and by read-only mounts alone.
func (t *Tree) Probe(ctx context.Context, paths []string, f func(why string)) error {
	r := t.reach()
	p := prober{uid: wide(uint32(os.Geteuid()))} //nolint:gosec // a user's number
	for i, path := range paths {
		if i%1000 == 0 && ctx.Err() != nil {
			break
		}
		name, err := r.in(path)
		if err == nil {
			err = p.folder(r)
		}
		var why string
		if err == nil {
			why, err = p.file(r, name)
		}
		switch {
		case errors.Is(err, unix.ENOENT), behind(err): // it went meanwhile
		case err != nil:
			return errors.Join(fmt.Errorf("file %s: %w", t.shown(path), err), r.end())
		case why != "":
			f(why)
		}
	}
	return errors.Join(ctx.Err(), r.end())
}

// prober knows the last folder.
type prober struct {
	uid    uint64
	dir    string
	known  bool
	why    string // of all its files
	sticky bool   // of those of other users
}

func (p *prober) folder(r *reach) error {
	if p.known && p.dir == r.dir {
		return nil
	}
	p.known, p.dir, p.why, p.sticky = true, r.dir, "", false
	var st unix.Stat_t
	if err := unix.Fstat(r.fd, &st); err != nil {
		return err
	}
	p.sticky = uint64(st.Mode)&unix.S_ISVTX != 0 && p.uid != 0 && wide(st.Uid) != p.uid
	switch err := unix.Faccessat(r.fd, ".", unix.W_OK|unix.X_OK, 0); {
	case errors.Is(err, unix.EROFS):
		p.why = whyMount
	case errors.Is(err, unix.EPERM):
		p.why = whyLocked
	case err != nil:
		p.why = whyShut
	case fixed(r.fd, "."):
		p.why = whyLocked
	}
	return nil
}

func (p *prober) file(r *reach, name string) (why string, err error) {
	if p.why != "" {
		return p.why, nil
	}
	if p.sticky {
		var st unix.Stat_t
		if err := unix.Fstatat(r.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return "", err
		}
		if wide(st.Uid) != p.uid {
			return whySticky, nil
		}
	}
	if fixed(r.fd, name) {
		return whyLocked, nil
	}
	return "", nil
}
