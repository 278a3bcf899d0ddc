//go:build unix

package files

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write makes a file, with its folders, that was last changed long ago.
func write(t *testing.T, path string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte("x"), 0o600))
	old := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	must(t, os.Chtimes(path, old, old))
}

func opened(t *testing.T, root string) *Tree {
	t.Helper()
	tree, err := open(root)
	must(t, err)
	t.Cleanup(func() { must(t, tree.Close()) })
	return tree
}

func walked(t *testing.T, tree *Tree, patterns ...string) (list []objects.Object, odd objects.Odd) {
	t.Helper()
	odd, err := tree.Walk(t.Context(), objects.ParsePatterns(patterns), func(o objects.Object, _ []int) error {
		list = append(list, o)
		return nil
	})
	must(t, err)
	return list, odd
}

// ends are the ends of each object's removal.
func ends(t *testing.T, tree *Tree, of []objects.Object) []error {
	t.Helper()
	out := make([]error, len(of))
	must(t, tree.Remove(context.WithoutCancel(t.Context()), of, func(i int, err error) { out[i] = err }))
	return out
}

// A file that changed, was replaced or went since it was looked at stays as it is.
func TestRemoveOnlyWhatWasSeen(t *testing.T) {
	root := t.TempDir()
	for _, n := range []string{"a", "b", "c", "d/e", "f"} {
		write(t, filepath.Join(root, n))
	}
	tree := opened(t, root)
	list, _ := walked(t, tree, "**/*")
	if len(list) != 5 {
		t.Fatalf("found %v", list)
	}
	must(t, os.WriteFile(filepath.Join(root, "a"), []byte("y"), 0o600)) // written again
	must(t, os.Rename(filepath.Join(root, "b"), filepath.Join(root, "c")))
	must(t, os.Remove(filepath.Join(root, "f")))
	must(t, os.Mkdir(filepath.Join(root, "f"), 0o755))
	got := ends(t, tree, list)
	want := []error{objects.ErrChanged, objects.ErrGone, objects.ErrChanged, nil, objects.ErrChanged}
	for i := range want {
		if !errors.Is(got[i], want[i]) {
			t.Errorf("%s: %v, want %v", list[i].Path, got[i], want[i])
		}
	}
	for _, n := range []string{"a", "c", "f"} {
		if _, err := os.Lstat(filepath.Join(root, n)); err != nil {
			t.Error(err)
		}
	}
}

// Folders that are replaced by links while files are removed lead nowhere: nothing
// outside of the root is ever touched, however often the attacker tries.
func TestRemoveLeavesNoRoot(t *testing.T) {
	base := t.TempDir()
	root, outside := filepath.Join(base, "root"), filepath.Join(base, "outside")
	const n = 40
	name := func(i int) string { return string(rune('a'+i%26)) + string(rune('a'+i/26)) }
	for i := range n {
		// The same content under a hard link: inode, size and time are those that were seen.
		write(t, filepath.Join(root, "d", name(i)))
		must(t, os.MkdirAll(outside, 0o755))
		must(t, os.Link(filepath.Join(root, "d", name(i)), filepath.Join(outside, name(i))))
	}
	tree := opened(t, root)
	list, _ := walked(t, tree, "**/*")
	if len(list) != n {
		t.Fatalf("found %d", len(list))
	}
	stop := make(chan struct{})
	var attacker sync.WaitGroup
	attacker.Go(func() {
		d, away := filepath.Join(root, "d"), filepath.Join(root, "away")
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Rename(d, away)
			_ = os.Symlink(outside, d)
			_ = os.Remove(d)
			_ = os.Rename(away, d)
		}
	})
	for range 300 {
		for i := range list {
			_ = ends(t, tree, list[i:i+1]) // one by one: the folder is reached anew each time
		}
		_, _ = tree.Walk(t.Context(), objects.ParsePatterns([]string{"**/*"}), func(o objects.Object, _ []int) error {
			if filepath.Dir(o.Path) != "d" && filepath.Dir(o.Path) != "away" {
				t.Errorf("the walk came to %q", o.Path)
			}
			return nil
		})
	}
	close(stop)
	attacker.Wait()
	for i := range n {
		if _, err := os.Lstat(filepath.Join(outside, name(i))); err != nil {
			t.Errorf("outside of the root: %v", err)
		}
	}
}

// Links, pipes, sockets and devices are counted and left; a folder that may not be
// read is an error, not an empty one.
func TestWalkOddFiles(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "plain.log"))
	must(t, os.Symlink("plain.log", filepath.Join(root, "link.log")))
	must(t, unix.Mkfifo(filepath.Join(root, "pipe.log"), 0o600))
	must(t, os.Symlink("/", filepath.Join(root, "folder")))
	must(t, os.Mkdir(filepath.Join(root, "dir.log"), 0o755))
	tree := opened(t, root)
	list, odd := walked(t, tree, "*.log", "folder/**/*")
	if len(list) != 1 || list[0].Path != "plain.log" || odd != (objects.Odd{Links: 1, Special: 1}) {
		t.Errorf("found %v, and %+v", list, odd)
	}
	for _, err := range ends(t, tree, []objects.Object{{Path: "link.log"}, {Path: "pipe.log"}, {Path: "../x"}, {Path: "folder/etc/passwd"}}) {
		if err == nil {
			t.Error("something odd was removed")
		}
	}
	if os.Geteuid() != 0 {
		must(t, os.Mkdir(filepath.Join(root, "shut"), 0))
		if _, err := tree.Walk(t.Context(), objects.ParsePatterns([]string{"**/*"}), func(objects.Object, []int) error { return nil }); err == nil {
			t.Error("a folder that cannot be read was left out")
		}
	}
}

// Other names of a removed file are told, once.
func TestHardLinksAreTold(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a.log"))
	must(t, os.Link(filepath.Join(root, "a.log"), filepath.Join(root, "backup")))
	tree := opened(t, root)
	list, _ := walked(t, tree, "*.log")
	if err := ends(t, tree, list)[0]; err != nil {
		t.Fatal(err)
	}
	if first, again := len(tree.Residuals()), len(tree.Residuals()); first != 2 || again != 1 {
		t.Errorf("%d residuals, then %d", first, again)
	}
}

// A time beyond what nanoseconds can say does not come back as another one, and each
// of them tells files apart (L1).
func TestFarTimes(t *testing.T) {
	root := t.TempDir()
	for _, sec := range []int64{19_763_000_000, -17_000_000_000, 9_223_372_036, -9_223_372_037} {
		path := filepath.Join(root, "a.dat")
		write(t, path)
		must(t, unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{{Sec: sec, Nsec: 5}, {Sec: sec, Nsec: 5}}, 0))
		var st unix.Stat_t
		must(t, unix.Stat(path, &st))
		if got, nsec := st.Mtim.Unix(); got != sec {
			t.Logf("the file system keeps %d.%d for %d", got, nsec, sec)
			sec = got
		}
		list, _ := walked(t, opened(t, root), "*")
		far := sec < -farthest || sec > farthest
		if len(list) != 1 || far && list[0].Far != sec || !far && (list[0].Far != 0 || list[0].Nanos/1e9 != sec) {
			t.Errorf("%d: %+v", sec, list)
		}
	}
}
