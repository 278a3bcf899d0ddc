package s3

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/buckets"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bucketTest is a bucket of a real service.
type bucketTest struct {
	*testing.T
	*Tree
	admin *minio.Client
}

func newBucketTest(t *testing.T, versions, lock bool) bucketTest {
	t.Helper()
	s := servers.S3(t)
	admin, err := minio.New(s.Addr, &minio.Options{Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""), BucketLookup: minio.BucketLookupPath})
	must(t, err)
	must(t, admin.MakeBucket(t.Context(), "data", minio.MakeBucketOptions{ObjectLocking: lock}))
	if versions && !lock {
		must(t, admin.EnableVersioning(t.Context(), "data"))
	}
	tree, err := open(t.Context(), buckets.Options{Endpoint: "http://" + s.Addr, Region: "us-east-1", Bucket: "data", Prefix: "site", AccessKey: s.AccessKey, SecretKey: s.SecretKey, PathStyle: true})
	must(t, err)
	return bucketTest{t, tree, admin}
}

func (b bucketTest) put(name, content string) {
	b.Helper()
	_, err := b.admin.PutObject(b.Context(), "data", name, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{UserMetadata: map[string]string{"Patient-Id": "7"}, UserTags: map[string]string{"closed": "2020-01-31"}})
	must(b.T, err)
}

func (b bucketTest) walk(patterns ...string) (list []objects.Object) {
	b.Helper()
	_, err := b.Walk(b.Context(), objects.ParsePatterns(patterns), func(o objects.Object, _ []int) error {
		list = append(list, o)
		return nil
	})
	must(b.T, err)
	return list
}

func (b bucketTest) names() (out []string) {
	b.Helper()
	for o := range b.admin.ListObjects(b.Context(), "data", minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
		must(b.T, o.Err)
		out = append(out, o.Key)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (b bucketTest) ends(of []objects.Object) []error {
	b.Helper()
	out := make([]error, len(of))
	must(b.T, b.Remove(context.WithoutCancel(b.Context()), of, func(i int, err error) { out[i] = err }))
	return out
}

// An object is all its versions: it is listed once, and gone with all of them. One
// that changed in between stays as it is.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, versions := range []bool{false, true} {
		t.Run(fmt.Sprint(versions), func(t *testing.T) {
			b := newBucketTest(t, versions, false)
			for _, n := range []string{"site/a/1.txt", "site/a/2.txt", "site/a/3.txt", "site/a/é &<\"+%.txt", "site/b/c/4.txt", "site/5.txt", "other/a/1.txt", "site2/a/1.txt"} {
				b.put(n, "one")
				b.put(n, "two "+n)
			}
			must(t, b.admin.RemoveObject(t.Context(), "data", "site/a/2.txt", minio.RemoveObjectOptions{}))
			b.put("site/a/6.txt", "x")
			list := b.walk("**/*.txt", "none/*")
			paths := []string{}
			for _, o := range list {
				if paths = append(paths, o.Path); versions && (o.More != 1 && o.Path != "a/6.txt" && o.Path != "a/2.txt" || o.Path == "a/2.txt" && o.More != 2) {
					t.Errorf("%s has %d more versions: %q", o.Path, o.More, o.ID)
				}
			}
			want := []string{"5.txt", "a/1.txt", "a/2.txt", "a/3.txt", "a/6.txt", "a/é &<\"+%.txt", "b/c/4.txt"}
			if !versions {
				want = slices.Delete(want, 2, 3)
			}
			if !slices.Equal(paths, want) {
				t.Fatalf("it lists %q, want %q", paths, want)
			}
			looked := make([]objects.Object, len(paths))
			must(t, b.Look(t.Context(), paths, func(i int, o objects.Object) { looked[i] = o }))
			for i := range list {
				if !looked[i].Same(list[i]) {
					t.Errorf("%s looks otherwise: %+v, %+v", paths[i], looked[i], list[i])
				}
			}
			if one := b.walk("b/**/*.txt"); len(one) != 1 {
				t.Errorf("it lists %v", one)
			}
			time.Sleep(1100 * time.Millisecond) // times may be of whole seconds
			b.put("site/a/3.txt", "two site/a/3.txt")
			must(t, b.admin.RemoveObject(t.Context(), "data", "site/a/6.txt", minio.RemoveObjectOptions{}))
			for i, err := range b.ends(list) {
				var want error
				if paths[i] == "a/3.txt" || versions && paths[i] == "a/6.txt" {
					want = objects.ErrChanged
				} else if paths[i] == "a/6.txt" {
					want = objects.ErrGone
				}
				if !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", paths[i], err, want)
				}
			}
			stay := []string{"other/a/1.txt", "site/a/3.txt", "site2/a/1.txt"}
			if versions {
				stay = slices.Insert(stay, 2, "site/a/6.txt")
			}
			if got := b.names(); !slices.Equal(got, stay) {
				t.Errorf("the bucket has %q, want %q", got, stay)
			}
		})
	}
}

// Metadata, tags and locks are told; what is locked is not removed, and no lock is
// bypassed.
func TestLabelsAndLocks(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, true, true)
	for _, n := range []string{"a", "b", "c"} {
		b.put("site/"+n, "x")
	}
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	mode := minio.Governance
	must(t, b.admin.PutObjectRetention(t.Context(), "data", "site/a", minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &until}))
	on := minio.LegalHoldEnabled
	must(t, b.admin.PutObjectLegalHold(t.Context(), "data", "site/b", minio.PutObjectLegalHoldOptions{Status: &on}))
	list := b.walk("*")
	var got []objects.Labels
	must(t, b.Label(t.Context(), list, true, true, func(_ int, l objects.Labels) { got = append(got, l) }))
	want := []string{until.Format(time.RFC3339), objects.ForGood, ""}
	for i, l := range got {
		if l.Locked != want[i] || l.Metadata["patient-id"] != "7" || l.Tags["closed"] != "2020-01-31" {
			t.Errorf("%s: %+v, want %q", list[i].Path, l, want[i])
		}
	}
	if len(got) != 3 {
		t.Fatalf("%d of 3 have labels", len(got))
	}
	how := b.ends(list)
	if how[0] == nil || how[1] == nil || how[2] != nil {
		t.Errorf("removals ended with %v", how)
	}
	if names := b.names(); !slices.Equal(names, []string{"site/a", "site/b"}) {
		t.Errorf("the bucket has %q", names)
	}
	off := minio.LegalHoldDisabled
	must(t, b.admin.PutObjectLegalHold(t.Context(), "data", "site/b", minio.PutObjectLegalHoldOptions{Status: &off}))
}

// A prefix is bound to the first gate; what is bound within it is not listed.
func TestClaim(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, false, false)
	for _, want := range []string{"", "one", "one"} {
		if got, err := b.Bound(t.Context()); got != want || err != nil {
			t.Errorf("it is bound to %q, want %q (%v)", got, want, err)
		}
		gate := "one"
		if want != "" {
			gate = "two"
		}
		must(t, b.Claim(t.Context(), gate))
	}
	if list := b.walk("**/*", "*"); len(list) != 0 {
		t.Errorf("it lists %v", list)
	}
	b.put("site/a/.retentiond-gate", "three")
	_, err := b.Walk(t.Context(), objects.ParsePatterns([]string{"**/*"}), func(objects.Object, []int) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "another gate") {
		t.Errorf("it lists what another gate has: %v", err)
	}
}

// An install binds the prefix: one with another gate is refused from then on, tells
// whose the prefix is, and so does a hold that passes. While a batch is open nobody but
// who settles binds it anew (L3, L7).
func TestInstallBinds(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, false, false)
	dirs := []string{t.TempDir(), t.TempDir()}
	var two []*objects.Source
	for _, dir := range dirs {
		s, err := Open(t.Context(), b.o, dir)
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		two = append(two, s)
	}
	g, err := two[0].Install(t.Context(), "store")
	must(t, err)
	if got, err := b.Bound(t.Context()); got != g.SourceUUID || err != nil {
		t.Errorf("it is bound to %q, want %q (%v)", got, g.SourceUUID, err)
	}
	pass := func(s *objects.Source) error {
		_, err := s.Pass(t.Context(), "store", 1, retention.Witness{}, func(context.Context, retention.Gate) error { return nil })
		return err
	}
	must(t, pass(two[0]))
	_, err = two[1].Install(t.Context(), "store")
	for what, err := range map[string]error{"install": err, "pass": pass(two[1])} {
		if r, ok := errors.AsType[*retention.Refusal](err); !ok || r.Code != retention.RefuseStateMismatch {
			t.Errorf("%s with another gate: %v", what, err)
		}
	}
	if srv, err := two[1].Server(t.Context()); srv.Bound != g.SourceUUID || srv.Identity == g.SourceUUID || err != nil {
		t.Errorf("the other says %+v, %v", srv, err)
	}
	must(t, b.admin.RemoveObject(t.Context(), "data", "site/.retentiond-gate", minio.RemoveObjectOptions{}))
	open := filepath.Join(dirs[0], "bucket-"+b.key(), "journal")
	must(t, os.MkdirAll(open, 0o700))
	must(t, os.WriteFile(filepath.Join(open, "x"), nil, 0o600))
	if err := pass(two[0]); err == nil || !strings.Contains(err.Error(), "is not settled") {
		t.Errorf("a hold bound the place anew under an open batch: %v", err)
	}
	must(t, os.Remove(filepath.Join(open, "x")))
	must(t, pass(two[0]))
	if got, err := b.Bound(t.Context()); got != g.SourceUUID || err != nil {
		t.Errorf("it is bound to %q again, want %q (%v)", got, g.SourceUUID, err)
	}
}
