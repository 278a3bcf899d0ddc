//go:build unix

package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
)

// What is read to its end is the file that was tested; anything else is an error, and
// nothing in its place is followed or waited for (L6, L9).
func TestOpenReadsOnlyWhatWasSeen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		before, at func(t *testing.T, path string)
		want       error
	}{
		{"as it was", nil, nil, nil},
		{"gone", func(t *testing.T, p string) { must(t, os.Remove(p)) }, nil, objects.ErrGone},
		{"another file", func(t *testing.T, p string) {
			must(t, os.Rename(p, p+".old"))
			write(t, p)
		}, nil, objects.ErrChanged},
		{"a link to it", func(t *testing.T, p string) {
			must(t, os.Rename(p, p+".old"))
			must(t, os.Symlink(p+".old", p))
		}, nil, objects.ErrChanged},
		{"a pipe", func(t *testing.T, p string) {
			must(t, os.Remove(p))
			must(t, unix.Mkfifo(p, 0o600))
		}, nil, objects.ErrChanged},
		{"written while it is read", nil, func(t *testing.T, p string) { must(t, os.WriteFile(p, []byte("y"), 0o600)) }, objects.ErrChanged},
		{"appended while it is read", nil, func(t *testing.T, p string) { must(t, os.WriteFile(p, []byte("xy"), 0o600)) }, objects.ErrChanged},
		{"cut while it is read", nil, func(t *testing.T, p string) { must(t, os.Truncate(p, 0)) }, objects.ErrChanged},
		{"replaced while it is read", nil, func(t *testing.T, p string) {
			write(t, p+".new")
			must(t, os.Rename(p+".new", p))
		}, nil}, // what is read is the one that was tested; its name is looked at again before it goes
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			path := filepath.Join(root, "d/a")
			write(t, path)
			tree := opened(t, root)
			list, _ := walked(t, tree, "d/a")
			if x.before != nil {
				x.before(t, path)
			}
			mode, r, err := tree.read(t.Context(), list[0])
			if err == nil {
				if x.at != nil {
					x.at(t, path)
				}
				_, err = io.ReadAll(r)
				must(t, r.Close())
			}
			if !errors.Is(err, x.want) {
				t.Errorf("it ended as %v, want %v", err, x.want)
			}
			if err == nil && mode != 0o600 {
				t.Errorf("its mode is %o", mode)
			}
		})
	}
}
