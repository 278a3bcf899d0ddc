//go:build unix

package audit

import (
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// lentByGroup reports whether the file is another user's, and its group is one of this
// process's.
func lentByGroup(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	groups, err := os.Getgroups()
	if err != nil {
		return false
	}
	return lent(int(st.Uid), int(st.Gid), os.Geteuid(), append(groups, os.Getegid()))
}

func lent(owner, group, user int, groups []int) bool {
	return owner != user && slices.Contains(groups, group)
}
