package configs

import (
	"os"
	"path/filepath"
	"testing"
)

// A folder is found as its file system has it: bind mounts of it, and of what lies in
// it, are told (L3).
func TestMountedAt(t *testing.T) {
	t.Parallel()
	const table = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" +
		"30 22 8:1 /srv/tree/uploads /mnt/other\\040one rw shared:1 - ext4 /dev/sda1 rw\n" +
		"31 22 8:2 / /data rw - ext4 /dev/sdb1 rw\n" +
		"32 22 8:3 /x /data rw - ext4 /dev/sdc1 rw\n" +
		"broken\n"
	for path, want := range map[string]mounted{
		"/srv/tree":          {"8:1", "/srv/tree"},
		"/mnt/other one":     {"8:1", "/srv/tree/uploads"},
		"/mnt/other one/a/b": {"8:1", "/srv/tree/uploads/a/b"},
		"/mnt/other":         {"8:1", "/mnt/other"},
		"/data/a":            {"8:3", "/x/a"},
		"/database":          {"8:1", "/database"},
	} {
		if got := mountedAt(table, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if got := mountedAt("", "/srv"); got != (mounted{}) {
		t.Errorf("no table says %v", got)
	}
}

// By device and number a folder is itself, and around what lies in it, by any path.
func TestSurrounds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, n := range []string{"tree/in", "tree2"} {
		if err := os.MkdirAll(filepath.Join(dir, n), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("tree", filepath.Join(dir, "other")); err != nil { // a path that leads there otherwise
		t.Fatal(err)
	}
	tree := filepath.Join(dir, "tree")
	for path, want := range map[string]bool{"other": true, "other/in": true, "other/in/gone": true, "tree2": false, ".": false} {
		if got := surrounds(tree, filepath.Join(dir, path)); got != want {
			t.Errorf("%s: %t, want %t", path, got, want)
		}
	}
	for _, two := range [][2]string{{"tree", "other"}, {"tree", "tree2"}} {
		if nested(filepath.Join(dir, two[0]), filepath.Join(dir, two[1])) {
			t.Errorf("%v lie within each other", two)
		}
	}
	if !nested(tree, filepath.Join(dir, "other/in")) {
		t.Error("a folder within another lies apart")
	}
}

// Roots are written relative to the configuration, and mounts are not.
func TestRealPathIsAbsolute(t *testing.T) {
	t.Parallel()
	for _, p := range []string{".", "gone"} {
		if got := realPath(p); !filepath.IsAbs(got) {
			t.Errorf("%s is %s", p, got)
		}
	}
}
