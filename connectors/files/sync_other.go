//go:build unix && !linux

package files

import "golang.org/x/sys/unix"

// syncsAll: each folder is made durable by itself.
const syncsAll = false

func syncAll(fd int) error { return unix.Fsync(fd) }

// moveNew renames within a folder, and never replaces anything.
func moveNew(fd int, from, to string) error { return linkOver(fd, from, to) }

func getAttr(int) (string, error) { return "", nil }

func setAttr(int, string) error { return unix.ENOTSUP }

// fixed is not asked here.
func fixed(int, string) bool { return false }
