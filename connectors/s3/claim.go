package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/retention/buckets"
)

// ours begins the names of objects of our own; claim binds a prefix to a gate.
const (
	ours  = ".retentiond-"
	claim = ours + "gate"
)

// Claim binds the prefix to a gate: an object names it, written once and never
// replaced. Without it, another machine with a gate of its own could remove what a
// hold here keeps.
func (t *Tree) Claim(ctx context.Context, gate string) error {
	if err := t.putNew(ctx, t.o.Prefix+claim, gate); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("object %s, which binds the bucket to its gate: %w", t.shown(claim), err)
	}
	return nil
}

// putNew puts a small text under a name that nothing has yet: fs.ErrExist.
func (t *Tree) putNew(ctx context.Context, key, text string) error {
	o := minio.PutObjectOptions{ContentType: "text/plain", DisableMultipart: true, SendContentMd5: true}
	o.SetMatchETagExcept("*")
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	_, err := t.c.PutObject(ctx, t.o.Bucket, key, strings.NewReader(text), int64(len(text)), o)
	return buckets.Said(err)
}

// Bound is the gate that the object names.
func (t *Tree) Bound(ctx context.Context) (string, error) {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	r, err := t.c.GetObject(ctx, t.o.Bucket, t.o.Prefix+claim, minio.GetObjectOptions{})
	var b []byte
	if err == nil {
		b, err = io.ReadAll(io.LimitReader(r, 1<<10))
		if e := r.Close(); err == nil {
			err = e
		}
	}
	switch err = buckets.Said(err); {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("object %s, which binds the bucket to its gate: %w", t.shown(claim), err)
	}
	return string(b), nil
}
