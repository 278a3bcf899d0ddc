package objects

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Opener is a tree whose objects can be read.
type Opener interface {
	// Open opens an object that still is what was looked at, and tells its
	// permissions. Reading ends with [ErrChanged] where it is no longer, in its end.
	Open(ctx context.Context, o Object) (mode uint32, r io.ReadCloser, err error)
}

var _ sqlwork.Holder = (*engine)(nil)

// contents are those of a batch's files.
type contents struct {
	e  *engine
	b  *retention.Batch
	of map[string]Object
}

// Contents readies the contents of due files: at most [retention.MaxContent] bytes,
// or one file.
func (e *engine) Contents(ctx context.Context, q sqlwork.Session, b *retention.Batch, due []retention.Key) (sqlwork.Contents, error) {
	s, _ := e.of(b.Selection.Table.Name)
	if s == nil {
		return nil, fmt.Errorf("files %s are not declared", b.Selection.Table.Name)
	}
	if _, ok := e.tree.(Opener); !ok {
		return nil, fmt.Errorf("%s: objects of this driver are not archived", e.tree.Name())
	}
	list, err := e.listed(ctx, q, s, due)
	if err != nil {
		return nil, err
	}
	c := contents{e, b, make(map[string]Object, len(list))}
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
		if bytes += of[p].Size; bytes > most && len(due) > 1 {
			return &retention.TooWideError{What: fmt.Sprintf("files %s: more than %d MiB", name, most>>20), Fits: max(1, i)}
		}
	}
	return nil
}

// Columns are permissions, and the time of change as it is.
func (c contents) Columns() []retention.Column {
	return []retention.Column{
		{Name: retention.SealedMode, Decl: "TEXT", Kind: retention.KindText},
		{Name: retention.SealedMtime, Decl: "TEXT", Kind: retention.KindText},
	}
}

// Open opens one.
func (c contents) Open(ctx context.Context, k retention.Key) ([]any, io.ReadCloser, error) {
	p, err := pathOf(k)
	if err != nil {
		return nil, nil, err
	}
	o, ok := c.of[p]
	if !ok {
		return nil, nil, ErrGone
	}
	mode, r, err := c.e.tree.(Opener).Open(ctx, o) //nolint:forcetypeassert // Contents looked
	if err != nil {
		return nil, nil, err
	}
	c.e.copies.of[p], r = Copying(r)
	return []any{strconv.FormatUint(uint64(mode), 8), mtimeOf(o)}, r, nil
}

// mtimeOf is the time of change as archives have it; see [retention.SealedMtime].
func mtimeOf(o Object) string {
	sec, nsec := o.Far, o.Nanos
	if o.Far == 0 {
		sec, nsec = o.Nanos/1e9, o.Nanos%1e9
		if nsec < 0 {
			sec, nsec = sec-1, nsec+1e9
		}
	}
	return fmt.Sprintf("%d.%09d", sec, nsec)
}

// Spare counts a file that was left.
func (c contents) Spare(err error, left *retention.Spared) {
	var failed causes
	spareOne(left, &failed, err)
	failed.tell(c.b, "files could not be read")
}
