package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
)

// upper is a form that is easy to see, and lets a test do something while it is made.
type upper struct{ at func() }

func (u upper) Write(dst io.Writer, src io.Reader) (objects.Rewritten, error) {
	b, err := io.ReadAll(src)
	if err == nil {
		_, err = io.WriteString(dst, strings.ToUpper(string(b)))
	}
	if u.at != nil {
		u.at()
	}
	return objects.Rewritten{Changed: 1}, err
}

// rewritten rewrites one file, and returns what became of it. between is called when
// what it becomes is there, and has not its place yet.
func rewritten(t *testing.T, tree *Tree, o objects.Object, form objects.Form, between func()) (next, now objects.Object, end error) {
	t.Helper()
	must(t, tree.Rewrite(t.Context(), "tag", []objects.Object{o}, form, func(_ int, n objects.Object) error {
		if next = n; between != nil {
			between()
		}
		return nil
	}, func(_ int, n objects.Object, _ objects.Rewritten, err error) { now, end = n, err }))
	return next, now, end
}

// A file that is written anew keeps its permissions, times and attributes, and nothing
// is left beside it.
func TestRewrittenFileIsAlike(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "d/a")
	write(t, path)
	must(t, os.Chmod(path, 0o640))
	attrs := unix.Setxattr(path, "user.team", []byte("ops"), 0) == nil
	if os.Geteuid() == 0 {
		must(t, os.Chown(path, 12, 34))
	}
	must(t, os.Link(path, filepath.Join(root, "other")))
	tree := opened(t, root)
	list, _ := walked(t, tree, "d/a")
	var was, is unix.Stat_t
	must(t, unix.Stat(path, &was))
	_, now, err := rewritten(t, tree, list[0], upper{}, nil)
	must(t, err)
	must(t, unix.Stat(path, &is))
	if content(path) != "X" || is.Mode != was.Mode || is.Uid != was.Uid || is.Gid != was.Gid || is.Mtim != was.Mtim || is.Ino == was.Ino {
		t.Errorf("it is %q, %+v, and was %+v", content(path), is, was)
	}
	var b [10]byte
	if n, err := unix.Getxattr(path, "user.team", b[:]); attrs && (err != nil || string(b[:n]) != "ops") {
		t.Errorf("its attribute is %q, %v", b[:max(n, 0)], err)
	}
	if list, _ := walked(t, tree, "d/a"); len(list) != 1 || list[0] != now {
		t.Errorf("it is listed as %v, and was told as %v", list, now)
	}
	if names, err := os.ReadDir(filepath.Join(root, "d")); err != nil || len(names) != 1 {
		t.Errorf("the folder has %v, %v", names, err)
	}
	if content(filepath.Join(root, "other")) != "x" || len(tree.Residuals()) != 2 {
		t.Error("the content under another name is not told")
	}
}

// A file that anybody touches while it is written anew stays what they made of it, and
// nothing is left beside it (L6).
func TestRewriteOnlyWhatWasSeen(t *testing.T) {
	t.Parallel()
	anew := func(t *testing.T, path string) { // renamed over, as a rotation does
		must(t, os.WriteFile(path+".new", []byte("anew"), 0o600))
		must(t, os.Rename(path+".new", path))
	}
	tests := []struct {
		name          string
		before        func(t *testing.T, path string)
		while, placed func(t *testing.T, path string)
		want          string
		end           error
	}{
		{"nobody", nil, nil, nil, "X", nil},
		{"written before", func(t *testing.T, p string) { must(t, os.WriteFile(p, []byte("y"), 0o600)) }, nil, nil, "y", objects.ErrChanged},
		{"open for writing", func(t *testing.T, p string) {
			f, err := os.OpenFile(p, os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			t.Cleanup(func() { _ = f.Close() })
		}, nil, nil, "x", objects.ErrChanged},
		{"opened for writing meanwhile", nil, func(t *testing.T, p string) { opens(t, p) }, nil, "xy", objects.ErrChanged},
		{"opened for writing at the last", nil, nil, func(t *testing.T, p string) { opens(t, p) }, "xy", objects.ErrChanged},
		{"replaced meanwhile", nil, anew, nil, "anew", objects.ErrChanged},
		{"replaced at the last", nil, nil, anew, "anew", objects.ErrChanged},
		{"gone", func(t *testing.T, p string) { must(t, os.Remove(p)) }, nil, nil, "", objects.ErrGone},
		{"a link", func(t *testing.T, p string) {
			must(t, os.Remove(p))
			must(t, os.Symlink("/etc/hostname", p))
		}, nil, nil, content("/etc/hostname"), objects.ErrChanged},
	}
	for _, x := range tests {
		if strings.HasPrefix(x.name, "open") && !leases(t) {
			continue
		}
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			path := filepath.Join(root, "a")
			write(t, path)
			tree := opened(t, root)
			list, _ := walked(t, tree, "a")
			if x.before != nil {
				x.before(t, path)
			}
			call := func(f func(*testing.T, string)) func() {
				return func() {
					if f != nil {
						f(t, path)
					}
				}
			}
			_, _, err := rewritten(t, tree, list[0], upper{call(x.while)}, call(x.placed))
			if !errors.Is(err, x.end) || (err == nil) != (x.end == nil) {
				t.Errorf("it ended as %v, want %v", err, x.end)
			}
			for end := time.Now().Add(5 * time.Second); content(path) != x.want && time.Now().Before(end); { // a writer comes as soon as it may
				time.Sleep(time.Millisecond)
			}
			if got := content(path); got != x.want {
				t.Errorf("the file has %q, want %q", got, x.want)
			}
			if _, odd := walked(t, tree, "*"); odd.Beside != 0 {
				t.Error("something is left beside it")
			}
		})
	}
}

// leases is whether the file system of tests tells who opens a file.
func leases(t *testing.T) bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a")
	write(t, path)
	f, err := os.Open(path)
	must(t, err)
	defer func() { _ = f.Close() }()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	return err == nil
}

// opens appends to a file in its own time: it waits for whoever has a lease. It
// returns once it has asked.
func opens(t *testing.T, path string) {
	t.Helper()
	if fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err == nil { // breaks the lease
		must(t, unix.Close(fd))
		t.Fatal("the file system has no leases")
	}
	done := make(chan error, 1)
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err == nil {
			_, err = f.WriteString("y")
			err = errors.Join(err, f.Close())
		}
		done <- err
	}()
	t.Cleanup(func() { must(t, <-done) })
}

// A rewriting that is cut short anywhere is undone: each file has its old content, or
// is done, and nothing is left beside it (L7).
func TestRewritingIsUndone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		leave func(t *testing.T, path, own string) // what the crash left
		known bool                                 // what it becomes was written down
		want  string
		done  bool
	}{
		{"not begun", func(*testing.T, string, string) {}, false, "x", false},
		{"half written", func(t *testing.T, _, own string) { must(t, os.WriteFile(own, []byte("X"), 0o600)) }, false, "x", false},
		{"before it had its place", func(t *testing.T, _, own string) { must(t, os.WriteFile(own, []byte("X"), 0o600)) }, true, "x", false},
		{"before the old one went", func(t *testing.T, path, own string) {
			must(t, os.WriteFile(own, []byte("X"), 0o600))
			must(t, unix.Renameat2(unix.AT_FDCWD, own, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE))
		}, true, "x", false},
		{"completed", func(t *testing.T, path, own string) {
			must(t, os.WriteFile(own, []byte("X"), 0o600))
			must(t, os.Rename(own, path))
		}, true, "X", true},
		{"completed, and replaced since", func(t *testing.T, path, _ string) {
			must(t, os.WriteFile(path+".new", []byte("anew"), 0o600))
			must(t, os.Rename(path+".new", path))
		}, true, "anew", false},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			path, own := filepath.Join(root, "a"), filepath.Join(root, claim("tag", 0))
			write(t, path)
			tree := opened(t, root)
			list, _ := walked(t, tree, "a")
			x.leave(t, path, own)
			next := make([]objects.Object, 1)
			for _, name := range []string{own, path} {
				var st unix.Stat_t
				if x.known && content(name) == "X" && unix.Stat(name, &st) == nil {
					next[0] = objectOf("a", &st)
				}
			}
			done, err := tree.Undo(t.Context(), "tag", list, next)
			must(t, err)
			if got := content(path); got != x.want || done[0] != x.done {
				t.Errorf("the file has %q, want %q; done: %t", got, x.want, done[0])
			}
			if _, odd := walked(t, tree, "*"); odd.Beside != 0 {
				t.Error("something is left beside it")
			}
		})
	}
}

// On a full disk a file stays what it was, and nothing is left beside it.
func TestRewriteOnFullDisk(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	form := objects.Form(upper{})
	switch err := unix.Mount("tmpfs", root, "tmpfs", 0, "size=16k"); {
	case errors.Is(err, unix.EPERM): // nobody may mount one here: the disk is full as far as it is told
		form = full{}
	case err != nil:
		t.Fatal(err)
	default:
		t.Cleanup(func() { must(t, unix.Unmount(root, unix.MNT_DETACH)) })
	}
	path, text := filepath.Join(root, "a"), strings.Repeat("x", 10_000)
	must(t, os.WriteFile(path, []byte(text), 0o600))
	tree := opened(t, root)
	list, _ := walked(t, tree, "a")
	if _, _, err := rewritten(t, tree, list[0], form, nil); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("it ended as %v", err)
	}
	if _, odd := walked(t, tree, "*"); content(path) != text || odd.Beside != 0 {
		t.Error("the file changed, or something is left beside it")
	}
}

type full struct{}

func (full) Write(io.Writer, io.Reader) (objects.Rewritten, error) {
	return objects.Rewritten{}, unix.ENOSPC
}
