package objects

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/retentiond/retentiond/retention"
)

// lanes is how many objects of a tree that is far away are read at once.
const lanes = 16

// early are the contents of an object that were read before their turn.
type early struct {
	all []given
	err error // beside them; io.EOF: those are all
}

type given struct {
	values  []any
	content []byte // nil: it has none
	sure    bool
}

// inMemory is a content in memory.
type inMemory struct {
	*bytes.Reader
	sure bool
}

// Assured is what the tree said of it.
func (h inMemory) Assured() bool { return h.sure }

// Close does nothing.
func (h inMemory) Close() error { return nil }

// next gives them.
func (x *early) next() ([]any, io.ReadCloser, error) {
	if len(x.all) == 0 {
		return nil, nil, x.err
	}
	g := x.all[0]
	if x.all = x.all[1:]; g.content == nil {
		return g.values, nil, nil
	}
	return g.values, inMemory{bytes.NewReader(g.content), g.sure}, nil
}

// readAhead reads the objects of a batch side by side, where their tree is far away, and
// each would be waited for. They are at most [retention.MaxContent] bytes; one that goes
// by itself is streamed. Where the store does not answer, no others are asked for.
func (c *contents) readAhead(ctx context.Context) {
	c.early = map[string]*early{}
	if r, ok := c.e.tree.(retention.Remote); !ok || len(c.of) < 2 {
		return
	} else if _, rows := r.Batches(); rows == 0 {
		return
	}
	var next, lost atomic.Int64
	var all sync.WaitGroup
	paths := slices.Sorted(maps.Keys(c.of))
	out := make([]early, len(paths))
	for range min(lanes, len(paths)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(paths); i = int(next.Add(1)) - 1 {
				if lost.Load() >= unanswered {
					out[i].err = ErrUnanswered
					continue
				}
				out[i] = readEarly(c.from.Open(ctx, c.of[paths[i]]))
				if errors.Is(out[i].err, ErrUnanswered) {
					lost.Add(1)
				} else {
					lost.Store(0)
				}
			}
		})
	}
	all.Wait()
	for i, p := range paths {
		c.early[p] = &out[i]
	}
}

// readEarly reads all contents of one.
func readEarly(next retention.NextContent) (x early) {
	for {
		values, r, err := next()
		if err != nil {
			x.err = err
			return x
		}
		g := given{values: values}
		if r != nil {
			b, err := io.ReadAll(r)
			if err = errors.Join(err, r.Close()); err != nil {
				x.err = err
				return x
			}
			g.content = b // which is never nil
			if a, ok := r.(Assured); ok {
				g.sure = a.Assured()
			}
		}
		x.all = append(x.all, g)
	}
}
