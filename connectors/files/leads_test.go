//go:build unix

package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/retentiond/retentiond/connectors/objects"
)

// A folder that is moved out of the tree while it is emptied keeps what was left, though
// a link in its place leads there, or another folder has its name (L6).
func TestRemoveLeavesMovedFolder(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"nothing", "a link", "another folder"} {
		base := t.TempDir()
		root, saved := filepath.Join(base, "root"), filepath.Join(base, "saved")
		const n = 100
		for i := range n {
			write(t, filepath.Join(root, "in/d", fmt.Sprintf("f%02d", i)))
		}
		tree := opened(t, root)
		list, _ := walked(t, tree, "**/*")
		var gone, changed int
		must(t, tree.Remove(t.Context(), list, func(i int, err error) {
			switch {
			case errors.Is(err, objects.ErrGone):
				gone++
			case errors.Is(err, objects.ErrChanged):
				changed++
			case err != nil:
				t.Errorf("%s: %v", place, err)
			}
			if i != n/2 {
				return
			}
			must(t, os.Rename(filepath.Join(root, "in"), saved))
			switch place {
			case "a link":
				must(t, os.Symlink(saved, filepath.Join(root, "in")))
			case "another folder":
				for i := range n {
					write(t, filepath.Join(root, "in/d", fmt.Sprintf("f%02d", i)))
				}
			}
		}))
		left, err := os.ReadDir(filepath.Join(saved, "d"))
		must(t, err)
		if least := n/2 - 1 - lookAgain; len(left) < least || gone+changed != len(left) {
			t.Errorf("%s in its place: %d of at least %d files are left where they were moved to, %d are told as gone and %d as changed", place, len(left), least, gone, changed)
		}
		if here, err := os.ReadDir(filepath.Join(root, "in/d")); place == "another folder" && (err != nil || len(here) != n) {
			t.Errorf("of the folder in its place %d files are left: %v", len(here), err)
		}
	}
}

// Where the path cannot be gone at once, it is gone folder by folder.
func TestLeads(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "a/b/f"))
	write(t, filepath.Join(root, "c"))
	tree := opened(t, root)
	r := tree.reach()
	_, err := r.in("a/b/f")
	must(t, err)
	by := func() bool {
		fd, err := r.dirAt(r.dir)
		if err == nil {
			must(t, os.NewFile(uintptr(fd), "b").Close())
		}
		return err == nil
	}
	if !r.leads() || !by() {
		t.Error("the path leads nowhere")
	}
	must(t, os.Rename(filepath.Join(root, "a/b"), filepath.Join(root, "b")))
	if r.leads() || by() {
		t.Error("the path leads to what was moved")
	}
	must(t, os.Symlink("../b", filepath.Join(root, "a/b")))
	if r.leads() || by() {
		t.Error("a link leads there")
	}
	must(t, r.end())
}
