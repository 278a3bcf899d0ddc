package files

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
)

// Mounts are told apart in both ways, and folders of one mount are not.
func TestMountsAreTold(t *testing.T) {
	t.Parallel()
	at := func(path string) int {
		f, err := os.Open(path)
		must(t, err)
		t.Cleanup(func() { _ = f.Close() })
		return int(f.Fd())
	}
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "in"), 0o755))
	for name, of := range map[string]func(int) uint64{"asked": mountOf, "listed": listedMount} {
		if of(at(dir)) == 0 || of(at(dir)) != of(at(filepath.Join(dir, "in"))) || of(at(dir)) == of(at("/proc")) {
			t.Errorf("%s: mounts %d, %d, and %d of /proc", name, of(at(dir)), of(at(filepath.Join(dir, "in"))), of(at("/proc")))
		}
	}
	if a, b := mountOf(at(dir)), listedMount(at(dir)); a != b {
		t.Errorf("one mount is %d, and %d", a, b)
	}
	tree := opened(t, dir)
	tree.mount++ // the folders in it are of another mount, and of the same device
	write(t, filepath.Join(dir, "in/a"))
	wantApart(t, tree, "in/a")
}

// A folder that is bound into the tree from elsewhere is not entered, whatever lies in
// it, and not by its path either: who holds what lies there is not known (L3).
func TestBoundFolderIsNotEntered(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	go func() { // which ends with its thread, whose mounts are its own
		defer close(done)
		runtime.LockOSThread()
		root, outside := t.TempDir(), t.TempDir()
		write(t, filepath.Join(outside, "a"))
		write(t, filepath.Join(root, "b"))
		must(t, os.Mkdir(filepath.Join(root, "in"), 0o755))
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Mount(outside, filepath.Join(root, "in"), "", unix.MS_BIND, "")
		}
		if err != nil {
			t.Logf("nothing can be mounted here (%v): TestMountsAreTold says what can be said without", err)
			return
		}
		wantApart(t, opened(t, root), "in/a")
		if _, err := os.Lstat(filepath.Join(outside, "a")); err != nil {
			t.Error(err)
		}
	}()
	<-done
}

// wantApart fails where the file is reached, by a walk or by its path.
func wantApart(t *testing.T, tree *Tree, path string) {
	t.Helper()
	list, odd := walked(t, tree, "**/*")
	for _, o := range list {
		if o.Path == path {
			t.Errorf("%s is listed", path)
		}
	}
	if odd.Mounts != 1 {
		t.Errorf("%+v is told", odd)
	}
	must(t, tree.Look(t.Context(), []string{path}, func(_ int, o objects.Object) {
		if o.ID != "" {
			t.Errorf("%s is seen", path)
		}
	}))
	var st unix.Stat_t
	must(t, unix.Stat(filepath.Join(tree.real, path), &st))
	if err := ends(t, tree, []objects.Object{objectOf(path, &st)})[0]; !errors.Is(err, objects.ErrChanged) {
		t.Errorf("its removal ended so: %v", err)
	}
	must(t, unix.Stat(filepath.Join(tree.real, path), &st))
}
