//go:build unix && !linux

package files

import "golang.org/x/sys/unix"

// syncsAll: each folder is made durable by itself.
const syncsAll = false

func syncAll(fd int) error { return unix.Fsync(fd) }
