package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"

	"github.com/retentiond/retentiond/connectors/objects"
)

// copied reads every content of an object, as an archive does, and notes them for its
// removal.
func copied(ctx context.Context, tree *Tree, o *objects.Object) (texts []string, err error) {
	next, all := tree.Open(ctx, *o), []*objects.Content{}
	for {
		_, r, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return texts, err
		}
		if r == nil {
			texts = append(texts, "marker")
			continue
		}
		c, r := objects.Copying(r)
		b, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			return texts, err
		}
		all, texts = append(all, c), append(texts, string(b))
	}
	if len(all) > 0 {
		o.Content = all[0]
		o.Content.Older = all[1:]
	}
	return texts, nil
}

// gets is whether the request asks for an object's content.
func gets(r *http.Request) bool {
	q := r.URL.Query()
	q.Del("versionId")
	for k := range q {
		if !strings.HasPrefix(k, "X-Amz-") {
			return false
		}
	}
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/site/") && !strings.Contains(r.URL.Path, ours)
}

// Every version is read, the newest first, and delete markers are told as such.
func TestEveryVersionIsRead(t *testing.T) {
	t.Parallel()
	for _, versions := range []bool{false, true} {
		b := newBucketTest(t, versions, false)
		b.put("site/a", "one")
		b.put("site/a", "two")
		want := map[string][]string{"a": {"two"}}
		if versions {
			b.put("site/b", "three")
			must(t, b.admin.RemoveObject(t.Context(), "data", "site/b", minio.RemoveObjectOptions{}))
			want = map[string][]string{"a": {"two", "one"}, "b": {"marker", "three"}}
		}
		got := map[string][]string{}
		list := b.walk("*")
		for i := range list {
			var err error
			got[list[i].Path], err = copied(t.Context(), b.Tree, &list[i])
			must(t, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for i, err := range b.ends(list) {
			if err != nil {
				t.Errorf("%s ended with %v", list[i].Path, err)
			}
		}
	}
}

// An object that is replaced, before it is read or after, is left as it is, and so is
// one whose ETag says that it is what it was while it is not (L9).
func TestArchivedObjectsThatAreReplaced(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, false, false)
	big := bytes.Repeat([]byte("abcdefgh"), 5<<17+1)
	put := func(name string) { // its ETag is not the content's MD5
		_, err := b.admin.PutObject(t.Context(), "data", name, bytes.NewReader(big), int64(len(big)), minio.PutObjectOptions{PartSize: 5 << 20})
		must(t, err)
	}
	b.put("site/early", "one")
	b.put("site/late", "one")
	b.put("site/same", "one")
	put("site/untrue")
	put("site/true")
	list := b.walk("*")
	b.put("site/early", "two")
	var asked atomic.Int64
	tree := b.through(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
		if !gets(r) || !strings.Contains(r.URL.Path, "true") {
			onward.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		onward.ServeHTTP(rec, r)
		if n := asked.Add(1); n > 2 && strings.Contains(r.URL.Path, "untrue") { // each is read once by now
			rec.Body.Bytes()[5<<20]++
		}
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
	want := map[string]error{"early": objects.ErrChanged, "late": objects.ErrChanged, "same": nil, "true": nil, "untrue": objects.ErrChanged}
	var of []objects.Object
	for i := range list {
		_, err := copied(t.Context(), tree, &list[i])
		if early := list[i].Path == "early"; early != errors.Is(err, objects.ErrChanged) || !early && err != nil {
			t.Errorf("%s was read with %v", list[i].Path, err)
		} else if !early {
			of = append(of, list[i])
		}
	}
	b.put("site/late", "two")
	for i, err := range endsOf(t, tree, of) {
		if !errors.Is(err, want[of[i].Path]) {
			t.Errorf("%s ended with %v, want %v", of[i].Path, err, want[of[i].Path])
		}
	}
	if diff := cmp.Diff([]string{"site/early", "site/late", "site/untrue"}, b.names()); diff != "" {
		t.Error(diff)
	}
	if n := asked.Load(); n != 4 {
		t.Errorf("contents were asked for %d times, want 4", n)
	}
}

// Where versions are suspended, what has no identifier of its own may be replaced: then
// the object stays with all of its versions (L9).
func TestArchivedObjectsOfASuspendedBucket(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, true, false)
	for _, n := range []string{"site/kept", "site/replaced"} {
		b.put(n, "one")
	}
	must(t, b.admin.SuspendVersioning(t.Context(), "data"))
	for _, n := range []string{"site/kept", "site/replaced"} {
		b.put(n, "two")
	}
	list := b.walk("*")
	for i := range list {
		got, err := copied(t.Context(), b.Tree, &list[i])
		must(t, err)
		if diff := cmp.Diff([]string{"two", "one"}, got); diff != "" {
			t.Error(diff)
		}
	}
	b.put("site/replaced", "three")
	how := b.ends(list)
	if how[0] != nil || !errors.Is(how[1], objects.ErrChanged) {
		t.Errorf("they ended with %v", how)
	}
	if kept, replaced := b.versionsAt("site/kept"), b.versionsAt("site/replaced"); len(kept) > 0 || len(replaced) != 2 {
		t.Errorf("the names have %q and %q", kept, replaced)
	}
}

// What breaks off is read on, and is what it was; a service that never gives the rest,
// says another length or gives another content is found out (L9).
func TestContentsThatBreakOff(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, true, false)
	text := strings.Repeat("0123456789", 1000)
	b.put("site/a", text)
	list := b.walk("*")
	for what, x := range map[string]struct {
		do   func(h http.Header, body []byte) []byte // what is sent of the body; the length is said before
		want error
	}{
		"half":    {func(_ http.Header, body []byte) []byte { return body[:(len(body)+1)/2] }, nil},
		"nothing": {func(_ http.Header, body []byte) []byte { return body[:0] }, objects.ErrUnanswered},
		"shorter": {func(h http.Header, body []byte) []byte {
			h.Set("Content-Length", strconv.Itoa(len(body)-1))
			return body[:len(body)-1]
		}, errAny},
		"other":   {func(h http.Header, body []byte) []byte { h.Set("ETag", `"x"`); return body }, objects.ErrChanged},
		"version": {func(h http.Header, body []byte) []byte { h.Set("X-Amz-Version-Id", "x"); return body }, objects.ErrChanged},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			tree := b.through(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
				if !gets(r) {
					onward.ServeHTTP(w, r)
					return
				}
				rec := httptest.NewRecorder()
				onward.ServeHTTP(rec, r)
				for k, v := range rec.Header() {
					w.Header()[k] = v
				}
				send := x.do(w.Header(), rec.Body.Bytes())
				w.WriteHeader(rec.Code)
				_, _ = w.Write(send)
				if len(send) < rec.Body.Len() {
					_ = http.NewResponseController(w).Flush()
					if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
						_ = c.Close()
					}
				}
			})
			o := list[0]
			got, err := copied(t.Context(), tree, &o)
			switch {
			case x.want == nil && (err != nil || len(got) != 1 || got[0] != text):
				t.Errorf("it was read with %v, and is another: %t", err, err == nil)
			case errors.Is(x.want, errAny) && err == nil, x.want != nil && !errors.Is(x.want, errAny) && !errors.Is(err, x.want):
				t.Errorf("it was read with %v, want %v", err, x.want)
			}
		})
	}
}

var errAny = errors.New("some error")
