//go:build unix

package files

import (
	"errors"

	"golang.org/x/sys/unix"
)

// linkOver gives a file a second name and takes the first: unlike a plain rename it
// replaces nothing. Where both names are there already, an earlier one was cut short.
func linkOver(fd int, from, to string) error {
	var a, b unix.Stat_t
	if err := unix.Fstatat(fd, from, &a, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	err := unix.Linkat(fd, from, fd, to, 0)
	if errors.Is(err, unix.EEXIST) && unix.Fstatat(fd, to, &b, unix.AT_SYMLINK_NOFOLLOW) == nil && a.Ino == b.Ino && a.Dev == b.Dev {
		err = nil
	}
	if err != nil {
		return err
	}
	_, err = retry(func() (int, error) { return 0, unix.Unlinkat(fd, from, 0) })
	return err
}
