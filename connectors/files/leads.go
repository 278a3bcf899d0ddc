//go:build unix

package files

import "golang.org/x/sys/unix"

// A folder may be moved out of the tree while a batch has it open: what was in it is no
// longer the tree's, and stays (L6). Each lookAgain files, and after each large one, the
// path is gone again from the root. So many files, or the large one in hand, may still
// go from a folder that is moved meanwhile: nothing keeps others from moving it.
const (
	lookAgain = 8
	largeFile = 16 << 20 // counts as lookAgain of them, in bytes
)

// steady is whether the open folder may be used once more for a file of that path.
func (r *reach) steady() bool {
	if r.used++; r.used < lookAgain {
		return true
	}
	r.used = 0
	return r.leads()
}

// worked counts a file of that size.
func (r *reach) worked(size int64) {
	if size >= largeFile {
		r.used = lookAgain
	}
}

// leads is whether the path still leads from the root to the folder that is open.
func (r *reach) leads() bool {
	if r.dir == "" {
		return true
	}
	fd, ok, err := lead(r.Tree.fd, r.dir)
	if !ok {
		fd, err = r.dirAt(r.dir)
	}
	if err != nil {
		return false
	}
	var now, was unix.Stat_t
	err = unix.Fstat(fd, &now)
	_ = unix.Close(fd) // it was only looked at
	return err == nil && unix.Fstat(r.fd, &was) == nil && now.Ino == was.Ino && now.Dev == was.Dev
}
