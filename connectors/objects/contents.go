package objects

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Opener is a tree whose objects can be read.
type Opener interface {
	// Sealed are the columns that archives have of an object beside its listing.
	Sealed() []retention.Column
	// Open gives the contents of an object that still is what was looked at, the newest
	// first, each with the values of those columns. Reading ends with [ErrChanged] where
	// it no longer is, in its end.
	Open(ctx context.Context, o Object) retention.NextContent
}

// Assured is a content whose removal needs no comparison once it was read to its end.
type Assured interface{ Assured() bool }

// ErrUnanswered says that the store did not answer, or broke off, about an object. So it
// may be with all the others.
var ErrUnanswered = errors.New("the store does not answer")

var _ sqlwork.Holder = (*engine)(nil)

// contents are those of a batch's files.
type contents struct {
	e    *engine
	from Opener
	b    *retention.Batch
	of   map[string]Object
	// early are those that were read before their turn; nil: nobody looked yet.
	early map[string]*early
	lost  int // in a row that the store gave no answer about
}

// Contents readies the contents of due files: at most [retention.MaxContent] bytes,
// or one file.
func (e *engine) Contents(ctx context.Context, q sqlwork.Session, b *retention.Batch, due []retention.Key) (sqlwork.Contents, error) {
	s, _ := e.of(b.Selection.Table.Name)
	if s == nil {
		return nil, fmt.Errorf("files %s are not declared", b.Selection.Table.Name)
	}
	from, ok := e.tree.(Opener)
	if !ok {
		return nil, fmt.Errorf("%s: objects of this driver are not archived", e.tree.Name())
	}
	list, err := e.listed(ctx, q, s, due)
	if err != nil {
		return nil, err
	}
	c := &contents{e: e, from: from, b: b, of: make(map[string]Object, len(list))}
	e.copies = copies{b.Intent, make(map[string]*Content, len(list))}
	for i := range list {
		c.of[list[i].Path] = list[i].Object
	}
	return c, fitting(s.name, due, c.of, retention.MaxContent)
}

// fitting refuses more content than a batch takes, and says how much fits.
func fitting(name retention.TableName, due []retention.Key, of map[string]Object, most int64) error {
	var bytes int64
	for i, k := range due {
		p, err := pathOf(k)
		if err != nil {
			return err
		}
		if bytes += of[p].bytes(); bytes > most && len(due) > 1 {
			return &retention.TooWideError{What: fmt.Sprintf("files %s: more than %d MiB", name, most>>20), Fits: max(1, i)}
		}
	}
	return nil
}

// Columns are those of the tree.
func (c *contents) Columns() []retention.Column { return c.from.Sealed() }

// Open gives those of one. What is read is noted for its removal, once all of it was.
func (c *contents) Open(ctx context.Context, k retention.Key) retention.NextContent {
	p, err := pathOf(k)
	o, ok := c.of[p]
	if err == nil && !ok {
		err = ErrGone
	}
	if err != nil {
		return func() ([]any, io.ReadCloser, error) { return nil, nil, err }
	}
	if c.early == nil {
		c.readAhead(ctx)
	}
	next, all := c.from.Open(ctx, o), []*Content{}
	if x := c.early[p]; x != nil {
		next = x.next
		delete(c.early, p)
	}
	return func() ([]any, io.ReadCloser, error) {
		values, r, err := next()
		switch {
		case errors.Is(err, io.EOF):
			c.e.copies.of[p] = together(all)
		case err == nil && r != nil:
			var x *Content
			x, r = Copying(r)
			all = append(all, x)
		}
		if err == nil {
			c.lost = 0
		}
		return values, r, err
	}
}

// Mtime is the time of change as archives have it; see [retention.SealedMtime].
func Mtime(o Object) string {
	sec, nsec := o.Far, o.Nanos
	if o.Far == 0 {
		sec, nsec = o.Nanos/1e9, o.Nanos%1e9
		if nsec < 0 {
			sec, nsec = sec-1, nsec+1e9
		}
	}
	return fmt.Sprintf("%d.%09d", sec, nsec)
}

// unanswered is how often in a row the store may leave an object without an answer.
const unanswered = 3

// Spare counts a file that was left. Where the store does not answer at all, the batch
// ends: to ask for each of the others would take for ever.
func (c *contents) Spare(err error, left *retention.Spared) error {
	if errors.Is(err, ErrUnanswered) {
		if c.lost++; c.lost >= unanswered {
			return fmt.Errorf("%s: %w: %w", c.e.tree.Name(), ErrUnanswered, err)
		}
	}
	var failed causes
	spareOne(left, &failed, err)
	failed.tell(c.b, "files could not be read")
	return nil
}
