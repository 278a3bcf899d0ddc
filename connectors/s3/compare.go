package s3

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/connectors/objects"
)

// compare reads contents again that were archived and that no removal names for sure:
// their ETag is not the content's, and their version, if they have one, may come to be
// another content (L9).
func (r *removing) compare(ctx context.Context) error {
	return abreast(ctx, len(r.of), func(ctx context.Context, i int) error {
		if c := r.of[i].Content; c != nil {
			r.how[i] = r.t.same(ctx, r.of[i], c)
		}
		return nil
	})
}

// same is nil where what was archived of an object is all that there is of it.
func (t *Tree) same(ctx context.Context, o objects.Object, c *objects.Content) error {
	archived, sizes := c.All(), strings.Fields(o.Sizes)
	for _, v := range versionsOf(o.ID) {
		if v.marker {
			continue
		}
		if len(archived) == 0 || len(sizes) == 0 {
			return objects.ErrChanged
		}
		if err := t.sameContent(ctx, o.Path, v, sizes[0], archived[0]); err != nil {
			return err
		}
		archived, sizes = archived[1:], sizes[1:]
	}
	if len(archived) > 0 {
		return objects.ErrChanged
	}
	return nil
}

func (t *Tree) sameContent(ctx context.Context, path string, v version, bytes string, c *objects.Content) error {
	if c.Sure() {
		return nil
	}
	size, err := strconv.ParseInt(bytes, 10, 64)
	if err != nil {
		return objects.ErrChanged
	}
	r, err := t.read(ctx, path, v, size)
	if err != nil {
		return err
	}
	return errors.Join(c.Is(r), r.Close())
}
