package s3

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/retentiond/retentiond/connectors/objects"
)

// mostAsked is how often the rest of a content is asked for, where a connection is cut.
const mostAsked = 20

// reading is the content of a version on its way.
type reading struct {
	ctx  context.Context //nolint:containedctx // a reader has no other way to hear of a stop
	t    *Tree
	path string
	v    version
	size int64
	head http.Header
	body io.ReadCloser
	stop context.CancelFunc // of the request
	n    int64              // bytes that were read
	asks int                // beside the first
	sum  hash.Hash          // MD5, where the removal names an ETag; nil: it names the version
	sure bool
}

var _ objects.Assured = (*reading)(nil)

// read asks for a version that has so many bytes.
func (t *Tree) read(ctx context.Context, path string, v version, size int64) (*reading, error) {
	r := &reading{ctx: ctx, t: t, path: path, v: v, size: size}
	if !v.lasting() {
		r.sum = md5.New() //nolint:gosec // services make ETags of it
	}
	return r, r.ask()
}

// ask asks for what was not read yet.
func (r *reading) ask() error {
	err := r.t.again(r.ctx, func() (bool, error) {
		ctx, stop := context.WithCancel(r.ctx)
		late := time.AfterFunc(callTime, stop)
		reply, again, err := r.t.fetch(ctx, r.t.o.Prefix+r.path, r.v, r.n) //nolint:bodyclose // whoever reads closes it
		late.Stop()
		if err != nil {
			stop()
			return again, err
		}
		r.head, r.body, r.stop = reply.Header, reply.Body, stop
		return false, r.answers(reply)
	})
	if err != nil {
		return errors.Join(r.told(err), r.Close())
	}
	return nil
}

// answers is whether the answer is about that version, and whole.
func (r *reading) answers(reply *http.Response) error {
	etag, id := strings.Trim(reply.Header.Get("ETag"), `"`), reply.Header.Get("X-Amz-Version-Id")
	switch rest := r.size - r.n; {
	case etag != r.v.etag && (etag != "" || !r.v.lasting()), id != "" && id != r.v.id && r.v.lasting():
		return errUnmet
	case reply.ContentLength >= 0 && reply.ContentLength != rest:
		return &objects.Why{Text: "the service gives another number of bytes than it lists"}
	case r.n > 0 && !strings.HasPrefix(reply.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", r.n)):
		return &objects.Why{Text: "the service does not go on where a connection was cut"}
	}
	return nil
}

// Read reads on. The end is one only where all bytes were read. What breaks off is asked
// for again, from there on.
func (r *reading) Read(p []byte) (int, error) {
	for {
		if r.body == nil {
			if r.asks++; r.asks > mostAsked {
				return 0, r.told(io.ErrUnexpectedEOF)
			}
			if err := r.ask(); err != nil {
				return 0, err
			}
		}
		late := time.AfterFunc(callTime, r.stop)
		n, err := r.body.Read(p)
		late.Stop()
		if r.n += int64(n); r.sum != nil {
			r.sum.Write(p[:n])
		}
		switch {
		case r.n > r.size:
			return 0, objects.ErrChanged
		case errors.Is(err, io.EOF) && r.n == r.size:
			r.sure = r.sum == nil || hex.EncodeToString(r.sum.Sum(nil)) == r.v.etag
			return n, io.EOF
		case r.ctx.Err() != nil:
			return 0, r.ctx.Err()
		case err != nil:
			_ = r.Close() // it broke off
		}
		if n > 0 {
			return n, nil
		}
	}
}

// Assured is whether the removal names what was read: a version that nobody can
// replace, or an ETag that is the content's.
func (r *reading) Assured() bool { return r.sure }

// Close ends the request.
func (r *reading) Close() error {
	if r.body == nil {
		return nil
	}
	_ = r.body.Close() // it was only read
	r.stop()
	r.body = nil
	return nil
}

// told is an error in the terms of a batch.
func (r *reading) told(err error) error {
	var a answered
	switch {
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case errors.Is(err, errUnmet):
		return objects.ErrChanged
	case errors.Is(err, fs.ErrNotExist):
		return objects.ErrGone
	case errors.As(err, &a):
		return a.why(a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests)
	}
	if why := (*objects.Why)(nil); errors.As(err, &why) {
		return err
	}
	return &objects.Why{Text: "the service cannot be reached, or breaks off", Err: objects.ErrUnanswered}
}

// why are its words, and what they may mean.
func (a answered) why(silent bool) error {
	out := &objects.Why{Text: a.Error()}
	switch a.Code {
	case "AccessDenied":
		out.Text += ": this key lacks the right GetObject, GetObjectVersion of a bucket with versions, or that to their encryption key"
	case "InvalidObjectState":
		out.Text += ": they lie in a storage class that is not read at once (Glacier), and have to be restored there before"
	case "InvalidRequest":
		out.Text += ": what is encrypted with a key of the customer's own (SSE-C) cannot be read"
	}
	if silent {
		out.Err = objects.ErrUnanswered
	}
	return out
}
