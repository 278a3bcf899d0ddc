//go:build unix

package files

import (
	"os"
	"path/filepath"
	"testing"
)

// A file of another user in a sticky folder is told before anything tries to remove it,
// and one in any other folder is not.
func TestProbeSticky(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "sticky/a"))
	write(t, filepath.Join(root, "plain/a"))
	must(t, os.Chmod(filepath.Join(root, "sticky"), 0o777|os.ModeSticky))
	tree := opened(t, root)
	for dir, want := range map[string]string{"sticky": whySticky, "plain": ""} {
		r := tree.reach()
		name, err := r.in(dir + "/a")
		must(t, err)
		p := prober{uid: 1<<31 - 7} // nobody's
		must(t, p.folder(r))
		if got, err := p.file(r, name); got != want || err != nil {
			t.Errorf("%s: %q, %v", dir, got, err)
		}
		must(t, r.end())
	}
	n := 0
	must(t, tree.Probe(t.Context(), []string{"sticky/a", "plain/a", "plain/gone"}, func(string) { n++ }))
	if n != 0 {
		t.Errorf("%d of this user's own files could not be removed", n)
	}
}
