package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/retentiond/retentiond/connectors/objects"
)

// through opens the bucket's prefix again, through a proxy that asks f of each request
// first; f may answer it itself, or do something in between.
func (b bucketTest) through(f func(w http.ResponseWriter, r *http.Request, onward http.Handler)) *Tree {
	b.Helper()
	to, err := url.Parse(b.o.Endpoint)
	must(b.T, err)
	onward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}}
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(w, r, onward) }))
	b.Cleanup(p.Close)
	o := b.o
	o.Endpoint = p.URL
	tree, err := open(b.Context(), o)
	must(b.T, err)
	return tree
}

// removes is whether the request removes objects.
func removes(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Has("delete") || r.Method == http.MethodDelete
}

func endsOf(t *testing.T, tree *Tree, of []objects.Object) []error {
	t.Helper()
	out := make([]error, len(of))
	must(t, tree.Remove(context.WithoutCancel(t.Context()), of, func(i int, err error) { out[i] = err }))
	return out
}

// versionsAt are the identifiers of what a name has.
func (b bucketTest) versionsAt(name string) (out []string) {
	b.Helper()
	for o := range b.admin.ListObjects(b.Context(), "data", minio.ListObjectsOptions{Prefix: name, WithVersions: true}) {
		must(b.T, o.Err)
		if o.Key == name {
			out = append(out, o.VersionID)
		}
	}
	return out
}

// What a writer puts after the last look is another object: it stays, and what was
// tested went, all of it, and counts (L6, L7). Without versions the writer's content
// stays, and the object counts as changed.
func TestPutBetweenLookAndRemoval(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"versions", "versions, and no answer", "none"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			versions := how != "none"
			b := newBucketTest(t, versions, false)
			b.put("site/a", "one")
			if how == "versions" { // without an answer about an older one the newest is not asked for
				b.put("site/a", "two")
			}
			list := b.walk("*")
			was := b.versionsAt("site/a")
			var once sync.Once
			tree := b.through(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
				if removes(r) && !strings.Contains(r.URL.Path, ours) && (versions || r.Method == http.MethodDelete) {
					once.Do(func() { b.put("site/a", "three") })
					if strings.HasSuffix(how, "no answer") {
						onward.ServeHTTP(httptest.NewRecorder(), r)
						w.WriteHeader(http.StatusServiceUnavailable)
						return
					}
				}
				onward.ServeHTTP(w, r)
			})
			end := endsOf(t, tree, list)
			now := b.versionsAt("site/a")
			if len(now) != 1 || slices.Contains(was, now[0]) && versions {
				t.Fatalf("the name had %q and has %q", was, now)
			}
			if versions && end[0] != nil || !versions && !errors.Is(end[0], objects.ErrChanged) {
				t.Errorf("it ended with %v", end[0])
			}
			o, err := b.admin.GetObject(t.Context(), "data", "site/a", minio.GetObjectOptions{})
			must(t, err)
			text := make([]byte, 5)
			if n, _ := o.Read(text); string(text[:n]) != "three" {
				t.Errorf("the name has %q", text[:n])
			}
		})
	}
}

// A writer that replaces objects all the while: each object that counts as gone had
// all its tested versions removed, each that does not has the newest of them, and
// nothing that came since is touched (L6).
func TestWriterBesideRemovals(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, true, false)
	const n = 200
	name := func(i int) string { return fmt.Sprintf("site/%03d", i) }
	for i := range n {
		b.put(name(i), "one")
		b.put(name(i), "two")
	}
	list := b.walk("*")
	var put sync.Map
	var stop atomic.Bool
	var writer sync.WaitGroup
	started := make(chan struct{})
	begun := sync.OnceFunc(func() { close(started) })
	writer.Go(func() {
		for i := 0; !stop.Load(); i = (i + 7) % n {
			info, err := b.admin.PutObject(t.Context(), "data", name(i), strings.NewReader("x"), 1, minio.PutObjectOptions{})
			if err != nil {
				t.Error(err)
				begun()
				return
			}
			if put.Store(info.VersionID, name(i)); i == 70 {
				begun()
			}
		}
	})
	<-started
	how := endsOf(t, b.Tree, list)
	stop.Store(true)
	writer.Wait()
	gone, changed, again := 0, 0, 0
	for i, o := range list {
		had := versionsOf(o.ID)
		now := b.versionsAt("site/" + o.Path)
		stays := slices.ContainsFunc(had, func(v version) bool { return slices.Contains(now, v.id) })
		switch {
		case how[i] == nil && stays && len(now) > 1 && now[0] != had[0].id && slices.Contains(now, had[0].id):
			again++ // the server was copying it away, for the writer, while it was removed: it came back after the last look
		case how[i] == nil && stays:
			t.Errorf("%s counts as gone, and has %q of %v", o.Path, now, had)
		case how[i] == nil:
			gone++
		case stays && how[i] != nil && slices.Contains(now, had[0].id) && !errors.Is(how[i], objects.ErrChanged): // the service missed it beside the writer
		case errors.Is(how[i], objects.ErrChanged) && !slices.ContainsFunc(had, func(v version) bool { return !slices.Contains(now, v.id) }):
			changed++
		default:
			t.Errorf("%s ended with %v, and has %q of %v", o.Path, how[i], now, had)
		}
	}
	if gone == 0 || changed == 0 || again > n/20 {
		t.Errorf("%d are gone, %d are changed, %d came back: nothing was proven", gone, changed, again)
	}
	lost := 0
	put.Range(func(id, name any) bool {
		if !slices.Contains(b.versionsAt(name.(string)), id.(string)) {
			lost++
		}
		return true
	})
	if lost > 0 {
		t.Errorf("%d versions that the writer put are gone", lost)
	}
}

// Of an object of which something may not go the newest version stays, nothing that
// was hidden shows again, and it does not count as gone.
func TestOlderVersionStays(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, true, false)
	for _, n := range []string{"a", "b"} {
		for _, text := range []string{"one", "two", "three"} {
			b.put("site/"+n, text)
		}
	}
	must(t, b.admin.RemoveObject(t.Context(), "data", "site/b", minio.RemoveObjectOptions{}))
	list := b.walk("*")
	var asked []string
	var mu sync.Mutex
	tree := b.through(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
		if removes(r) {
			mu.Lock()
			asked = append(asked, r.Method)
			mu.Unlock()
			w.WriteHeader(http.StatusForbidden)
			return
		}
		onward.ServeHTTP(w, r)
	})
	for i, err := range endsOf(t, tree, list) {
		if err == nil {
			t.Errorf("%s counts as gone", list[i].Path)
		}
	}
	if len(asked) != 1 {
		t.Errorf("the newest versions were asked for too: %q", asked)
	}
	if hidden, err := b.admin.StatObject(t.Context(), "data", "site/b", minio.StatObjectOptions{}); err == nil {
		t.Errorf("what was deleted shows again: %v", hidden.VersionID)
	}
	for i, err := range b.ends(list) {
		if left := b.versionsAt("site/" + list[i].Path); err != nil || len(left) > 0 {
			t.Errorf("%s ended with %v and has %q", list[i].Path, err, left)
		}
	}
}

// An older version that the store keeps is found, whatever the newest one says, and an
// answer that is none is no answer.
func TestLockOnOlderVersion(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, true, true)
	until, mode := time.Now().Add(time.Hour).UTC().Truncate(time.Second), minio.Governance
	for _, n := range []string{"date", "hold", "free"} {
		info, err := b.admin.PutObject(t.Context(), "data", "site/"+n, strings.NewReader("x"), 1, minio.PutObjectOptions{})
		must(t, err)
		b.put("site/"+n, "newer")
		switch n {
		case "date":
			must(t, b.admin.PutObjectRetention(t.Context(), "data", "site/"+n, minio.PutObjectRetentionOptions{VersionID: info.VersionID, Mode: &mode, RetainUntilDate: &until}))
		case "hold":
			on := minio.LegalHoldEnabled
			must(t, b.admin.PutObjectLegalHold(t.Context(), "data", "site/"+n, minio.PutObjectLegalHoldOptions{VersionID: info.VersionID, Status: &on}))
		}
	}
	list := b.walk("*")
	got := map[string]string{}
	must(t, b.Label(t.Context(), list, false, false, func(i int, l objects.Labels) { got[list[i].Path] = l.Locked }))
	for name, want := range map[string]string{"date": until.Format(time.RFC3339), "hold": objects.ForGood, "free": ""} {
		if got[name] != want {
			t.Errorf("%s is locked until %q, want %q", name, got[name], want)
		}
	}
	denied := b.through(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
		if r.URL.Query().Has("retention") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		onward.ServeHTTP(w, r)
	})
	if err := denied.Label(t.Context(), list, false, false, func(int, objects.Labels) {}); err == nil {
		t.Error("locks that may not be seen are none")
	}
}

// Where a service answers 500, 503 or half a body nothing is told that is not so: what
// was removed counts, what stays does not (L7).
func TestAnswersThatFail(t *testing.T) {
	t.Parallel()
	faults := map[string]func(w http.ResponseWriter, r *http.Request, onward http.Handler){
		"500": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusInternalServerError)
		},
		"503 after it was done": func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
			onward.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"half a body": halfAnswer,
	}
	for name, fault := range faults {
		for _, versions := range []bool{true, false} {
			t.Run(fmt.Sprint(name, versions), func(t *testing.T) {
				t.Parallel()
				b := newBucketTest(t, versions, false)
				for i := range 5 {
					b.put(fmt.Sprintf("site/%d", i), "one")
				}
				list := b.walk("*")
				tree := b.through(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
					if removes(r) && !strings.Contains(r.URL.Path, ours) {
						fault(w, r, onward)
						return
					}
					onward.ServeHTTP(w, r)
				})
				there := b.names
				for i, err := range endsOf(t, tree, list) {
					if stays := slices.Contains(there(), "site/"+list[i].Path); stays != (err != nil) {
						t.Errorf("%s ended with %v, and is there: %t", list[i].Path, err, stays)
					}
				}
				for i, err := range b.ends(list) {
					if err != nil && !errors.Is(err, objects.ErrGone) {
						t.Errorf("%s ended with %v", list[i].Path, err)
					}
				}
				if names := there(); len(names) > 0 {
					t.Errorf("the bucket has %q", names)
				}
			})
		}
	}
}

// halfAnswer cuts the answer in the middle.
func halfAnswer(w http.ResponseWriter, r *http.Request, onward http.Handler) {
	rec := httptest.NewRecorder()
	onward.ServeHTTP(rec, r)
	w.Header().Set("Content-Length", fmt.Sprint(rec.Body.Len()+10))
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.Close()
	}
}

// Where a service compares ETags is tried, and what it was tried with is gone.
func TestWhereETagsAreCompared(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, false, false)
	blind := b.through(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
		r.Header.Del("If-Match")
		onward.ServeHTTP(w, r)
	})
	strict := b.through(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
		if r.Method == http.MethodPost {
			_, _ = w.Write([]byte("<DeleteResult><Error><Key>x</Key><Code>PreconditionFailed</Code></Error></DeleteResult>"))
			return
		}
		onward.ServeHTTP(w, r)
	})
	shut := b.through(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
		if r.Method == http.MethodPut {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		onward.ServeHTTP(w, r)
	})
	for _, x := range []struct {
		tree *Tree
		want conditions
	}{{b.Tree, inSingle}, {blind, noConditions}, {strict, inBulk}, {shut, inSingle}} {
		if got := x.tree.compares(t.Context()); got != x.want {
			t.Errorf("compared: %d, want %d", got, x.want)
		}
	}
	if names := b.names(); len(names) > 0 {
		t.Errorf("the bucket has %q", names)
	}
}

// A listing that fails is an error, never a shorter one: what is not seen would be
// counted as gone (L11).
func TestListingsThatFail(t *testing.T) {
	t.Parallel()
	faults := map[string]func(w http.ResponseWriter, r *http.Request, onward http.Handler){
		"503": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"403":         func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusForbidden) },
		"half a body": halfAnswer,
		"half an answer": func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
			rec := httptest.NewRecorder()
			onward.ServeHTTP(rec, r)
			_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
		},
	}
	for _, versions := range []bool{true, false} {
		b := newBucketTest(t, versions, false)
		for i := range 5 {
			b.put(fmt.Sprintf("site/%d", i), "one")
		}
		for name, fault := range faults {
			t.Run(fmt.Sprint(name, versions), func(t *testing.T) {
				t.Parallel()
				tree := b.through(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
					if r.Method == http.MethodGet && (r.URL.Query().Has("prefix")) {
						fault(w, r, onward)
						return
					}
					onward.ServeHTTP(w, r)
				})
				ctx, stop := context.WithTimeout(t.Context(), 10*time.Second) // the client library asks again for long
				defer stop()
				n := 0
				_, err := tree.Walk(ctx, objects.ParsePatterns([]string{"*"}), func(objects.Object, []int) error { n++; return nil })
				if err == nil {
					t.Errorf("%d objects are listed, and no error", n)
				}
				if err := tree.Look(ctx, []string{"1", "2"}, func(int, objects.Object) {}); err == nil {
					t.Error("a look that failed is none")
				}
			})
		}
	}
}

// Names whose versions go over the ends of pages are one object each, with all of
// them, in their order, whatever a page holds.
func TestPages(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, true, false)
	for _, n := range []string{"a", "b+c d", "e/é", "f"} {
		for i := range 5 {
			if b.put("site/"+n, fmt.Sprint(i)); i == 2 {
				must(t, b.admin.RemoveObject(t.Context(), "data", "site/"+n, minio.RemoveObjectOptions{}))
			}
		}
	}
	want := b.walk("**/*")
	if len(want) != 4 {
		t.Fatalf("it lists %v", want)
	}
	for size := 2; size < 8; size++ { // this service begins a page with what the last one ended with
		var got []objects.Object
		must(t, b.each(t.Context(), true, "", "", size, func(o objects.Object) error {
			got = append(got, o)
			return nil
		}))
		if !slices.Equal(got, want) || got[0].More != 5 {
			t.Errorf("by %d: %+v, want %+v", size, got, want)
		}
	}
}
