package s3

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
)

var _ objects.Opener = (*Tree)(nil)

// Sealed are which version it is, and what it carried.
func (t *Tree) Sealed() []retention.Column {
	text := func(name string) retention.Column {
		return retention.Column{Name: name, Decl: "TEXT", Kind: retention.KindText, Nullable: true}
	}
	number := func(name string) retention.Column {
		return retention.Column{Name: name, Decl: "INTEGER", Kind: retention.KindInteger, Nullable: true}
	}
	return []retention.Column{
		text(retention.SealedMtime), text(retention.SealedVersion), number(retention.SealedOlder), number(retention.SealedBytes),
		text(retention.SealedETag), text(retention.SealedHeaders), text(retention.SealedTags),
	}
}

// Open gives every version of an object, the newest content first; delete markers
// have no content. Each version is asked for by its identifier and its ETag.
func (t *Tree) Open(ctx context.Context, o objects.Object) retention.NextContent {
	rest, sizes, older := versionsOf(o.ID), strings.Fields(o.Sizes), int64(0)
	return func() ([]any, io.ReadCloser, error) {
		if len(rest) == 0 {
			return nil, nil, io.EOF
		}
		v := rest[0]
		rest = rest[1:]
		changed, id := objects.Mtime(objects.Object{Nanos: v.nanos}), any(nil)
		if v.id != "" {
			id = v.id
		}
		if v.marker {
			return []any{changed, id, nil, nil, nil, nil, nil}, nil, nil
		}
		if len(sizes) == 0 { // the listing did not say it
			return nil, nil, objects.ErrChanged
		}
		size, err := strconv.ParseInt(sizes[0], 10, 64)
		if err != nil {
			return nil, nil, objects.ErrChanged
		}
		sizes = sizes[1:]
		r, err := t.read(ctx, o.Path, v, size)
		if err != nil {
			return nil, nil, err
		}
		tags, err := r.tags(ctx)
		if err != nil {
			return nil, nil, errors.Join(err, r.Close())
		}
		older++
		return []any{changed, id, older - 1, size, v.etag, r.headers(), tags}, r, nil
	}
}

// carried are the headers of an object that are its own, and no part of the answer.
var carried = []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires", "X-Amz-Storage-Class", "X-Amz-Website-Redirect-Location"}

// headers are what the object carries, as JSON, with names in lower case and values as
// the service has them.
func (r *reading) headers() any {
	out := map[string]string{}
	for _, k := range carried {
		if v := r.head.Get(k); v != "" {
			out[strings.ToLower(k)] = v
		}
	}
	for k, v := range r.head {
		if k = strings.ToLower(k); strings.HasPrefix(k, "x-amz-meta-") {
			out[k] = strings.Join(v, ",")
		}
	}
	return jsonOf(out)
}

// tags are asked for where the service says that there are some.
func (r *reading) tags(ctx context.Context) (any, error) {
	if n, err := strconv.Atoi(r.head.Get("X-Amz-Tagging-Count")); err != nil || n == 0 {
		return nil, nil
	}
	tags, err := r.t.tags(ctx, r.path, r.v.id)
	if errors.Is(err, fs.ErrNotExist) { // some services do not find them of a version called null
		return nil, nil
	}
	if err != nil {
		return nil, r.told(err)
	}
	return jsonOf(tags), nil
}

func jsonOf(m map[string]string) any {
	b, err := json.Marshal(m)
	if err != nil { // keys and values are texts
		return nil
	}
	return string(b)
}
