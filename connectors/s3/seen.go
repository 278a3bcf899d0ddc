package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/buckets"
)

var _ objects.Seer = (*Tree)(nil)

// seenBy begins the names of the objects that say how far a store had come. Each is
// written once, and its name says it all: two copies of a store that write at once leave
// two objects, and neither overwrites what the other said.
const seenBy = ours + "seen-"

func (t *Tree) seenBy(store string) string { return t.o.Prefix + seenBy + store + "." }

// Seen is the furthest of what is kept of the store.
func (t *Tree) Seen(ctx context.Context, store string) (out retention.Seen, err error) {
	err = t.eachSeen(ctx, store, func(_ string, s retention.Seen) error {
		out = out.With(s)
		return nil
	})
	return out, err
}

func (t *Tree) eachSeen(ctx context.Context, store string, f func(key string, s retention.Seen) error) error {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	prefix := t.seenBy(store)
	for i := range t.c.ListObjectsIter(ctx, t.o.Bucket, minio.ListObjectsOptions{Prefix: prefix}) {
		if i.Err != nil {
			return fmt.Errorf("%s: how far the state store had come: %w", t.Name(), buckets.Said(i.Err))
		}
		if s, ok := retention.ParseSeen(strings.TrimPrefix(i.Key, prefix)); ok {
			if err := f(i.Key, s); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// Saw writes an object more, looks whether there is one that nobody accounts for, and
// removes those that it replaces. One that stays says nothing new.
func (t *Tree) Saw(ctx context.Context, store string, was, now retention.Seen, adopt bool) error {
	own := t.seenBy(store) + now.String()
	if err := t.putNew(ctx, own, now.String()); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: object %s, which keeps how far the state store had come: %w", t.Name(), t.shown(strings.TrimPrefix(own, t.o.Prefix)), err)
	}
	var before []string
	err := t.eachSeen(ctx, store, func(key string, s retention.Seen) error {
		switch {
		case key == own:
		case !adopt && was.Beyond(s):
			return &retention.Refusal{Code: retention.RefuseStateMismatch, Message: fmt.Sprintf(
				"%s: another copy of this state store acts there (object %s): stop the one that should not, then retentiond check --adopt", t.Name(), t.shown(strings.TrimPrefix(key, t.o.Prefix)))}
		default:
			before = append(before, key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range before {
		t.forget(context.WithoutCancel(ctx), key)
	}
	return nil
}
