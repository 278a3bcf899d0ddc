package files

import (
	"golang.org/x/sys/unix"
)

// lead opens the folder of that path below another at once, through no link and no mount;
// ok is false where the system does not know how to (before Linux 5.6), or may not.
func lead(root int, dir string) (fd int, ok bool, err error) {
	fd, err = retry(func() (int, error) {
		return unix.Openat2(root, dir, &unix.OpenHow{
			Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV,
		})
	})
	switch err {
	case unix.ENOSYS, unix.EPERM, unix.EINVAL, unix.E2BIG, unix.EAGAIN: //nolint:errorlint // as the system gave it
		return -1, false, nil
	}
	return fd, true, err
}
