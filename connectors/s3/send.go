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
	switch {
	case a.status == 0: // in an answer about many
		return "the service answered " + a.Code
	case a.Code == "": // a proxy
		return fmt.Sprintf("the service answered HTTP %d", a.status)
	}
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
	reply, again, err := t.sends(ctx, method, key, ask, head, body)
	if err != nil {
		return nil, again, err
	}
	text, err = textOf(reply)
	switch {
	case reply.StatusCode/100 != 2:
		again, err = refused(reply.StatusCode, text)
		return nil, again, err
	case err != nil:
		return nil, true, fmt.Errorf("the service's answer: %w", err)
	}
	return text, false, nil
}

// fetch asks for the content of a version, from a place on; the caller closes the answer.
func (t *Tree) fetch(ctx context.Context, key string, v version, from int64) (reply *http.Response, again bool, err error) {
	ask, head, want := url.Values{}, map[string]string{}, http.StatusOK
	if v.id != "" {
		ask.Set("versionId", v.id)
	}
	if v.etag != "" {
		head["If-Match"] = `"` + v.etag + `"`
	}
	if from > 0 {
		head["Range"], want = fmt.Sprintf("bytes=%d-", from), http.StatusPartialContent
	}
	reply, again, err = t.sends(ctx, http.MethodGet, key, ask, head, nil)
	if err != nil || reply.StatusCode == want {
		return reply, again, err
	}
	text, _ := textOf(reply) // a proxy's answer has no code
	again, err = refused(reply.StatusCode, text)
	return nil, again, err
}

// sends signs a request and sends it.
func (t *Tree) sends(ctx context.Context, method, key string, ask url.Values, head map[string]string, body []byte) (reply *http.Response, again bool, err error) {
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
	if reply, err = t.http.Do(r); err != nil {
		return nil, true, buckets.Said(err)
	}
	return reply, false, nil
}

func textOf(reply *http.Response) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(reply.Body, most))
	if e := reply.Body.Close(); err == nil {
		err = e
	}
	return text, err
}

// refused is what an answer that is none says.
func refused(status int, text []byte) (again bool, err error) {
	if status == http.StatusPreconditionFailed {
		return false, errUnmet
	}
	why := answered{status: status}
	_ = xml.Unmarshal(text, &why) // a proxy's answer has no code
	return status >= 500 && status != http.StatusNotImplemented || status == http.StatusTooManyRequests, why
}
