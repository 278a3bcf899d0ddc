package files

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// mountOf numbers the mount through which an open folder was reached: a folder that is
// bound into the tree from elsewhere has the device of its own file system, which may be
// the tree's. 0: nothing here tells mounts apart.
func mountOf(fd int) uint64 {
	var x unix.Statx_t
	_, err := retry(func() (int, error) {
		return 0, unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, unix.STATX_MNT_ID, &x)
	})
	if err == nil && x.Mask&unix.STATX_MNT_ID != 0 {
		return x.Mnt_id
	}
	return listedMount(fd)
}

// listedMount asks systems before Linux 5.8, and those in which statx is forbidden.
func listedMount(fd int) uint64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		if n, ok := bytes.CutPrefix(line, []byte("mnt_id:")); ok {
			id, _ := strconv.ParseUint(string(bytes.TrimSpace(n)), 10, 64) // no number: 0
			return id
		}
	}
	return 0
}
