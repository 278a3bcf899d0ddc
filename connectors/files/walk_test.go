//go:build unix

package files

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Each file is listed as what it is, in folders that lie between files, and in those
// that are looked at by several at once.
func TestWalkTellsEachFile(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	n := 0
	for dir, many := range map[string]int{"": 3, "m": 2 * looksApiece, "m/m": 2 * looksApiece, "z": 3} {
		must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
		for i := range many {
			n++
			must(t, os.WriteFile(filepath.Join(root, dir, fmt.Sprintf("%c%d", 'a'+i%26, i)), make([]byte, n), 0o600))
		}
	}
	list, _ := walked(t, opened(t, root), "**/*")
	if len(list) != n {
		t.Fatalf("%d files of %d are listed", len(list), n)
	}
	for _, o := range list {
		var st unix.Stat_t
		must(t, unix.Lstat(filepath.Join(root, o.Path), &st))
		if is := objectOf(o.Path, &st); !o.Same(is) {
			t.Fatalf("%s is listed as %+v, and is %+v", o.Path, o, is)
		}
	}
}
