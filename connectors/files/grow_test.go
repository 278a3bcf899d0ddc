//go:build unix

package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/retentiond/retentiond/connectors/objects"
)

// A file that grows while it is read is read no further than what was tested (L13).
func TestOpenStopsWhereAFileGrew(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "d/a"))
	tree := opened(t, root)
	list, _ := walked(t, tree, "d/a")
	_, r, err := tree.read(t.Context(), list[0])
	must(t, err)
	must(t, os.WriteFile(filepath.Join(root, "d/a"), make([]byte, 1<<20), 0o600))
	n, err := io.Copy(io.Discard, r)
	if !errors.Is(err, objects.ErrChanged) || n > list[0].Size {
		t.Errorf("%d bytes were read of %d, and it ended as %v", n, list[0].Size, err)
	}
	must(t, r.Close())
}
