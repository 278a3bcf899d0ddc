//go:build unix

package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/retention"
)

// Two stores whose roots lie within each other would act on the same files, and a hold
// of the one would not be seen by the other (L3). Whoever comes second is refused: the
// folders around a root are looked at when it is made to name its store and before each
// batch, and those below it while it is walked, and again before a file in one of them
// goes.

// Around refuses a root that lies within one that names another store. Folders around it
// that this user may not read say nothing.
func (t *Tree) Around(store string) error {
	for dir := filepath.Dir(t.real); ; dir = filepath.Dir(dir) {
		if s := markOf(dir); s != "" && s != store {
			return nested("folder %s lies within %s, which names state store %s: holds of the one would not be seen by the other. Let one store act on both; "+
				"if nothing acts on the outer one any more, take its mark away (attribute %s, or file %s)", t.root, dir, s, attrName, markName)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// markOf is the store that a folder names, as far as this user may know.
func markOf(dir string) string {
	fd, err := retry(func() (int, error) {
		return unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return ""
	}
	s, err := storeAt(fd)
	if unix.Close(fd) != nil || err != nil {
		return ""
	}
	return s
}

// strange refuses a folder below the root that is itself a root, and names another
// store than this one does.
func (t *Tree) strange(fd int, own, path string) error {
	if own == "" {
		return nil
	}
	s, err := storeAt(fd)
	if err != nil || s == "" || s == own {
		return err
	}
	return nested("folder %s, within %s, names another state store, %s: holds of the one would not be seen by the other. Let one store act on both; "+
		"if nothing acts on it any more, take its mark away (attribute %s, or file %s)", t.shown(path), t.root, s, attrName, markName)
}

func nested(format string, args ...any) error {
	return &retention.Refusal{Code: retention.RefuseStateMismatch, Message: fmt.Sprintf(format, args...)}
}

// storeAt is the store that the folder's mark names.
func storeAt(fd int) (string, error) {
	text, err := markAt(fd)
	store, _, _ := strings.Cut(text, " ")
	return store, err
}

// markAt is what the attribute of the folder says, or its file where there is none.
func markAt(fd int) (string, error) {
	s, err := getAttr(fd)
	if err != nil {
		return "", fmt.Errorf("attribute %s: %w", attrName, err)
	}
	if s != "" {
		return s, nil
	}
	file, err := retry(func() (int, error) {
		return unix.Openat(fd, markName, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
	if errors.Is(err, unix.ENOENT) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("file %s: %w", markName, err)
	}
	f := os.NewFile(uintptr(file), markName)
	b, err := io.ReadAll(io.LimitReader(f, mostMark))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("file %s: %w", markName, err)
	}
	return strings.TrimSpace(string(b)), nil
}
