//go:build unix

package files

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
)

// A removal that a hold waits for ends while it reads the file again, which then has its
// name and stays (L3).
func TestRemovalGivesWay(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "a")
	write(t, path)
	tree := opened(t, root)
	list, _ := walked(t, tree, "*")
	way, give := context.WithCancelCause(t.Context())
	_, r, err := tree.read(way, list[0])
	must(t, err)
	list[0].Content, r = objects.Copying(r)
	_, err = io.Copy(io.Discard, r)
	must(t, errors.Join(err, r.Close()))
	list[0].Content.GivesWay(way)
	give(retention.ErrGaveWay)
	if err := ends(t, tree, list)[0]; !errors.Is(err, retention.ErrGaveWay) {
		t.Errorf("it ended as %v", err)
	}
	if left, err := os.ReadDir(root); err != nil || len(left) != 1 || left[0].Name() != "a" {
		t.Errorf("the folder has %v, %v", left, err)
	}
}

// An archived file goes only with the content that the archive has, whatever its size
// and time say, and its other names go too (L9).
func TestRemovesOnlyWhatWasArchived(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		at   func(t *testing.T, path string) // between the copy and the removal
		want error
	}{
		{"as it was", nil, nil},
		{"written in place, its time put back", func(t *testing.T, p string) {
			st, err := os.Stat(p)
			must(t, err)
			f, err := os.OpenFile(p, os.O_WRONLY, 0)
			must(t, err)
			_, err = f.WriteString("y")
			must(t, errors.Join(err, f.Close(), os.Chtimes(p, st.ModTime(), st.ModTime())))
		}, objects.ErrChanged},
		{"of other permissions", func(t *testing.T, p string) { must(t, os.Chmod(p, 0o400)) }, nil},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			path := filepath.Join(root, "d/a")
			write(t, path)
			must(t, os.Link(path, filepath.Join(root, "d/b")))
			tree := opened(t, root)
			list, _ := walked(t, tree, "d/*")
			for i := range list {
				_, r, err := tree.read(t.Context(), list[i])
				must(t, err)
				list[i].Content, r = objects.Copying(r)
				_, err = io.Copy(io.Discard, r)
				must(t, errors.Join(err, r.Close()))
			}
			if x.at != nil {
				x.at(t, path)
			}
			for i, err := range ends(t, tree, list) {
				if !errors.Is(err, x.want) {
					t.Errorf("%s ended as %v, want %v", list[i].Path, err, x.want)
				}
				_, err = os.Stat(filepath.Join(root, list[i].Path))
				if gone := errors.Is(err, os.ErrNotExist); gone != (x.want == nil) {
					t.Errorf("%s is gone: %v", list[i].Path, gone)
				}
			}
		})
	}
}
