// Package buckets opens buckets of S3 services, for sealed vaults and for sources of
// objects alike: one form of options, one client, one way to tell of errors.
package buckets

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Options say which bucket is meant. The keys must never be in an error.
type Options struct {
	Endpoint  string // a URL, or a host for https
	Region    string
	Bucket    string
	Prefix    string // of all names; it stands for a folder
	AccessKey string
	SecretKey string
	PathStyle bool
}

// Open makes a client of the service, and writes the options as they are used: the
// endpoint as a URL, the prefix empty or with a slash at its end. No request is sent.
func Open(o Options) (*minio.Client, Options, error) {
	if !strings.Contains(o.Endpoint, "://") {
		o.Endpoint = "https://" + o.Endpoint
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return nil, o, errors.New("s3: endpoint is neither a host nor http(s)://HOST[:PORT]")
	}
	o.Endpoint = u.Scheme + "://" + u.Host
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
		return nil, o, fmt.Errorf("s3: %w", err)
	}
	return c, o, nil
}

// Said is an error of the service without what it quotes. An object that is not
// there is [fs.ErrNotExist], one that is there against a condition [fs.ErrExist].
func Said(err error) error {
	var r minio.ErrorResponse
	var u *url.Error
	if errors.As(err, &u) { // its URL has a signature
		return fmt.Errorf("the service cannot be reached: %w", u.Err)
	}
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
