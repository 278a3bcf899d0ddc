package main

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/retentiond/retentiond/retention"
)

// archiveSite is a bucketSite whose objects go to a sealed vault in a directory.
func archiveSite(t *testing.T, versions, lock bool) (site, *shaky) {
	t.Helper()
	s, b := bucketSite(t, versions, lock)
	config, err := os.ReadFile(s.path("retentiond.yaml"))
	must(t, err)
	s.write("retentiond.yaml", string(config)+"vaults:\n  sealed: {path: ./vault, recipients: ["+crashRecipient+"]}\n")
	s.write("policies/objects.yaml", strings.Replace(s3Policy, "from: {metadata: closed}, keep: 1 year, then: delete, approve: never}",
		"from: {metadata: closed}, approve: never, stages: [{keep: 1 year, then: archive, to: sealed, why: disputes}, {keep: 50 years, then: delete}]}", 1))
	return s, b
}

// putBytes puts a version of a due object about a patient.
func (s *shaky) putBytes(t *testing.T, name, patient string, content []byte) (version string) {
	t.Helper()
	info, err := s.admin.PutObject(t.Context(), "archive", "site/"+name, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{
		DisableMultipart: true, ContentType: "text/x-log", UserMetadata: map[string]string{"Closed": "2020-01-31", "Patient": patient}, UserTags: map[string]string{"kind": "a b"},
	})
	must(t, err)
	return info.VersionID
}

// restoredObjects restores everything, older versions too, and returns what is there.
func (s site) restoredObjects(folder string, more ...string) map[string]string {
	s.Helper()
	s.do(exitOK, append([]string{"archive", "restore", "--identity", identityFile(s.T, s.dir), "--by", "Ada", "--reason", "a test", "--folder", s.path(folder), "--output", "json"}, more...)...).is("left", "0", "odd", "0")
	return s.contentsBelow(folder)
}

// Objects go to a sealed vault with every version, and come back as they were; what is
// held or young stays (L3, L9).
func TestObjectsAreArchived(t *testing.T) {
	t.Parallel()
	for _, versions := range []bool{false, true} {
		t.Run(fmt.Sprint(versions), func(t *testing.T) {
			t.Parallel()
			s, b := archiveSite(t, versions, false)
			want := map[string]string{}
			for i, n := range []int{0, 1, 1<<20 + 1, retention.MaxContent + 3} {
				name := fmt.Sprintf("logs/d%d/u%d é-x.log", i%2, i)
				old := b.putBytes(t, name, "1", []byte("older "+name))
				b.putBytes(t, name, "1", noise(n))
				want[name] = string(noise(n))
				if versions {
					want[name+"@"+old] = "older " + name
				}
			}
			gone := "logs/u5-gone.log"
			if last := b.putBytes(t, gone, "1", []byte("deleted")); versions {
				must(t, b.admin.RemoveObject(t.Context(), "archive", "site/"+gone, minio.RemoveObjectOptions{}))
				_ = last
			}
			want[gone] = "deleted"
			b.putBytes(t, "logs/u7-held.log", "7", []byte("held"))
			b.put(t, "logs/u1-young.log", time.Now().UTC().Format(time.RFC3339), "1")
			s.hold("patient:7")
			s.do(exitOK, "check")
			s.do(exitOK, "run", "--output", "json").is("steps/0/done", "5", "steps/0/spared/failed", "0")
			if there := slices.Sorted(maps.Keys(b.objects(t))); !slices.Equal(there, []string{"site/logs/u1-young.log", "site/logs/u7-held.log"}) {
				t.Errorf("the bucket still has %q", there)
			}
			s.do(exitOK, "archive", "verify")
			if got := s.restoredObjects("back", "--older"); !maps.Equal(got, want) {
				t.Errorf("%q came back, %q left, or they are others", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
			newest := s.restoredObjects("newest")
			maps.DeleteFunc(want, func(name, _ string) bool { return strings.Contains(name, "@") })
			if !maps.Equal(newest, want) {
				t.Errorf("the newest are %q", slices.Sorted(maps.Keys(newest)))
			}
			s.do(exitOK, "archive", "restore", "--identity", identityFile(t, s.dir), "--by", "Ada", "--reason", "a test", "--to", s.path("rows"), "--key", gone)
			rows, err := os.ReadFile(s.path("rows"))
			must(t, err)
			for _, text := range []string{`text/x-log`, `x-amz-meta-patient`, `a b`, `"version"`} {
				if !strings.Contains(string(rows), text) {
					t.Errorf("%s is not in %s", text, rows)
				}
			}
			s.do(exitOK, "audit", "verify")
			s.do(exitOK, "inventory")
		})
	}
}

// A run that archives objects and is killed at any moment, between the requests of one
// removal too, leaves each version in the bucket or in a segment that verifies (L7, L9).
func TestObjectsArchiveCrash(t *testing.T) {
	t.Parallel()
	const n = 12
	for _, at := range []string{"sealing:1", "copied:1", "journalled:1", "request:1", "request:2", "removing:1", "acted:1", "receipted:1", "committing:1", "committed:1", "concluded:1"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s, b := archiveSite(t, true, false)
			want := map[string]string{}
			for i := range n {
				name := fmt.Sprintf("logs/d%d/u%d-x.log", i%3, i)
				old := b.putBytes(t, name, "1", []byte("older "+name))
				b.putBytes(t, name, "1", []byte("newer "+name))
				want[name], want[name+"@"+old] = "newer "+name, "older "+name
			}
			b.dies(t, s.dir, at)
			if done, gone := audited(t, s.dir), int64(n-len(b.objects(t))); done > gone {
				t.Errorf("%d are audited, %d are gone", done, gone)
			}
			s.do(exitOK, "run")
			if there, done := b.objects(t), audited(t, s.dir); len(there) > 0 || done != n {
				t.Errorf("%d are left, and %d of %d are audited", len(there), done, n)
			}
			s.do(exitOK, "archive", "verify", "--output", "json").is("ok", "true", "findings", "[]")
			if got := s.restoredObjects("back", "--older"); !maps.Equal(got, want) {
				t.Errorf("%d contents came back, %d left, or they are others", len(got), len(want))
			}
			s.do(exitOK, "audit", "verify")
		})
	}
}

// A service that cannot give a content costs none: the object stays, the report says why,
// and the others go (L9).
func TestObjectsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for what, x := range map[string]struct {
		code   int
		answer string
		says   string
	}{
		"right": {http.StatusForbidden, "AccessDenied", "GetObjectVersion"},
		"class": {http.StatusForbidden, "InvalidObjectState", "Glacier"},
		"key":   {http.StatusBadRequest, "InvalidRequest", "SSE-C"},
		"down":  {http.StatusServiceUnavailable, "SlowDown", "SlowDown"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, b := archiveSite(t, true, false)
			b.putBytes(t, "logs/u1-bad.log", "1", []byte("older"))
			b.putBytes(t, "logs/u1-bad.log", "1", []byte("newer"))
			b.putBytes(t, "logs/u2-good.log", "1", []byte("good"))
			b.fails(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
				switch {
				case r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "u1-bad") || len(r.URL.Query()["tagging"]) > 0:
					onward.ServeHTTP(w, r)
				default:
					w.WriteHeader(x.code)
					_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", x.answer)
				}
			})
			s.anyCode("check").says("the first object of", x.says)
			s.do(exitPartial, "run", "--output", "json").is("steps/0/done", "1", "steps/0/spared/failed", "1").says(x.says)
			if there := b.objects(t); len(there) != 1 || there["site/logs/u1-bad.log"] != 2 {
				t.Errorf("the bucket has %v", there)
			}
			b.fault.Store(nil)
			s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
			if got := s.restoredObjects("back"); got["logs/u1-bad.log"] != "newer" || got["logs/u2-good.log"] != "good" {
				t.Errorf("%q came back", got)
			}
			s.do(exitOK, "archive", "verify")
		})
	}
}

// A service that answers nothing is not asked for each object: the batch ends, all stay,
// and what was sealed of it is gone with it (L9, L13).
func TestObjectsOfAServiceThatIsDown(t *testing.T) {
	t.Parallel()
	const n = 40
	s, b := archiveSite(t, true, false)
	for i := range n {
		b.putBytes(t, fmt.Sprintf("logs/u%02d-x.log", i), "1", []byte("content"))
	}
	var asked atomic.Int64
	b.fails(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".log") && !r.URL.Query().Has("tagging") && r.URL.Path > "/archive/site/logs/u05" {
			asked.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		onward.ServeHTTP(w, r)
	})
	s.anyCode("run", "--output", "json").says("does not answer")
	if there := b.objects(t); len(there) != n || asked.Load() > 3*n {
		t.Errorf("%d objects are left, %d times they were asked for", len(there), asked.Load())
	}
	var reading atomic.Int64
	second := make(chan struct{})
	b.fails(func(w http.ResponseWriter, r *http.Request, onward http.Handler) { // contents are read side by side
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".log") && !r.URL.Query().Has("tagging") {
			if reading.Add(1) == 2 {
				close(second)
			}
			select {
			case <-second:
			case <-time.After(20 * time.Second):
				t.Error("contents are read one after the other")
			}
		}
		onward.ServeHTTP(w, r)
	})
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", fmt.Sprint(n))
	if got := s.restoredObjects("back"); len(got) != n {
		t.Errorf("%d objects came back", len(got))
	}
	s.do(exitOK, "archive", "verify", "--output", "json").is("ok", "true", "findings", "[]")
}
