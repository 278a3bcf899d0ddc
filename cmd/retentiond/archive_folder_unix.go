//go:build unix

package main

import (
	"errors"
	"path"
	"time"

	"golang.org/x/sys/unix"
)

// setTime sets when a file last changed. Nanoseconds since 1970 end in 2262, and files
// may be older or younger than they can say.
func (d *folder) setTime(name string, at time.Time) error {
	ts, err := unix.TimeToTimespec(at)
	if err != nil {
		return err
	}
	dir, err := d.root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(unix.UtimesNanoAt(int(dir.Fd()), path.Base(name), []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW), dir.Close())
}
