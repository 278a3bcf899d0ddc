package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/retention/buckets"
)

// conditions is where a service compares the ETag that a removal names.
type conditions int

const (
	notTried     conditions = iota
	inBulk                  // in requests of many names, and in single ones
	inSingle                // in requests of one name alone, as far as is known
	noConditions            // nowhere
)

// another is the ETag of no content.
const another = "00000000000000000000000000000000"

// compares tries, once, with an object of our own, where the service compares ETags:
// no answer tells that it ignored one. Where this cannot be tried, names go one by
// one, each with its condition.
func (t *Tree) compares(ctx context.Context) conditions {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.knows == notTried {
		var err error
		if t.knows, err = t.try(ctx); err != nil {
			t.knows = inSingle
		}
	}
	return t.knows
}

func (t *Tree) try(ctx context.Context) (conditions, error) {
	key := t.o.Prefix + ours + "try" // one name: who removes has the gate, so that nobody else tries
	defer t.forget(context.WithoutCancel(ctx), key)
	there, err := t.survives(ctx, key, func() error {
		_, err := t.send(ctx, []removal{{Key: key, ETag: `"` + another + `"`}}, false)
		return err
	})
	if err != nil || there {
		return inBulk, err
	}
	there, err = t.survives(ctx, key, func() error {
		if err := t.drop(ctx, key, "", another); err != nil && !errors.Is(err, errUnmet) {
			return err
		}
		return nil
	})
	if err != nil || there {
		return inSingle, err
	}
	return noConditions, nil
}

// survives puts an object and is whether it is there after the removal.
func (t *Tree) survives(ctx context.Context, key string, remove func() error) (bool, error) {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	_, err := t.c.PutObject(ctx, t.o.Bucket, key, strings.NewReader("x"), 1, minio.PutObjectOptions{DisableMultipart: true, SendContentMd5: true})
	if err != nil {
		return false, buckets.Said(err)
	}
	if err := remove(); err != nil {
		return false, err
	}
	for i := range t.c.ListObjectsIter(ctx, t.o.Bucket, minio.ListObjectsOptions{Prefix: key}) {
		if i.Err != nil {
			return false, fmt.Errorf("what a removal did: %w", buckets.Said(i.Err))
		}
		return true, nil
	}
	return false, nil
}

// forget removes what was tried with; a name that stays is never listed.
func (t *Tree) forget(ctx context.Context, key string) {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	for i := range t.c.ListObjectsIter(ctx, t.o.Bucket, minio.ListObjectsOptions{Prefix: key, WithVersions: true}) {
		if i.Err != nil {
			_ = t.drop(ctx, key, "", "") // a service without versions
			return
		}
		_ = t.drop(ctx, key, i.VersionID, "")
	}
}
