package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/buckets"
)

// Claim binds the prefix to a gate: an object names it, written once and never
// replaced. Without it, another machine with a gate of its own could remove what a
// hold here keeps. A prefix that is bound to another gate is refused.
func (t *Tree) Claim(ctx context.Context, gate string) error {
	had, err := t.claimed(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		o := minio.PutObjectOptions{ContentType: "text/plain", DisableMultipart: true, SendContentMd5: true}
		o.SetMatchETagExcept("*")
		call, done := context.WithTimeout(ctx, callTime)
		_, err = t.c.PutObject(call, t.o.Bucket, t.o.Prefix+claim, strings.NewReader(gate), int64(len(gate)), o)
		done()
		if err = buckets.Said(err); err == nil || errors.Is(err, fs.ErrExist) {
			had, err = t.claimed(ctx)
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("object %s, which binds the bucket to its gate: %w", t.shown(claim), err)
	case had != gate:
		return &retention.Refusal{Code: retention.RefuseStateMismatch, Message: fmt.Sprintf("%s is bound to the gate of another daemon, or to one that was lost: object %s. Holds here would not stop it. Remove the object only if nothing else acts on the bucket", t.Name(), t.shown(claim))}
	}
	return nil
}

func (t *Tree) claimed(ctx context.Context) (string, error) {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	r, err := t.c.GetObject(ctx, t.o.Bucket, t.o.Prefix+claim, minio.GetObjectOptions{})
	if err != nil {
		return "", buckets.Said(err)
	}
	b, err := io.ReadAll(io.LimitReader(r, 1<<10))
	if e := r.Close(); err == nil {
		err = e
	}
	return string(b), buckets.Said(err)
}
