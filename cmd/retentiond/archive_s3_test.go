package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention/vault"
)

// shaky is an S3 service behind a proxy that answers some requests otherwise.
type shaky struct {
	*servers.S3Server
	url   string
	admin *minio.Client
	fault atomic.Pointer[func(w http.ResponseWriter, r *http.Request, onward http.Handler)]
}

func newShaky(t *testing.T, lock bool) *shaky {
	t.Helper()
	s := &shaky{S3Server: servers.S3(t)}
	onward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: s.Addr})
		r.Out.Host = r.In.Host // it is signed
	}}
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := s.fault.Load(); f != nil {
			(*f)(w, r, onward)
			return
		}
		onward.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	s.url = p.URL
	var err error
	s.admin, err = minio.New(s.Addr, &minio.Options{Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""), BucketLookup: minio.BucketLookupPath})
	if err == nil {
		err = s.admin.MakeBucket(t.Context(), "archive", minio.MakeBucketOptions{ObjectLocking: lock})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shaky) fails(f func(w http.ResponseWriter, r *http.Request, onward http.Handler)) {
	s.fault.Store(&f)
}

// world is the sealed world with its vault in the bucket.
func (s *shaky) world(t *testing.T) *template {
	t.Helper()
	w := worldNamed("sealed")
	w.sealed, w.hold = false, nil // its segments are not in a directory
	w.always = nil
	tp := &template{crashWorld: w, dir: t.TempDir()}
	place := fmt.Sprintf("{s3: {endpoint: %q, region: us-east-1, bucket: archive, prefix: crm, access_key: %q, secret_key_file: ./secret, path_style: true}, recipients: [%s]}", s.url, s.AccessKey, crashRecipient)
	config := strings.Replace(crashConfig, "{path: ./vault, recipients: ["+crashRecipient+"]}", place, 1)
	writeFile(t, filepath.Join(tp.dir, "retentiond.yaml"), config)
	writeFile(t, filepath.Join(tp.dir, "secret"), s.SecretKey)
	writeFile(t, filepath.Join(tp.dir, "policy.yaml"), crashPolicy+w.rule)
	w.on.create(t, tp.dir)
	w.on.run(t, tp.dir, w.on.ddl(crashSchema), w.seed)
	return tp
}

// tries runs a command that may fail, and returns its exit code.
func (tp *template) tries(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"--config", filepath.Join(tp.dir, "retentiond.yaml"), "--output", "json"}, args...)
	code := run(context.Background(), args, streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	return code, out.String() + errs.String()
}

// TestArchiveInBucket: a service that answers 500, 503 or half a body, or that loses
// its reply, costs no row: what left its table is in a segment that verifies.
func TestArchiveInBucket(t *testing.T) {
	s := newShaky(t, false)
	tp := s.world(t)
	status := func(code int, when func(*http.Request) bool) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
			if when(r) {
				w.WriteHeader(code)
				return
			}
			onward.ServeHTTP(w, r)
		}
	}
	manifestPut := func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".manifest")
	}
	faults := []struct {
		name string
		f    func(http.ResponseWriter, *http.Request, http.Handler)
	}{
		{"500", status(500, manifestPut)},
		{"503", status(503, func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ".age") })},
		{"half a body", halfBodies},
		{"another body", func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
			if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".age") {
				_, _ = io.WriteString(w, "not what was put")
				return
			}
			onward.ServeHTTP(w, r)
		}},
	}
	for _, x := range faults {
		s.fails(x.f)
		code, out := tp.tries(t, tp.dated("run")...)
		s.fault.Store(nil)
		if gone := tp.number(t, tp.dir, "SELECT 1900 - count(*) FROM prospects"); code == exitOK || gone != 0 {
			t.Fatalf("%s: exit code %d, %d rows are gone: %s", x.name, code, gone, out)
		}
	}
	if code, out := tp.tries(t, tp.dated("run")...); code != exitOK {
		t.Fatalf("exit code %d: %s", code, out)
	}
	if left := tp.number(t, tp.dir, "SELECT count(*) FROM prospects WHERE id <= 100000"); left != 0 {
		t.Fatalf("%d rows stayed", left)
	}
	if code, out := tp.tries(t, "archive", "verify"); code != exitOK || !strings.Contains(out, `"findings": []`) {
		t.Fatalf("exit code %d: %s", code, out)
	}
	file := filepath.Join(tp.dir, "out.jsonl")
	if code, out := tp.tries(t, "archive", "restore", "--identity", identityFile(t, tp.dir), "--by", "Ada", "--reason", "a test", "--to", file); code != exitOK || !strings.Contains(out, `"prospects": 1600`) {
		t.Fatalf("exit code %d: %s", code, out)
	}
	tp.commandIn(t, tp.dir, exitOK, "archive", "expire", "--rule", "prospects")
	for o := range s.admin.ListObjects(t.Context(), "archive", minio.ListObjectsOptions{Recursive: true}) {
		if !strings.HasPrefix(o.Key, "crm/.retentiond-") {
			t.Errorf("after the end of the archive the bucket has %s (%v)", o.Key, o.Err)
		}
	}
}

// halfBodies cuts the answers to reads of rows in the middle.
func halfBodies(w http.ResponseWriter, r *http.Request, onward http.Handler) {
	if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, ".age") {
		onward.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	onward.ServeHTTP(rec, r)
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", fmt.Sprint(rec.Body.Len()))
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.Close()
	}
}

// TestArchiveUnderObjectLock: where the bucket locks objects, a segment is kept until
// its end, and what comes after it is found out.
func TestArchiveUnderObjectLock(t *testing.T) {
	s := newShaky(t, true)
	tp := s.world(t)
	tp.rule = strings.Replace(tp.rule, "keep: 5 years", "keep: 50 years", 1)
	writeFile(t, filepath.Join(tp.dir, "policy.yaml"), crashPolicy+tp.rule)
	if code, out := tp.tries(t, tp.dated("run")...); code != exitOK {
		t.Fatalf("exit code %d: %s", code, out)
	}
	n := 0
	for o := range s.admin.ListObjects(t.Context(), "archive", minio.ListObjectsOptions{Prefix: "crm/", Recursive: true}) {
		if strings.HasPrefix(o.Key, "crm/.retentiond-") {
			continue
		}
		x, err := s.admin.StatObject(t.Context(), "archive", o.Key, minio.StatObjectOptions{})
		if mode, until := x.Metadata.Get("X-Amz-Object-Lock-Mode"), x.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"); err != nil || mode != "GOVERNANCE" || !strings.HasPrefix(until, "2060-01-0") {
			t.Fatalf("%s: %s until %s, %v", o.Key, mode, until, err)
		}
		n++
		if err := s.admin.RemoveObject(t.Context(), "archive", o.Key, minio.RemoveObjectOptions{}); err != nil { // a delete marker hides it
			t.Fatal(err)
		}
	}
	if n == 0 {
		t.Fatal("no object is in the bucket")
	}
	code, out := tp.tries(t, "archive", "verify")
	if code != exitVerify || !strings.Contains(out, string(vault.Missing)) {
		t.Fatalf("exit code %d: %s", code, out)
	}
}
