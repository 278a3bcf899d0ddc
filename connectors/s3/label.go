package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention/buckets"
)

// Label asks for metadata and tags of every version with content, and, where the
// bucket may lock objects, for its locks.
func (t *Tree) Label(ctx context.Context, of []objects.Object, metadata, tags bool, f func(i int, l objects.Labels)) error {
	locks, err := t.locks(ctx)
	if err != nil {
		return err
	}
	if !locks && !metadata && !tags {
		for i := range of {
			f(i, objects.Labels{})
		}
		return nil
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
	first := true
	for _, v := range versionsOf(o.ID) {
		if v.marker {
			continue
		}
		of := objects.Labels{}
		if tags {
			if of.Tags, err = t.tags(ctx, o.Path, v.id); err != nil {
				return l, err
			}
		}
		if metadata {
			if of.Metadata, err = t.metadata(ctx, o.Path, v.id); err != nil {
				return l, err
			}
		}
		if locks {
			lock, err := t.lock(ctx, o.Path, v.id)
			if err != nil {
				return l, err
			}
			l.Locked = later(l.Locked, lock)
		}
		if first {
			l.Metadata, l.Tags, first = of.Metadata, of.Tags, false
		} else if metadata || tags {
			l.Older = append(l.Older, of)
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

func (t *Tree) metadata(ctx context.Context, path, version string) (map[string]string, error) {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	i, err := t.c.StatObject(ctx, t.o.Bucket, t.o.Prefix+path, minio.StatObjectOptions{VersionID: version})
	if err != nil {
		return nil, t.failed(path, "its metadata", err)
	}
	out := make(map[string]string, len(i.UserMetadata))
	for k, v := range i.UserMetadata {
		out[strings.ToLower(k)] = plain(v)
	}
	return out, nil
}

// plain is a value without the encoding that services give to what is not ASCII.
func plain(v string) string {
	if s, err := (&mime.WordDecoder{}).DecodeHeader(v); err == nil {
		return s
	}
	return v
}

func (t *Tree) failed(path, what string, err error) error {
	if err = buckets.Said(err); errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("object %s: %s cannot be read: %w", t.shown(path), what, err)
}
