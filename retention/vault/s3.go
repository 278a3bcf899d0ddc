package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/retention/buckets"
)

// S3 is a bucket of an S3 service.
type S3 = buckets.Options

// callTime is how long one request may take: a batch keeps rows locked meanwhile.
const callTime = 30 * time.Second

// bucket is a vault in a bucket. Objects are put under If-None-Match: * only, so
// that nothing is ever replaced, and where the bucket keeps versions, what ends does
// so with all of them.
type bucket struct {
	c *minio.Client
	o S3
}

func newBucket(o S3) (*bucket, error) {
	c, o, err := buckets.Open(o)
	if err != nil {
		return nil, err
	}
	return &bucket{c, o}, nil
}

func (b *bucket) place() string { return "s3 " + b.o.Bucket + "/" + b.o.Prefix }

// put writes an object that is not there yet. A reply may be lost: where the object
// is there then, it is compared, for a repeated request finds its own work.
func (b *bucket) put(ctx context.Context, name string, content []byte) error {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	o := minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true, SendContentMd5: true}
	o.SetMatchETagExcept("*")
	_, err := b.c.PutObject(ctx, b.o.Bucket, b.o.Prefix+name, bytes.NewReader(content), int64(len(content)), o)
	if err = buckets.Said(err); !errors.Is(err, fs.ErrExist) {
		return err
	}
	r, getErr := b.get(ctx, name)
	if getErr != nil {
		return errors.Join(err, getErr)
	}
	had, getErr := io.ReadAll(r)
	if getErr = errors.Join(getErr, r.Close()); getErr == nil && bytes.Equal(had, content) {
		return nil
	}
	return errors.Join(err, getErr)
}

// sync does nothing: what the service took is durable.
func (b *bucket) sync(context.Context) error { return nil }

func (b *bucket) get(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := b.c.GetObject(ctx, b.o.Bucket, b.o.Prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, buckets.Said(err)
	}
	if _, err := r.Stat(); err != nil { // asks for the first time
		return nil, errors.Join(buckets.Said(err), r.Close())
	}
	return object{r}, nil
}

// object scrubs what goes wrong on the way.
type object struct{ *minio.Object }

// Read reads on.
func (o object) Read(p []byte) (int, error) {
	n, err := o.Object.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = buckets.Said(err)
	}
	return n, err
}

func (b *bucket) list(ctx context.Context) ([]string, error) {
	var out []string
	for o := range b.c.ListObjects(ctx, b.o.Bucket, minio.ListObjectsOptions{Prefix: b.o.Prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, buckets.Said(o.Err)
		}
		out = append(out, strings.TrimPrefix(o.Key, b.o.Prefix))
	}
	slices.Sort(out)
	return out, nil
}

// remove removes an object with all its versions and delete markers. One that the
// bucket's Object Lock keeps is an error: it is not gone.
func (b *bucket) remove(ctx context.Context, name string) error {
	key, versioned := b.o.Prefix+name, false
	for o := range b.c.ListObjects(ctx, b.o.Bucket, minio.ListObjectsOptions{Prefix: key, Recursive: true, WithVersions: true}) {
		if o.Err != nil {
			if r := minio.ToErrorResponse(o.Err); r.StatusCode == http.StatusNotImplemented {
				break // a service without versions
			}
			return buckets.Said(o.Err)
		}
		if o.Key != key {
			continue
		}
		versioned = versioned || o.VersionID != ""
		if err := b.drop(ctx, key, o.VersionID); err != nil {
			return err
		}
	}
	if versioned {
		return nil
	}
	return b.drop(ctx, key, "")
}

func (b *bucket) drop(ctx context.Context, key, version string) error {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	err := buckets.Said(b.c.RemoveObject(ctx, b.o.Bucket, key, minio.RemoveObjectOptions{VersionID: version}))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// keep asks the bucket's Object Lock to keep an object until then, where it has one:
// nobody shortens the archive from outside, and it still ends.
func (b *bucket) keep(ctx context.Context, name string, until time.Time) error {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	if _, _, _, _, err := b.c.GetObjectLockConfig(ctx, b.o.Bucket); err != nil {
		if r := minio.ToErrorResponse(err); r.Code == "ObjectLockConfigurationNotFoundError" || r.StatusCode == http.StatusNotImplemented {
			return nil // a bucket without Object Lock keeps nothing
		}
		return buckets.Said(err)
	}
	mode := minio.Governance
	until = until.UTC()
	err := b.c.PutObjectRetention(ctx, b.o.Bucket, b.o.Prefix+name, minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &until})
	return buckets.Said(err)
}
