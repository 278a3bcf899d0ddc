package s3

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/buckets"
)

func anyGate(context.Context, retention.Gate) error { return nil }

func mismatched(err error) bool {
	r, ok := errors.AsType[*retention.Refusal](err)
	return ok && r.Code == retention.RefuseStateMismatch
}

func (b bucketTest) source(prefix, dir string) *objects.Source {
	b.Helper()
	o := b.o
	o.Prefix = prefix
	s, err := Open(b.Context(), o, dir)
	must(b.T, err)
	b.Cleanup(func() { must(b.T, s.Close()) })
	return s
}

// A gate file that was copied, or restored, with its state says what the prefix itself
// has seen since: a hold, and a run that ended (L3). Marks that were replaced are gone,
// with their versions, and none is ever listed.
func TestPrefixRemembersItsStore(t *testing.T) {
	t.Parallel()
	for _, versions := range []bool{false, true} {
		b := newBucketTest(t, versions, false)
		live, copied := t.TempDir(), t.TempDir()
		s := b.source("site", live)
		_, err := s.Install(t.Context(), "store")
		must(t, err)
		must(t, os.CopyFS(copied, os.DirFS(live)))
		_, err = s.Pass(t.Context(), "store", 1, retention.Witness{Size: 10, Root: "r/10"}, anyGate)
		must(t, err)
		must(t, s.Witness(t.Context(), "store", 12, "r+12"))
		other := b.source("site", copied)
		srv, err := other.Server(t.Context())
		must(t, err)
		if got, want := srv.Gate.Seen(), (retention.Seen{Holds: 1, Log: 12, Root: "r+12"}); got != want {
			t.Errorf("the copy's gate says %v, want %v", got, want)
		}
		if err := other.Witness(t.Context(), "store", 12, "another"); !mismatched(err) {
			t.Errorf("the copy ends a run with another log: %v", err)
		}
		if list := b.walk("**/*", "*"); len(list) != 0 {
			t.Errorf("it lists %v", list)
		}
		if got := strings.Join(b.names(), " "); got != "site/.retentiond-gate site/.retentiond-seen-store.1.12.r-12" {
			t.Errorf("the bucket has %s", got)
		}
		must(t, other.Adopt(t.Context(), "store", 0, 5, "r5"))
		if srv, err := s.Server(t.Context()); srv.Gate.LogSize != 5 || srv.Gate.LogRoot != "r5" || err != nil {
			t.Errorf("after an adoption the other says %+v, %v", srv.Gate, err)
		}
	}
}

// Two copies that write at once leave two marks: neither overwrites the other's, and
// whoever looks last is told (L3).
func TestMarksOfTwoCopies(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, false, false)
	was, one, two := retention.Seen{Holds: 1, Log: 10, Root: "a"}, retention.Seen{Holds: 2, Log: 20, Root: "b"}, retention.Seen{Holds: 1, Log: 25, Root: "c"}
	for _, s := range []retention.Seen{was, one} {
		must(t, b.Saw(t.Context(), "store", was, s, false))
	}
	if err := b.Saw(t.Context(), "store", was, two, false); !mismatched(err) {
		t.Errorf("the second copy wrote its mark: %v", err)
	}
	if got, err := b.Seen(t.Context(), "store"); got != (retention.Seen{Holds: 2, Log: 25, Root: "c"}) || err != nil {
		t.Errorf("the prefix has seen %v, %v", got, err)
	}
	must(t, b.Saw(t.Context(), "store", was, one, true))
	if got, err := b.Seen(t.Context(), "store"); got != one || err != nil {
		t.Errorf("after an adoption the prefix has seen %v, %v", got, err)
	}
}

// Who acts by another gate around a prefix, or between it and what patterns match, is
// found, however the listing begins (L3).
func TestNestedPrefixes(t *testing.T) {
	t.Parallel()
	b := newBucketTest(t, false, false)
	b.put("site/x/sub/1.mp4", "x")
	inner := b.source("site/x", t.TempDir())
	_, err := inner.Install(t.Context(), "inner")
	must(t, err)
	for _, pattern := range []string{"x/sub/*.mp4", "x/**", "**/*.mp4"} {
		_, err := b.Walk(t.Context(), objects.ParsePatterns([]string{pattern}), func(objects.Object, []int) error { return nil })
		if !mismatched(err) {
			t.Errorf("%s: the listing below another gate: %v", pattern, err)
		}
	}
	if err := b.Look(t.Context(), []string{"x/sub/1.mp4", "x/sub/2.mp4"}, func(int, objects.Object) {}); !mismatched(err) {
		t.Errorf("objects below another gate are looked at: %v", err)
	}
	dir := t.TempDir()
	outer := b.source("site", dir)
	_, err = outer.Install(t.Context(), "outer")
	must(t, err)
	tree, err := open(t.Context(), with(b.o, "site/x"))
	must(t, err)
	for store, refused := range map[string]bool{"inner": true, "outer": false} {
		if err := tree.Around(t.Context(), store); mismatched(err) != refused || !refused && err != nil {
			t.Errorf("within the prefix of store outer, store %s: %v", store, err)
		}
	}
	if _, err := b.source("site/y/z", t.TempDir()).Install(t.Context(), "third"); !mismatched(err) {
		t.Errorf("a third store is installed within: %v", err)
	}
	for _, n := range b.names() {
		if strings.HasPrefix(n, "site/y/") {
			t.Errorf("a refused install left %s", n)
		}
	}
	must(t, b.admin.RemoveObject(t.Context(), "data", "site/x/.retentiond-gate", minio.RemoveObjectOptions{}))
	if list := b.walk("x/sub/*.mp4"); len(list) != 1 {
		t.Errorf("once nobody else acts there it lists %v", list)
	}
}

func with(o buckets.Options, prefix string) buckets.Options {
	o.Prefix = prefix
	return o
}
