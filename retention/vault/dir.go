package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dir is a vault in a directory.
type dir struct{ path string }

// unfinished begins the name of a file that is being written.
const unfinished = ".unfinished-"

func (d dir) place() string { return d.path }

// make creates the directory, readable by its owner alone.
func (d dir) make() error {
	if st, err := os.Stat(d.path); err == nil && st.IsDir() {
		return nil
	}
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return fmt.Errorf("make the vault's directory: %w", err)
	}
	return syncDir(filepath.Dir(d.path))
}

func (d dir) put(_ context.Context, name string, content []byte) (err error) {
	if err := d.make(); err != nil {
		return err
	}
	final, temp := filepath.Join(d.path, name), filepath.Join(d.path, unfinished+name)
	if _, err := os.Lstat(final); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: %w", final, errors.Join(fs.ErrExist, err))
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp))
		}
	}()
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(temp, final)
}

func (d dir) sync(context.Context) error { return syncDir(d.path) }

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d dir) get(_ context.Context, name string) (io.ReadCloser, error) {
	f, err := os.Open(filepath.Join(d.path, name))
	if err != nil {
		return nil, err
	}
	uncache(f)
	return f, nil
}

func (d dir) list(context.Context) ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	slices.Sort(out)
	return out, nil
}

func (d dir) remove(_ context.Context, name string) error {
	err := os.Remove(filepath.Join(d.path, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(d.path)
}

// isUnfinished reports whether a name is of a file that was never finished, and
// of which.
func isUnfinished(name string) (string, bool) { return strings.CutPrefix(name, unfinished) }
