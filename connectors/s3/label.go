package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention/buckets"
)

// Label asks for metadata and tags of the newest version with content, and, where the
// bucket may lock objects, for the locks of every version.
func (t *Tree) Label(ctx context.Context, of []objects.Object, metadata, tags bool, f func(i int, l objects.Labels)) error {
	locks, err := t.locks(ctx)
	if err != nil || !locks && !metadata && !tags {
		return err
	}
	out, there := make([]objects.Labels, len(of)), make([]bool, len(of))
	err = abreast(ctx, len(of), func(ctx context.Context, i int) error {
		l, err := t.labels(ctx, of[i], metadata, tags, locks)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		out[i], there[i] = l, err == nil
		return err
	})
	if err != nil {
		return err
	}
	for i := range out {
		if there[i] {
			f(i, out[i])
		}
	}
	return nil
}

func (t *Tree) labels(ctx context.Context, o objects.Object, metadata, tags, locks bool) (l objects.Labels, err error) {
	newest := true
	for _, v := range versionsOf(o.ID) {
		if v.marker {
			continue
		}
		if newest && tags {
			if l.Tags, err = t.tags(ctx, o.Path, v.id); err != nil {
				return l, err
			}
		}
		if newest && metadata || locks {
			if err := t.head(ctx, o.Path, v.id, newest, &l); err != nil {
				return l, err
			}
		}
		if newest = false; !locks {
			break
		}
	}
	return l, nil
}

func (t *Tree) tags(ctx context.Context, path, version string) (map[string]string, error) {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	tags, err := t.c.GetObjectTagging(ctx, t.o.Bucket, t.o.Prefix+path, minio.GetObjectTaggingOptions{VersionID: version})
	if r := minio.ToErrorResponse(err); err != nil && (r.Code == "NoSuchTagSet" || r.Code == "NoSuchTagSetError") {
		return nil, nil
	}
	if err != nil {
		return nil, t.failed(path, "its tags", err)
	}
	return tags.ToMap(), nil
}

func (t *Tree) head(ctx context.Context, path, version string, newest bool, l *objects.Labels) error {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	i, err := t.c.StatObject(ctx, t.o.Bucket, t.o.Prefix+path, minio.StatObjectOptions{VersionID: version})
	if err != nil {
		return t.failed(path, "its metadata", err)
	}
	if newest {
		l.Metadata = map[string]string{}
		for k, v := range i.UserMetadata {
			l.Metadata[strings.ToLower(k)] = v
		}
	}
	l.Locked = later(l.Locked, lock(i.Metadata))
	return nil
}

func (t *Tree) failed(path, what string, err error) error {
	if err = buckets.Said(err); errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("object %s: %s cannot be read: %w", t.shown(path), what, err)
}

// lock is until when a version is kept, as its headers say.
func lock(h http.Header) string {
	if strings.EqualFold(h.Get("X-Amz-Object-Lock-Legal-Hold"), "ON") {
		return objects.ForGood
	}
	text := h.Get("X-Amz-Object-Lock-Retain-Until-Date")
	if text == "" {
		if h.Get("X-Amz-Object-Lock-Mode") != "" {
			return objects.ForGood
		}
		return ""
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return objects.ForGood
	}
	if rest := at.Nanosecond(); rest > 0 {
		at = at.Add(time.Second - time.Duration(rest))
	}
	return at.UTC().Format(time.RFC3339)
}

// later is the lock that lasts longer. Both are of one form, so that they compare as
// texts.
func later(a, b string) string {
	if a == objects.ForGood || b == objects.ForGood {
		return objects.ForGood
	}
	return max(a, b)
}
