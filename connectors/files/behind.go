//go:build unix

package files

import (
	"path/filepath"

	"github.com/retentiond/retentiond/connectors/objects"
)

var _ objects.Linking = (*Tree)(nil)

// Behind follows links, to keep a file that some row names through them: nothing is
// ever done to what is found so.
func (t *Tree) Behind(name string) (real string, ok bool) {
	at, err := filepath.EvalSymlinks(filepath.Join(t.real, filepath.FromSlash(name)))
	if err != nil {
		return "", false
	}
	real, err = filepath.Rel(t.real, at)
	return filepath.ToSlash(real), err == nil && filepath.IsLocal(real) && at != filepath.Join(t.real, name)
}
