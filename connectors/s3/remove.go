package s3

import (
	"context"
	"errors"
	"fmt"

	"github.com/retentiond/retentiond/connectors/objects"
)

// doomed is a version that a request removes.
type doomed struct {
	of   int    // number of its object
	key  string // of the bucket
	bare bool   // its identifier, or the lack of one, can come to mean another content
	etag string // of the content that the name leads to, where the removal depends on it
	version
}

// removing is a removal of at most [bulk] objects.
type removing struct {
	t     *Tree
	of    []objects.Object
	paths []string
	how   []error // ends that are known before anything is asked
	said  []error // what the service refused, or did not answer
	took  []int   // versions that it said it removed
}

// Remove removes objects with all their versions: first the older ones, and then, of
// objects of which nothing else is left, the newest. So nothing that was hidden shows
// again, and an object of which something stays is there, with its time, for the next
// run. The last look and the requests are several calls; see the package for what may
// come between them.
func (t *Tree) Remove(ctx context.Context, of []objects.Object, ended func(i int, err error)) error {
	for from := 0; from < len(of); from += bulk {
		some := of[from:min(from+bulk, len(of))]
		r := &removing{t: t, of: some, paths: make([]string, len(some)), how: make([]error, len(some)), said: make([]error, len(some)), took: make([]int, len(some))}
		for i := range some {
			r.paths[i] = some[i].Path
		}
		if err := r.all(ctx); err != nil {
			return err
		}
		for i := range some {
			ended(from+i, r.how[i])
		}
	}
	return nil
}

// all says of each object how it ended. An error: that is not known.
func (r *removing) all(ctx context.Context) error {
	if err := r.compare(ctx); err != nil {
		return err
	}
	keeps, now, err := r.look(ctx, r.paths)
	if err != nil {
		return err
	}
	var older, newest []doomed
	for i, o := range r.of {
		switch {
		case r.how[i] != nil:
		case now[i].Path == "":
			r.how[i] = objects.ErrGone
		case !now[i].Same(o):
			r.how[i] = objects.ErrChanged
		}
		if r.how[i] != nil {
			continue
		}
		all := versionsOf(o.ID)
		for n, v := range all {
			d := doomed{of: i, key: r.t.o.Prefix + o.Path, bare: keeps != always && !v.lasting(), version: v}
			if d.bare { // services compare with what the name leads to, whatever version is named
				d.etag = all[0].etag
			}
			if n == 0 {
				newest = append(newest, d)
			} else {
				older = append(older, d)
			}
		}
	}
	r.requests(ctx, older)
	var last []doomed
	for _, d := range newest {
		if r.said[d.of] == nil && r.took[d.of] == r.of[d.of].More {
			last = append(last, d)
		}
	}
	r.requests(ctx, last)
	return r.judge(ctx)
}

func (r *removing) look(ctx context.Context, paths []string) (keeping, []objects.Object, error) {
	keeps, err := r.t.versions(ctx)
	if err != nil {
		return never, nil, fmt.Errorf("%s: %w", r.t.Name(), err)
	}
	now, err := r.t.look(ctx, keeps != never, paths)
	return keeps, now, err
}

// judge looks at what is there after the requests, whatever the service said: beside a
// writer some say that a version is gone that they were about to move. An object is gone
// when nothing of what was seen of it is there; what a writer put since, under its name,
// is another.
func (r *removing) judge(ctx context.Context) error {
	var open []int
	var paths []string
	for i := range r.of {
		if r.how[i] == nil {
			open, paths = append(open, i), append(paths, r.paths[i])
		}
	}
	if len(open) == 0 {
		return nil
	}
	_, now, err := r.look(ctx, paths)
	if err != nil {
		return fmt.Errorf("what was removed is not known: %w", err)
	}
	for n, i := range open {
		r.how[i] = r.t.Fate(r.of[i], now[n])
		if errors.Is(r.how[i], objects.ErrChanged) && r.said[i] == nil && r.took[i] > r.of[i].More {
			r.how[i] = nil // without versions: it went, and another came
		}
		if errors.Is(r.how[i], objects.ErrRemains) && r.said[i] != nil {
			if a, ok := errors.AsType[answered](r.said[i]); ok {
				r.said[i] = &objects.Why{Text: a.Error(), Err: a}
			}
			r.how[i] = r.said[i]
		}
	}
	return nil
}
