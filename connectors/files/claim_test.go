//go:build unix

package files

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
)

// content is what a file has, or "" where there is none.
func content(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}

// A file that takes the name after the last look keeps it, and its content (L6).
func TestRenamedOverBeforeItGoes(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "d/a"))
	tree := opened(t, root)
	list, _ := walked(t, tree, "**/*")
	must(t, os.WriteFile(filepath.Join(root, "new"), []byte("anew"), 0o600))
	r := tree.reach()
	name, o, ok, err := r.stat("d/a")
	if err != nil || !ok || !o.Same(list[0]) {
		t.Fatalf("looked at %v, %v, %v", o, ok, err)
	}
	must(t, os.Rename(filepath.Join(root, "new"), filepath.Join(root, "d/a")))
	if err := r.take(list[0], name, claim("tag", 0)); !errors.Is(err, objects.ErrChanged) {
		t.Errorf("it ended as %v", err)
	}
	must(t, r.end())
	if got := content(filepath.Join(root, "d/a")); got != "anew" {
		t.Errorf("the new file is %q", got)
	}
}

// A removal that is cut short leaves names of its own, which no pattern matches:
// settling gives the old ones back, and replaces nothing (L7).
func TestNamesComeBack(t *testing.T) {
	root := t.TempDir()
	for _, n := range []string{"a", "b", "c"} {
		write(t, filepath.Join(root, n))
	}
	tree := opened(t, root)
	list, _ := walked(t, tree, "*")
	must(t, os.Rename(filepath.Join(root, "a"), filepath.Join(root, claim("tag", 0))))
	must(t, os.Rename(filepath.Join(root, "b"), filepath.Join(root, claim("tag", 1))))
	must(t, os.WriteFile(filepath.Join(root, "b"), []byte("anew"), 0o600))
	must(t, tree.PutBack("tag", list))
	if content(filepath.Join(root, "a")) != "x" || content(filepath.Join(root, "b")) != "anew" || content(filepath.Join(root, claim("tag", 1))) != "x" {
		t.Error("a name did not come back, or replaced another file")
	}
	if list, odd := walked(t, tree, "*"); len(list) != 3 || odd.Beside != 1 {
		t.Errorf("found %v, and %+v", list, odd)
	}
	must(t, os.Link(filepath.Join(root, "c"), filepath.Join(root, claim("tag", 2)))) // where names are moved by links
	r := tree.reach()
	_, err := r.in("c")
	must(t, err)
	must(t, linkOver(r.fd, claim("tag", 2), "c"))
	must(t, r.end())
	if content(filepath.Join(root, "c")) != "x" || content(filepath.Join(root, claim("tag", 2))) != "" {
		t.Error("a name that was linked back keeps its other one")
	}
}

// Two handles of one root exclude each other, by whatever name they came (L3).
func TestRootIsLocked(t *testing.T) {
	root := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(root, link))
	a, b := opened(t, root), opened(t, link)
	free, err := a.Lock(t.Context(), 0)
	must(t, err)
	for _, tree := range []*Tree{a, b} {
		if _, err := tree.Lock(t.Context(), 30*time.Millisecond); !errors.Is(err, retention.ErrLocked) {
			t.Errorf("a second lock: %v", err)
		}
	}
	must(t, free())
	free, err = b.Lock(context.WithoutCancel(t.Context()), time.Second)
	must(t, err)
	must(t, free())
}

// What a root names stays with it, as attribute or file, and no other has it.
func TestRootNamesItsStore(t *testing.T) {
	root := t.TempDir()
	tree := opened(t, root)
	if s, err := tree.Store(); s != "" || err != nil {
		t.Fatalf("a new root names %q, %v", s, err)
	}
	must(t, tree.markFile("one"))
	if s, err := opened(t, root).Store(); s != "one" || err != nil {
		t.Errorf("the file says %q, %v", s, err)
	}
	if list, odd := walked(t, tree, "**/*"); len(list) != 0 || odd != (objects.Odd{}) {
		t.Errorf("the mark is listed: %v, %+v", list, odd)
	}
	must(t, tree.Mark("two"))
	moved := root + ".moved"
	must(t, os.Rename(root, moved))
	must(t, os.Mkdir(root, 0o755))
	if s, err := opened(t, root).Store(); s != "" || err != nil {
		t.Errorf("another root names %q, %v", s, err)
	}
	was, err := tree.Place()
	must(t, err)
	if now, err := opened(t, moved).Place(); now != was || err != nil {
		t.Errorf("a root that was moved is %q, was %q, %v", now, was, err)
	}
	if other, err := opened(t, root).Place(); other == was || err != nil {
		t.Errorf("another root is %q as well, %v", other, err)
	}
}
