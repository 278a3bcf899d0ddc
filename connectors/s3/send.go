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
	"io/fs"
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

// tries is how often a request is sent at most whose answer is no answer.
const tries = 3

// most bytes of an answer that are read.
const most = 16 << 20

// errUnmet: the object is not the one that a condition names.
var errUnmet = errors.New("the object is another one now")

// answered is a service's refusal.
type answered struct {
	Code   string
	status int
}

func (a answered) Error() string {
	return fmt.Sprintf("the service answered %s (HTTP %d)", a.Code, a.status)
}

// Is tells of what is not there.
func (a answered) Is(target error) bool {
	return target == fs.ErrNotExist && (a.Code == "NoSuchKey" || a.Code == "NoSuchVersion" || a.Code == "" && a.status == http.StatusNotFound)
}

// send asks for removals. The client library has no request with conditions for
// several names, so it signs the address only. No header asks to bypass a lock. An
// error says that it is not known what was removed. Where a second request could meet
// what a writer put after the first, it is sent once.
func (t *Tree) send(ctx context.Context, list []removal, once bool) (out answers, err error) {
	body, err := xml.Marshal(removals{Object: list})
	if err != nil {
		return out, err
	}
	sum := md5.Sum(body) // the service asks for it
	head := map[string]string{"Content-MD5": base64.StdEncoding.EncodeToString(sum[:]), "Content-Type": "application/xml"}
	err = t.again(ctx, func() (bool, error) {
		text, again, err := t.call(ctx, http.MethodPost, "", url.Values{"delete": {""}}, head, body)
		out = answers{}
		if err == nil && xml.Unmarshal(text, &out) != nil {
			out, again, err = answers{}, true, errors.New("the service's answer cannot be read")
		}
		return again && !once, err
	})
	return out, err
}

// drop asks for one removal: of a version, or, without one, of what the name has; of
// the content of that ETag, where there is one. errUnmet: it is another.
func (t *Tree) drop(ctx context.Context, key, version, etag string) error {
	ask, head := url.Values{}, map[string]string{}
	if version != "" {
		ask.Set("versionId", version)
	}
	if etag != "" {
		head["If-Match"] = `"` + etag + `"`
	}
	return t.again(ctx, func() (bool, error) {
		_, again, err := t.call(ctx, http.MethodDelete, key, ask, head, nil)
		return again, err
	})
}

// again calls f until it has an answer.
func (t *Tree) again(ctx context.Context, f func() (again bool, err error)) (err error) {
	for try := range tries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return errors.Join(err, ctx.Err())
			case <-time.After(time.Duration(try*try) * 200 * time.Millisecond):
			}
		}
		var again bool
		if again, err = f(); err == nil || !again {
			return err
		}
	}
	return err
}

// call sends one request; again: the service may answer another time.
func (t *Tree) call(ctx context.Context, method, key string, ask url.Values, head map[string]string, body []byte) (text []byte, again bool, err error) {
	u, err := t.c.Presign(ctx, method, t.o.Bucket, key, listTime, ask)
	if err != nil {
		return nil, false, buckets.Said(err)
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, false, errors.New("the service's address cannot be used")
	}
	for k, v := range head {
		r.Header.Set(k, v)
	}
	reply, err := t.http.Do(r)
	if err != nil {
		return nil, true, buckets.Said(err)
	}
	text, err = io.ReadAll(io.LimitReader(reply.Body, most))
	if e := reply.Body.Close(); err == nil {
		err = e
	}
	switch {
	case reply.StatusCode == http.StatusPreconditionFailed:
		return nil, false, errUnmet
	case reply.StatusCode/100 != 2:
		why := answered{status: reply.StatusCode}
		_ = xml.Unmarshal(text, &why) // a proxy's answer has no code
		return nil, reply.StatusCode >= 500 && reply.StatusCode != http.StatusNotImplemented, why
	case err != nil:
		return nil, true, fmt.Errorf("the service's answer: %w", err)
	}
	return text, false, nil
}
