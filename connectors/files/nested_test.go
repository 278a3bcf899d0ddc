//go:build unix

package files

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
)

func mismatched(err error) bool {
	var r *retention.Refusal
	return errors.As(err, &r) && r.Code == retention.RefuseStateMismatch
}

// Of two stores whose roots lie within each other the second acts on nothing, whichever
// it is, and however the mark is written (L3).
func TestNestedRoots(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"attribute", "file"} {
		root := t.TempDir()
		write(t, filepath.Join(root, "a/b/c"))
		write(t, filepath.Join(root, "z"))
		outer, inner := opened(t, root), opened(t, filepath.Join(root, "a/b"))
		if err := inner.Around("inner"); err != nil {
			t.Fatalf("%s: nothing is marked: %v", way, err)
		}
		list, _ := walked(t, outer, "**/*")
		must(t, outer.Mark("outer"))
		if err := inner.Around("inner"); !mismatched(err) {
			t.Errorf("%s: a root within another store's: %v", way, err)
		}
		if err := inner.Around("outer"); err != nil {
			t.Errorf("%s: the same store: %v", way, err)
		}
		mark := inner.Mark
		if way == "file" {
			mark = inner.markFile
		}
		must(t, mark("inner"))
		if _, err := outer.Walk(t.Context(), objects.ParsePatterns([]string{"**/*"}), func(objects.Object, []int) error { return nil }); !mismatched(err) {
			t.Errorf("%s: the walk over another store's root: %v", way, err)
		}
		if got := ends(t, outer, list); !mismatched(got[0]) || got[1] != nil {
			t.Errorf("%s: files ended as %v", way, got)
		}
		if _, err := os.Lstat(filepath.Join(root, "a/b/c")); err != nil {
			t.Errorf("%s: %v", way, err)
		}
		must(t, mark("outer"))
		if _, err := outer.Walk(t.Context(), objects.ParsePatterns([]string{"**/*"}), func(objects.Object, []int) error { return nil }); err != nil {
			t.Errorf("%s: the walk over the store's own root: %v", way, err)
		}
	}
}
