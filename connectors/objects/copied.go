package objects

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"slices"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Content tells the content of an object that was read to its end from any other, for
// as long as this process lives. Size and time of change do not: a writer can put a
// time back, and one that has the file mapped changes it when it likes.
type Content struct {
	seed  maphash.Seed
	sum   uint64
	bytes int64
	whole bool
	way   context.Context //nolint:containedctx // ends a comparison that a hold waits for; nil: none does
	// sure: the store's own removal compares the content, so that nobody has to read it.
	sure bool
	// Older are those of its object's older versions, the newest first.
	Older []*Content
	none  bool // the object has none, but delete markers
}

// All are the contents of the object.
func (c *Content) All() []*Content {
	if c.none {
		return nil
	}
	return append([]*Content{c}, c.Older...)
}

// Sure is whether the store compares the content itself when it removes it.
func (c *Content) Sure() bool { return c.sure }

// together are the contents of one object.
func together(all []*Content) *Content {
	if len(all) == 0 {
		return &Content{whole: true, none: true}
	}
	all[0].Older = all[1:]
	return all[0]
}

// Copying reads on from r, and makes of its whole content, once it was read to its
// end, what the removal compares.
func Copying(r io.ReadCloser) (*Content, io.ReadCloser) {
	x := &copying{ReadCloser: r, c: &Content{}}
	x.c.seed = x.h.Seed()
	return x.c, x
}

type copying struct {
	io.ReadCloser
	h maphash.Hash
	c *Content
}

// Read reads on.
func (x *copying) Read(p []byte) (int, error) {
	n, err := x.ReadCloser.Read(p)
	_, _ = x.h.Write(p[:n]) // it never fails
	x.c.bytes += int64(n)
	if errors.Is(err, io.EOF) {
		x.c.sum, x.c.whole = x.h.Sum64(), true
		if a, ok := x.ReadCloser.(Assured); ok {
			x.c.sure = a.Assured()
		}
	}
	return n, err
}

// GivesWay makes [Content.Is] end with the cause of a context that ends.
func (c *Content) GivesWay(way context.Context) {
	for _, x := range c.All() {
		x.way = way //nolint:fatcontext // each of them has the one
	}
}

// Is reads r to where the content ended: [ErrChanged] where it is another,
// [retention.ErrGaveWay] where a hold came to wait meanwhile.
func (c *Content) Is(r io.Reader) error {
	var h maphash.Hash
	if c.way != nil {
		r = giving{ctx: c.way, r: r}
	}
	h.SetSeed(c.seed)
	n, err := io.Copy(&h, io.LimitReader(r, c.bytes+1))
	if err == nil && (!c.whole || n != c.bytes || h.Sum64() != c.sum) {
		err = ErrChanged
	}
	return err
}

// copies are the contents that a batch gave to its archive, by path.
type copies struct {
	intent string
	of     map[string]*Content
}

// into notes of each object what was archived of it. One that was not read to its end
// by this batch is an error: it must not go. One that goes by itself may be long to
// compare, and nothing is done before: it gives way.
func (x copies) into(way context.Context, intent string, of []Object) error {
	for i := range of {
		c := x.of[of[i].Path]
		if x.intent != intent || c == nil || slices.ContainsFunc(c.All(), func(p *Content) bool { return !p.whole }) {
			return errors.New("a file is due for removal that was not archived: nothing was removed")
		}
		if of[i].Content = c; len(of) == 1 {
			c.GivesWay(way)
		}
	}
	return nil
}

// compares readies the removal to compare what it removes with what the batch archived;
// end ends that.
func (e *engine) compares(ctx context.Context, b *retention.Batch, of []Object) (end func(), err error) {
	copied := e.copies
	if e.copies = (copies{}); b.Action.Kind != retention.Archive {
		return func() {}, nil
	}
	way, end := sqlwork.GivingWay(context.WithoutCancel(ctx), b)
	if err := copied.into(way, b.Intent, of); err != nil {
		end()
		return nil, err
	}
	return end, nil
}
