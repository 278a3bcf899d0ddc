package configs

import (
	"os"
	"path/filepath"
	"strings"
)

// A folder has several paths that no link shows: bind mounts, and systems of files that
// tell no case apart. Two sources of one folder would have two gates, and a hold of the
// one would not stop the other (L3).

// mounts is where Linux lists what is mounted; elsewhere there is no such file.
const mounts = "/proc/self/mountinfo"

// nested is whether one of two folders lies in the other, or is the other by a path
// that no link shows. The same folder by its real path is one source, as a database is.
func nested(a, b string) bool {
	a, b = realPath(a), realPath(b)
	if a == b {
		return false
	}
	table, _ := os.ReadFile(mounts) // without it paths and numbers of folders decide
	x, y := mountedAt(string(table), a), mountedAt(string(table), b)
	return within(a, b) || within(b, a) || surrounds(a, b) || surrounds(b, a) ||
		x.device != "" && x.device == y.device && (within(x.path, y.path) || within(y.path, x.path))
}

// surrounds is whether the folder is the path, or one on the way to it, by device and
// number.
func surrounds(dir, path string) bool {
	is, err := os.Stat(dir)
	if err != nil {
		return false
	}
	for p := path; ; p = filepath.Dir(p) {
		if at, err := os.Stat(p); err == nil && os.SameFile(is, at) {
			return true
		}
		if p == filepath.Dir(p) {
			return false
		}
	}
}

// mounted is a folder as its own file system has it, whatever it is mounted as.
type mounted struct{ device, path string }

// mountedAt finds a folder in the table of mounts; device is "" where nothing there
// leads to it. Of two mounts at one place the later one is seen.
func mountedAt(table, path string) (out mounted) {
	longest := -1
	for line := range strings.Lines(table) {
		f := strings.Fields(line) // identifier, parent, device, folder in the device, place
		if len(f) < 5 {
			continue
		}
		place := unescaped.Replace(f[4])
		if !within(place, path) || len(place) < longest {
			continue
		}
		if rel, err := filepath.Rel(place, path); err == nil {
			longest, out = len(place), mounted{f[2], filepath.Join(unescaped.Replace(f[3]), rel)}
		}
	}
	return out
}

// unescaped are the bytes that the table writes as numbers.
var unescaped = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
