package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/retentiond/retentiond/retention/buckets"
)

// removal names a version in a request.
type removal struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	ETag      string `xml:",omitempty"` // the service removes no other content, where it knows the condition
}

type removals struct {
	XMLName xml.Name  `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Delete"`
	Object  []removal `xml:"Object"`
}

// answers are what a service says of each.
type answers struct {
	XMLName xml.Name `xml:"DeleteResult"`
	Deleted []struct {
		Key       string
		VersionID string `xml:"VersionId"`
	}
	Errors []struct {
		Key       string
		VersionID string `xml:"VersionId"`
		Code      string
	} `xml:"Error"`
}

// tries is how often a request is sent whose answer is no answer.
const tries = 3

// most bytes of an answer that are read.
const most = 16 << 20

// send asks for removals. The client library has no request with conditions for
// several names, so it signs the address only. No header asks to bypass a lock. An
// error says that it is not known what was removed.
func (t *Tree) send(ctx context.Context, list []removal) (out answers, err error) {
	body, err := xml.Marshal(removals{Object: list})
	if err != nil {
		return out, err
	}
	for try := range tries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return out, errors.Join(err, ctx.Err())
			case <-time.After(time.Duration(try*try) * 200 * time.Millisecond):
			}
		}
		var again bool
		if out, again, err = t.post(ctx, body); err == nil || !again {
			return out, err
		}
	}
	return out, err
}

// post sends one request; again: the service may answer another time.
func (t *Tree) post(ctx context.Context, body []byte) (out answers, again bool, err error) {
	u, err := t.c.Presign(ctx, http.MethodPost, t.o.Bucket, "", listTime, url.Values{"delete": {""}})
	if err != nil {
		return out, false, buckets.Said(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return out, false, errors.New("the service's address cannot be used")
	}
	sum := md5.Sum(body)
	r.Header.Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:])) // the service asks for it
	r.Header.Set("Content-Type", "application/xml")
	reply, err := t.http.Do(r)
	if err != nil {
		return out, true, buckets.Said(err)
	}
	text, err := io.ReadAll(io.LimitReader(reply.Body, most))
	if e := reply.Body.Close(); err == nil {
		err = e
	}
	switch {
	case reply.StatusCode != http.StatusOK:
		var why struct{ Code string }
		_ = xml.Unmarshal(text, &why) // a proxy's answer has no code
		return out, reply.StatusCode >= 500, fmt.Errorf("the service answered %s (HTTP %d)", why.Code, reply.StatusCode)
	case err != nil:
		return out, true, fmt.Errorf("the service's answer: %w", err)
	}
	if err := xml.Unmarshal(text, &out); err != nil {
		return out, true, errors.New("the service's answer cannot be read")
	}
	return out, false, nil
}
