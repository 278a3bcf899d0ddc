package s3

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention/buckets"
)

// errEnough ends a listing early.
var errEnough = errors.New("enough")

// each lists objects in the order of their names: those that begin with the prefix,
// after the name after. What cannot be listed is an error: nothing is left out.
func (t *Tree) each(ctx context.Context, versions bool, prefix, after string, size int, f func(o objects.Object) error) error {
	if after != "" {
		after = t.o.Prefix + after
	}
	w := &window{f: f}
	list := t.names
	if versions {
		list = t.versioned
	}
	err := end(list(ctx, t.o.Prefix+prefix, after, size, w))
	if err == nil {
		err = ctx.Err()
	}
	return err
}

func (t *Tree) names(ctx context.Context, prefix, after string, size int, w *window) error {
	ctx, done := context.WithCancel(ctx)
	defer done()
	for i := range t.c.ListObjectsIter(ctx, t.o.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, StartAfter: after, MaxKeys: size}) {
		if i.Err != nil {
			return fmt.Errorf("%s cannot be listed: %w", t.Name(), buckets.Said(i.Err))
		}
		w.take(strings.TrimPrefix(i.Key, t.o.Prefix), i)
		if err := w.flush(true, ""); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (t *Tree) versioned(ctx context.Context, prefix, after string, size int, w *window) error {
	told := false
	err := t.versionsFrom(ctx, prefix, after, size, func(p *page, next string, more bool) error {
		for _, e := range p.Version {
			w.take(strings.TrimPrefix(e.Key, t.o.Prefix), e.info(false))
		}
		for _, e := range p.DeleteMarker {
			w.take(strings.TrimPrefix(e.Key, t.o.Prefix), e.info(true))
		}
		err := w.flush(!more, strings.TrimPrefix(next, t.o.Prefix))
		told = err != nil
		return err
	})
	if err != nil && !told {
		return fmt.Errorf("%s cannot be listed: %w", t.Name(), err)
	}
	return err
}

func end(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// Walk lists what the patterns can match.
func (t *Tree) Walk(ctx context.Context, p objects.Patterns, f func(o objects.Object, matches []int) error) (objects.Odd, error) {
	keeps, err := t.versions(ctx)
	if err != nil {
		return objects.Odd{}, fmt.Errorf("%s: %w", t.Name(), err)
	}
	in, at, all := p.In(""), "", common(p)
	if err := t.strange(ctx, all); err != nil {
		return objects.Odd{}, err
	}
	err = t.each(ctx, keeps != never, all, "", bulk, func(o objects.Object) error {
		dir, name := path.Split(o.Path)
		if name == "" || dir == "" && strings.HasPrefix(name, ours) { // a folder's mark, and our own
			return nil
		}
		if isClaim(o.Path) {
			return t.elsewhere(o.Path)
		}
		if dir != at {
			in, at = p.In(strings.TrimSuffix(dir, "/")), dir
		}
		if matches := in.Matches(name); len(matches) > 0 {
			return f(o, matches)
		}
		return nil
	})
	return objects.Odd{}, err
}

// common is what every path of all patterns begins with.
func common(p objects.Patterns) string {
	var out string
	for i, names := range p {
		x := objects.Prefix(strings.Join(names, "/"))
		if i == 0 {
			out = x
		}
		out = shared(out, x)
	}
	return out
}

// shared is what both texts begin with, in whole characters.
func shared(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && !utf8.RuneStart(a[n]) {
		n--
	}
	return a[:n]
}

// Look looks at objects again. Names that lie close together are listed together.
func (t *Tree) Look(ctx context.Context, paths []string, f func(i int, o objects.Object)) error {
	keeps, err := t.versions(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Name(), err)
	}
	for from := 0; from < len(paths); from += bulk {
		to := min(from+bulk, len(paths))
		found, err := t.look(ctx, keeps != never, paths[from:to])
		if err != nil {
			return err
		}
		for i, o := range found {
			if o.Path != "" {
				f(from+i, o)
			}
		}
	}
	return nil
}

// look looks at some objects, which are in the order of their names or not; those
// that are not there stay empty.
func (t *Tree) look(ctx context.Context, versions bool, paths []string) ([]objects.Object, error) {
	out, at := make([]objects.Object, len(paths)), make(map[string]int, len(paths))
	first, last := paths[0], paths[0]
	for i, p := range paths {
		at[p], first, last = i, min(first, p), max(last, p)
	}
	if err := t.strange(ctx, shared(first, last)); err != nil {
		return nil, err
	}
	passed := ""
	budget := 20*len(paths) + bulk
	err := t.each(ctx, versions, shared(first, last), before(first), min(bulk, len(paths)+8), func(o objects.Object) error {
		if i, ok := at[o.Path]; ok {
			out[i] = o
		}
		if isClaim(o.Path) {
			return t.elsewhere(o.Path)
		}
		passed = o.Path
		if budget--; o.Path >= last || budget <= 0 {
			return errEnough
		}
		return nil
	})
	if err != nil || budget > 0 {
		return out, err
	}
	var rest []int // others lie between them: one by one
	for i, p := range paths {
		if p > passed {
			rest = append(rest, i)
		}
	}
	return out, abreast(ctx, len(rest), func(ctx context.Context, n int) error {
		i := rest[n]
		return t.each(ctx, versions, paths[i], "", 8, func(o objects.Object) error {
			if o.Path == paths[i] {
				out[i] = o
			}
			return errEnough
		})
	})
}

// before is a name before the path, with few others between them.
func before(p string) string {
	_, n := utf8.DecodeLastRuneInString(p)
	return p[:len(p)-n]
}
