package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 is a bucket of an S3 service.
type S3 struct {
	Endpoint  string // a URL, or a host for https
	Region    string
	Bucket    string
	Prefix    string
	AccessKey string
	SecretKey string
	PathStyle bool
}

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
	if !strings.Contains(o.Endpoint, "://") {
		o.Endpoint = "https://" + o.Endpoint
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("s3.endpoint is neither a host nor http(s)://HOST[:PORT]")
	}
	lookup := minio.BucketLookupAuto
	if o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	if o.Prefix = strings.Trim(o.Prefix, "/"); o.Prefix != "" {
		o.Prefix += "/"
	}
	c, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: u.Scheme == "https", Region: o.Region, BucketLookup: lookup, MaxRetries: 3,
	})
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	return &bucket{c, o}, nil
}

func (b *bucket) place() string { return "s3 " + b.o.Bucket + "/" + b.o.Prefix }

// said is an error of the service without what it quotes.
func said(err error) error {
	var r minio.ErrorResponse
	if !errors.As(err, &r) {
		return err
	}
	if r.Code == "NoSuchKey" || r.StatusCode == http.StatusNotFound && r.Code != "NoSuchBucket" {
		return fs.ErrNotExist
	}
	if r.Code == "PreconditionFailed" {
		return fmt.Errorf("%w: the object is there already", fs.ErrExist)
	}
	return fmt.Errorf("the service answered %s (HTTP %d)", r.Code, r.StatusCode)
}

// put writes an object that is not there yet. A reply may be lost: where the object
// is there then, it is compared, for a repeated request finds its own work.
func (b *bucket) put(ctx context.Context, name string, content []byte) error {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	o := minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true, SendContentMd5: true}
	o.SetMatchETagExcept("*")
	_, err := b.c.PutObject(ctx, b.o.Bucket, b.o.Prefix+name, bytes.NewReader(content), int64(len(content)), o)
	if err = said(err); !errors.Is(err, fs.ErrExist) {
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
		return nil, said(err)
	}
	if _, err := r.Stat(); err != nil { // asks for the first time
		return nil, errors.Join(said(err), r.Close())
	}
	return object{r}, nil
}

// object scrubs what goes wrong on the way.
type object struct{ *minio.Object }

// Read reads on.
func (o object) Read(p []byte) (int, error) {
	n, err := o.Object.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = said(err)
	}
	return n, err
}

func (b *bucket) list(ctx context.Context) ([]string, error) {
	var out []string
	for o := range b.c.ListObjects(ctx, b.o.Bucket, minio.ListObjectsOptions{Prefix: b.o.Prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, said(o.Err)
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
			return said(o.Err)
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
	err := said(b.c.RemoveObject(ctx, b.o.Bucket, key, minio.RemoveObjectOptions{VersionID: version}))
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
		return said(err)
	}
	mode := minio.Governance
	until = until.UTC()
	err := b.c.PutObjectRetention(ctx, b.o.Bucket, b.o.Prefix+name, minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &until})
	return said(err)
}
