package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/buckets"
)

// Tree is what lies below a prefix of a bucket.
type Tree struct {
	c    *minio.Client
	o    buckets.Options
	http *http.Client // of removals

	mu    sync.Mutex
	knows conditions
}

var (
	_ objects.Tree      = (*Tree)(nil)
	_ objects.Labeller  = (*Tree)(nil)
	_ objects.Versioned = (*Tree)(nil)
	_ objects.Owned     = (*Tree)(nil)
	_ retention.Remote  = (*Tree)(nil)
)

const (
	callTime = 30 * time.Second // of one request about one object
	listTime = 2 * time.Minute  // of one page of names, or of one removal
	bulk     = 1000             // names that one request removes or lists
)

// Open opens a prefix of a bucket as a source. dir is the folder of its gate file and
// journal. A bucket that cannot be reached is a source_down refusal.
func Open(ctx context.Context, o buckets.Options, dir string) (*objects.Source, error) {
	t, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	own, err := filepath.Abs(filepath.Join(dir, "bucket-"+t.key()))
	if err != nil {
		return nil, errors.Join(down("gate of %s: %v", t.Name(), err), t.Close())
	}
	return objects.Open(ctx, t, own)
}

func open(ctx context.Context, o buckets.Options) (*Tree, error) {
	c, o, err := buckets.Open(o)
	if err != nil {
		return nil, down("%v", err)
	}
	transport, err := minio.DefaultTransport(strings.HasPrefix(o.Endpoint, "https:"))
	if err != nil {
		return nil, down("%v", err)
	}
	t := &Tree{c: c, o: o, http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if _, err := t.versions(ctx); err != nil {
		return nil, errors.Join(down("%s cannot be opened: %v", t.Name(), err), t.Close())
	}
	return t, nil
}

func down(format string, args ...any) error {
	return &retention.Refusal{Code: retention.RefuseSourceDown, Message: fmt.Sprintf(format, args...)}
}

// key names the tree among the gates of others.
func (t *Tree) key() string {
	sum := sha256.Sum256([]byte(t.Identity()))
	return hex.EncodeToString(sum[:8])
}

// Name is the bucket and the prefix.
func (t *Tree) Name() string { return "s3 " + t.o.Bucket + "/" + t.o.Prefix }

// Identity is the service, the bucket and the prefix.
func (t *Tree) Identity() string {
	return "s3:" + strings.ToLower(t.o.Endpoint) + "/" + t.o.Bucket + "/" + t.o.Prefix
}

// Close closes connections that are idle.
func (t *Tree) Close() error {
	t.http.CloseIdleConnections()
	return nil
}

// keeping is whether names of the bucket may have several versions.
type keeping int

const (
	never     keeping = iota // none ever had
	always                   // each content that is put is one
	suspended                // some have, and what is put now replaces the one called null
)

// versions is asked anew for each listing and each removal: it may change at any time.
func (t *Tree) versions(ctx context.Context) (keeping, error) {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	v, err := t.c.GetBucketVersioning(ctx, t.o.Bucket)
	if r := minio.ToErrorResponse(err); err != nil && (r.StatusCode == http.StatusNotImplemented || r.Code == "VersioningNotConfigured") {
		return never, nil // a service without versions
	}
	if err != nil {
		return never, fmt.Errorf("whether it keeps versions: %w", buckets.Said(err))
	}
	switch {
	case v.Enabled():
		return always, nil
	case v.Suspended():
		return suspended, nil
	}
	return never, nil
}

// Advise tells of buckets whose names have one content: what may be removed is known
// when it is tried.
func (t *Tree) Advise(ctx context.Context) ([]retention.Advice, error) {
	keeps, err := t.versions(ctx)
	if err != nil || keeps == always {
		return nil, err
	}
	return []retention.Advice{{
		Code: retention.AdviceNoVersions, Message: t.Name() + ": the bucket keeps no versions of what is put now",
		Hint: "removals name the ETag; where the service does not compare it, an object that is replaced in the instant in which it goes is lost: turn versions on, or do not replace objects that are due",
	}}, nil
}

// Batches are of one request's thousand names at most: a hold waits for no more.
func (t *Tree) Batches() (took time.Duration, rows int) { return time.Second, bulk }

// Residuals are what removed objects leave.
func (t *Tree) Residuals() []retention.Residual {
	return []retention.Residual{{What: "replicas of the bucket, which do not take over removals of versions; backups", Stays: true}}
}

// shown is an object as it is printed.
func (t *Tree) shown(path string) string {
	return fmt.Sprintf("%q", t.o.Bucket+"/"+t.o.Prefix+path)
}
