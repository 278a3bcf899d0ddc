package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention/buckets"
)

// doomed is a version that a request removes.
type doomed struct {
	of int // number of its object
	version
}

// Remove removes objects with all their versions. The last look at an object and the
// request are two calls; see the package for what may come between them.
func (t *Tree) Remove(ctx context.Context, of []objects.Object, ended func(i int, err error)) error {
	for from := 0; from < len(of); from += bulk {
		some := of[from:min(from+bulk, len(of))]
		how, err := t.remove(ctx, some)
		if err != nil {
			return err
		}
		for i := range some {
			ended(from+i, how[i])
		}
	}
	return nil
}

// remove says of each object how it ended. An error: that is not known.
func (t *Tree) remove(ctx context.Context, of []objects.Object) ([]error, error) {
	paths := make([]string, len(of))
	for i := range of {
		paths[i] = of[i].Path
	}
	versions, now, err := t.seen(ctx, paths)
	if err != nil {
		return nil, err
	}
	how, bulks := make([]error, len(of)), []doomed(nil)
	for i := range of {
		switch {
		case now[i].Path == "":
			how[i] = objects.ErrGone
		case !now[i].Same(of[i]):
			how[i] = objects.ErrChanged
		default:
			for _, v := range versionsOf(of[i].ID) {
				if !versions {
					v.id = ""
				}
				bulks = append(bulks, doomed{i, v})
			}
		}
	}
	said := make([]error, len(of))
	took := make([]int, len(of))
	for len(bulks) > 0 {
		n := min(bulk, len(bulks))
		t.request(ctx, of, bulks[:n], said, took)
		bulks = bulks[n:]
	}
	return how, t.judge(ctx, of, paths, how, said, took)
}

func (t *Tree) seen(ctx context.Context, paths []string) (bool, []objects.Object, error) {
	versions, err := t.versions(ctx)
	if err != nil {
		return false, nil, fmt.Errorf("%s: %w", t.Name(), err)
	}
	now, err := t.look(ctx, versions, paths)
	return versions, now, err
}

// judge looks at what is there after the requests: an object is gone when nothing of
// its name is there, or when the service said that it removed all that was seen and
// another was put since, where there are no versions.
func (t *Tree) judge(ctx context.Context, of []objects.Object, paths []string, how, said []error, took []int) error {
	versions, now, err := t.seen(ctx, paths)
	if err != nil {
		return fmt.Errorf("what was removed is not known: %w", err)
	}
	for i := range of {
		switch {
		case how[i] != nil || now[i].Path == "":
		case !versions && !t.Remains(of[i].ID, now[i].ID) && said[i] == nil && took[i] > 0:
		case !t.Remains(of[i].ID, now[i].ID):
			how[i] = objects.ErrChanged
		case said[i] != nil:
			how[i] = said[i]
		default:
			how[i] = errors.New("the service did not remove it")
		}
	}
	return nil
}

// request removes up to a thousand versions, and notes what the service said.
func (t *Tree) request(ctx context.Context, of []objects.Object, list []doomed, said []error, took []int) {
	var together []doomed
	for _, d := range list {
		if !writable(t.o.Prefix + of[d.of].Path) {
			t.single(ctx, of[d.of], d, said, took)
			continue
		}
		together = append(together, d)
	}
	if len(together) == 0 {
		return
	}
	ctx, done := context.WithTimeout(ctx, listTime)
	defer done()
	at := make(map[removal]int, len(together))
	ask := make([]removal, len(together))
	for i, d := range together {
		ask[i] = removal{Key: t.o.Prefix + of[d.of].Path, VersionID: d.id}
		at[ask[i]] = d.of
		if d.id == "" {
			ask[i].ETag = `"` + d.etag + `"`
		}
	}
	answer, err := t.send(ctx, ask)
	if err != nil {
		for _, d := range together {
			said[d.of] = err
		}
		return
	}
	for _, d := range answer.Deleted {
		if i, ok := at[removal{Key: d.Key, VersionID: d.VersionID}]; ok {
			took[i]++
		}
	}
	for _, e := range answer.Errors {
		if i, ok := at[removal{Key: e.Key, VersionID: e.VersionID}]; ok {
			said[i] = fmt.Errorf("the service answered %s", e.Code)
		}
	}
}

// single removes a version whose name cannot be written as XML: a parser would read
// another name.
func (t *Tree) single(ctx context.Context, o objects.Object, d doomed, said []error, took []int) {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	if err := t.c.RemoveObject(ctx, t.o.Bucket, t.o.Prefix+o.Path, minio.RemoveObjectOptions{VersionID: d.id}); err != nil {
		said[d.of] = buckets.Said(err)
		return
	}
	took[d.of]++
}

// writable is whether the text is the same after a way through XML.
func writable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF
	})
}
