package files

import (
	"errors"

	"golang.org/x/sys/unix"
)

// syncsAll: what was removed anywhere on a file system is made durable at once.
const syncsAll = true

func syncAll(fd int) error { return unix.Syncfs(fd) }

// moveNew renames within a folder, and never replaces anything.
func moveNew(fd int, from, to string) error {
	_, err := retry(func() (int, error) { return 0, unix.Renameat2(fd, from, fd, to, unix.RENAME_NOREPLACE) })
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		return linkOver(fd, from, to)
	}
	return err
}

func getAttr(fd int) (string, error) {
	var b [mostMark]byte
	n, err := retry(func() (int, error) { return unix.Fgetxattr(fd, attrName, b[:]) })
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
		return "", nil
	}
	return string(b[:max(n, 0)]), err
}

func setAttr(fd int, value string) error {
	_, err := retry(func() (int, error) { return 0, unix.Fsetxattr(fd, attrName, []byte(value), 0) })
	return err
}

// fixed is whether attributes forbid to remove the file, or anything in the folder.
func fixed(fd int, name string) bool {
	var x unix.Statx_t
	_, err := retry(func() (int, error) { return 0, unix.Statx(fd, name, unix.AT_SYMLINK_NOFOLLOW, 0, &x) })
	return err == nil && x.Attributes&(unix.STATX_ATTR_IMMUTABLE|unix.STATX_ATTR_APPEND) != 0
}
