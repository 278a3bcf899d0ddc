package objects

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

var _ retention.FileOwner = (*Source)(nil)

// A file of names is pending until it is known how the rows' batch ended.
const (
	pendingEnd = ".pending"
	readyEnd   = ".ready"
)

// owned is the file of names of one part of an intent.
func (s *Source) owned(intent string, part int, end string) string {
	name := filepath.Base(s.e.journal.file(intent))
	if part > 0 {
		name += "-" + strconv.Itoa(part)
	}
	return filepath.Join(filepath.Dir(s.e.journal.dir), "owned", name+end)
}

// Note writes names down, durably, with what has them now.
func (s *Source) Note(ctx context.Context, f retention.OwnedFiles) error {
	there, err := s.present(ctx, f.Files)
	if err != nil {
		return fmt.Errorf("files of rows: %w", err)
	}
	if f.Files = there; len(there) == 0 {
		return nil
	}
	return s.note(f, pendingEnd)
}

func (s *Source) note(f retention.OwnedFiles, end string) error {
	name := s.owned(f.Intent, f.Part, end)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("files of rows: %w", err)
	}
	b, err := json.Marshal(f)
	if err == nil {
		err = writeDurably(name, b)
	}
	if err != nil {
		return fmt.Errorf("files of rows: %w", err)
	}
	return nil
}

func writeDurably(name string, b []byte) error {
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err == nil {
		err = syncDir(filepath.Dir(name))
	}
	return err
}

// Confirm makes names ready to go, or forgets them: every part of the intent. One that
// was left half done is done again by whoever settles.
func (s *Source) Confirm(_ context.Context, intent string, gone bool) error {
	first := s.owned(intent, 0, "")
	names, err := s.ownedFiles(filepath.Base(first), pendingEnd)
	if err != nil || len(names) == 0 {
		return err
	}
	for _, name := range names {
		if gone {
			err = os.Rename(name, strings.TrimSuffix(name, pendingEnd)+readyEnd)
		} else {
			err = os.Remove(name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("files of rows: %w", err)
		}
	}
	if err := syncDir(filepath.Dir(first)); err != nil {
		return fmt.Errorf("files of rows: %w", err)
	}
	return nil
}

// ownedFiles are the files of names that begin and end so, in order.
func (s *Source) ownedFiles(begin, end string) ([]string, error) {
	dir := filepath.Dir(s.owned("", 0, ""))
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("files of rows: %w", err)
	}
	var out []string
	for _, f := range list {
		if n := f.Name(); strings.HasPrefix(n, begin) && strings.HasSuffix(n, end) {
			out = append(out, filepath.Join(dir, n))
		}
	}
	return out, nil
}

// Noted are the files that still have to go. One that cannot be read, or looked at,
// stops no other: these are answered beside the error.
func (s *Source) Noted(ctx context.Context) ([]retention.OwnedFiles, error) {
	names, err := s.readyNames(ctx)
	if err != nil {
		return nil, err
	}
	var out []retention.OwnedFiles
	var failed error
	for _, name := range names {
		f, err := readOwned(name)
		if err == nil {
			f, err = s.rest(ctx, f, name)
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && failed == nil: // the first says it: there may be thousands
			failed = fmt.Errorf("files of rows: %w", err)
			if s.mounted(ctx) != nil { // it is the tree, and no file of it
				return out, failed
			}
		case err == nil && len(f.Files) > 0:
			out = append(out, f)
		}
	}
	return out, failed
}

// readyNames are the files of names whose rows are gone, in a tree that is there.
func (s *Source) readyNames(ctx context.Context) ([]string, error) {
	names, err := s.ownedFiles("", readyEnd)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	return names, s.mounted(ctx) // in a folder that is not mounted nothing is gone
}

func (s *Source) mounted(ctx context.Context) error {
	return s.e.Look(sqlwork.AtSource(ctx), func(q sqlwork.Session) error { return s.e.known(ctx, sqlwork.Exclusive, q) })
}

func readOwned(name string) (f retention.OwnedFiles, err error) {
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	return f, err
}

// rest forgets what is gone.
func (s *Source) rest(ctx context.Context, f retention.OwnedFiles, name string) (retention.OwnedFiles, error) {
	there, err := s.e.still(ctx, f.Files)
	if err != nil {
		return f, err
	}
	left := make([]retention.OwnedFile, 0, len(there))
	for i := range f.Files {
		if there[i].Path != "" {
			left = append(left, f.Files[i])
		}
	}
	had := len(f.Files)
	switch f.Files = left; {
	case len(left) == 0:
		return f, os.Remove(name)
	case len(left) < had:
		return f, s.note(f, readyEnd)
	}
	return f, nil
}

// still are the files that are there, beside the names; an empty path is none.
func (e *engine) still(ctx context.Context, files []retention.OwnedFile) ([]Object, error) {
	paths := make([]string, len(files))
	for i := range files {
		paths[i] = string(files[i].Path)
	}
	out := make([]Object, len(files))
	err := e.tree.Look(ctx, paths, func(i int, o Object) { out[i] = o })
	return out, err
}

// Outside removes files whose rows are gone, under the gate. A file whose person is
// held stays, and one that a row names again by now.
func (s *Source) Outside(intent string, f retention.OwnedFiles, named func(context.Context, retention.OwnedFiles) (map[string]bool, error)) *retention.Outside {
	var of []Object
	return &retention.Outside{
		Test: func(ctx context.Context, h *retention.HoldSet) (out retention.Outcome, err error) {
			there, err := s.e.still(ctx, f.Files)
			if err != nil {
				return out, err
			}
			by, seen := keepingBy(h), map[string]bool{}
			for i, o := range there {
				twice := seen[o.Path]
				seen[o.Path] = true
				switch {
				case o.Path == "" || twice:
					out.Spared.Gone++
				case o.ID == "":
					out.Spared.Failed++
				case !is(f.Files[i], o):
					out.Spared.Changed++
				case by.held(&f, f.Files[i].About):
					out.Spared.Held++
				default:
					of = append(of, o)
				}
			}
			if of, out.Spared.Blocked, err = unnamed(ctx, f, of, named); err != nil {
				return out, err
			}
			if of, out.Spared.Protected, err = s.e.unkept(ctx, of); err != nil {
				return out, err
			}
			if out.Done = int64(len(of)); len(of) > 0 {
				err = s.e.noteDown(ctx, entry{Intent: intent, Action: retention.Delete, Spared: out.Spared}, of)
			}
			return out, err
		},
		Do: func(ctx context.Context) error {
			var failed error
			err := s.e.remove(context.WithoutCancel(ctx), intent, of, func(_ int, err error) {
				if err != nil && failed == nil {
					failed = err
				}
			})
			if failed != nil {
				return fmt.Errorf("%s: a file of a row that is gone cannot be removed: %w", s.e.tree.Name(), failed)
			}
			return err
		},
	}
}

// unnamed are those of the objects that no row names by now, and how many some row does:
// one may have come since the files were asked for, while the batch waited for its gate.
func unnamed(ctx context.Context, f retention.OwnedFiles, of []Object, named func(context.Context, retention.OwnedFiles) (map[string]bool, error)) ([]Object, int64, error) {
	if len(of) == 0 || named == nil {
		return of, 0, nil
	}
	goes := map[string]bool{}
	for _, o := range of {
		goes[o.Path] = true
	}
	f.Files = slices.DeleteFunc(slices.Clone(f.Files), func(x retention.OwnedFile) bool { return !goes[string(x.Path)] })
	by, err := named(ctx, f)
	if err != nil {
		return nil, 0, err
	}
	left := slices.DeleteFunc(slices.Clone(of), func(o Object) bool { return by[o.Path] })
	return left, int64(len(of) - len(left)), nil
}
