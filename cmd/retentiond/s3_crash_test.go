package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/minio/minio-go/v7"
)

// manyObjects puts n due objects of 50 persons, each of that many versions; those of
// person 3 are held.
func (s *shaky) manyObjects(t *testing.T, n, versions int) {
	t.Helper()
	var all sync.WaitGroup
	for lane := range 8 {
		all.Go(func() {
			for i := lane; i < n; i += 8 {
				for range versions {
					_, err := s.admin.PutObject(t.Context(), "archive", fmt.Sprintf("site/logs/%d/u%d-%04d.log", i%7, i%50, i), strings.NewReader("x"), 1,
						minio.PutObjectOptions{DisableMultipart: true, UserMetadata: map[string]string{"Closed": "2020-01-31", "Patient": fmt.Sprint(i)}})
					if err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// objects are the names that are left below the prefix, with how many versions.
func (s *shaky) objects(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for o := range s.admin.ListObjects(t.Context(), "archive", minio.ListObjectsOptions{Prefix: "site/logs/", Recursive: true, WithVersions: true}) {
		must(t, o.Err)
		out[o.Key]++
	}
	return out
}

// heldObjects fails where an object of the person is not whole.
func heldObjects(t *testing.T, there map[string]int, person string, want, versions int) {
	t.Helper()
	n := 0
	for name, v := range there {
		if strings.Contains(name, "/u"+person+"-") && v == versions {
			n++
		}
	}
	if n != want {
		t.Errorf("%d of %d held objects are whole", n, want)
	}
}

// dies runs the command until it is killed: at a point, or when the nth request to
// remove something arrives, which is not done.
func (s *shaky) dies(t *testing.T, dir, at string) {
	t.Helper()
	cmd, out := retentiondProcess(t, dir, "run")
	if nth, ok := strings.CutPrefix(at, "request:"); ok {
		var n atomic.Int64
		s.fails(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
			if removes(r) && fmt.Sprint(n.Add(1)) == nth {
				_ = cmd.Process.Kill()
				return
			}
			onward.ServeHTTP(w, r)
		})
		defer s.fault.Store(nil)
	} else {
		cmd.Env = append(cmd.Env, envCrashAt+"="+at)
	}
	if err := cmd.Run(); !killed(err) {
		t.Fatalf("it did not die: %v: %s", err, out)
	}
}

// A run on objects that is killed at any moment, between the requests of one removal
// too, is settled exactly: an object counts once, when it is gone with all its
// versions (L7).
func TestObjectsCrash(t *testing.T) {
	t.Parallel()
	const n, versions = 60, 2
	const held = 2 // of person 3
	for _, at := range []string{"intended:1", "admitted:1", "tested:1", "journalled:1", "request:1", "request:2", "removing:1", "acted:1", "receipted:1", "committing:1", "committed:1", "concluded:1"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s, b := bucketSite(t, true, false)
			b.manyObjects(t, n, versions)
			s.hold("person:3")
			b.dies(t, s.dir, at)
			there := b.objects(t)
			heldObjects(t, there, "3", held, versions)
			if done, gone := audited(t, s.dir), int64(n-len(there)); done > gone {
				t.Errorf("%d are audited, %d are gone", done, gone)
			}
			s.do(exitOK, "run")
			there = b.objects(t)
			heldObjects(t, there, "3", held, versions)
			if done := audited(t, s.dir); len(there) != held || done != n-held {
				t.Errorf("%d are left, and %d of %d are audited", len(there), done, n-held)
			}
			s.do(exitOK, "audit", "verify")
			s.do(exitOK, "inventory")
		})
	}
}

// While a run is stopped between its last look and the removal no hold comes into
// force; a run that is stopped before sees it. What is held from then on stays (L3).
func TestObjectsHoldRace(t *testing.T) {
	t.Parallel()
	const n = 40
	for _, at := range []string{"intended:1", "tested:1", "journalled:1", "request:1"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s, b := bucketSite(t, true, false)
			b.manyObjects(t, n, 2)
			cmd, _ := retentiondProcess(t, s.dir, "run")
			stopped := make(chan struct{})
			if at == "request:1" {
				once := sync.OnceFunc(func() {
					_ = cmd.Process.Signal(syscall.SIGSTOP)
					close(stopped)
				})
				b.fails(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
					if removes(r) {
						once()
					}
					onward.ServeHTTP(w, r)
				})
				must(t, cmd.Start())
				<-stopped
			} else {
				cmd = s.stopsAt(at)
			}
			place := func(want int) {
				s.do(want, "hold", "place", "--matter", "N", "--subject", "person:4", "--reason", "claim", "--by", "Ada", "--wait", "1s", "--output", "json")
			}
			before := at == "intended:1"
			if before {
				place(exitOK)
			} else {
				place(exitRefused)
			}
			must(t, cmd.Process.Signal(syscall.SIGCONT))
			_ = cmd.Wait() // it may have been overtaken
			if before {
				heldObjects(t, b.objects(t), "4", 1, 2)
			}
			s.do(exitOK, "run")
			s.do(exitOK, "hold", "list", "--output", "json").says(`"in_force"`)
			if there := b.objects(t); !before && len(there) > 0 || before && len(there) != 1 {
				t.Errorf("%d objects are left", len(there))
			}
			if gone := n - int64(len(b.objects(t))); audited(t, s.dir) != gone {
				t.Errorf("%d are audited, %d are gone", audited(t, s.dir), gone)
			}
		})
	}
}

// Objects go a thousand at once, and as many are audited as are gone, also where the
// service answers some requests with an error, after it did them or before (L7).
func TestObjectsInBulk(t *testing.T) {
	t.Parallel()
	s, b := bucketSite(t, true, false)
	const n, held = 2500, 50
	b.manyObjects(t, n, 1)
	s.hold("person:3")
	var requests, keys, most atomic.Int64
	b.fails(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
		if !removes(r) {
			onward.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		of := int64(bytes.Count(body, []byte("<Key>")))
		keys.Add(of)
		if of > most.Load() {
			most.Store(of)
		}
		switch requests.Add(1) {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			onward.ServeHTTP(discard{}, r)
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			onward.ServeHTTP(w, r)
		}
	})
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", fmt.Sprint(n-held), "steps/0/spared/failed", "0")
	if most.Load() > 1000 || keys.Load() > n-held+2000 {
		t.Errorf("%d names in %d requests, at most %d in one", keys.Load(), requests.Load(), most.Load())
	}
	there := b.objects(t)
	heldObjects(t, there, "3", held, 1)
	if done := audited(t, s.dir); len(there) != held || done != n-held {
		t.Errorf("%d are left, and %d are audited", len(there), done)
	}
}

// discard is an answer that nobody reads.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

// Whom an object is about is one person however its metadata or tag is written; where
// its versions name different ones nobody knows, and it stays (L1, L3).
func TestObjectsOfPersonsSpelt(t *testing.T) {
	t.Parallel()
	s, b := bucketSite(t, true, false)
	s.write("policies/objects.yaml", strings.NewReplacer(`{person: {name: '^u(?P<id>\d+)-'}, patient: {metadata: patient}}`, `{patient: {metadata: X-Amz-Meta-Patient}, owner: {tag: Owner}}`, "u*.log", "*").Replace(s3Policy))
	put := func(name, patient, owner string) {
		t.Helper()
		o := minio.PutObjectOptions{UserMetadata: map[string]string{"cLoSeD": " 2020-01-31 ", "PATIENT": patient}}
		if owner != "" {
			o.UserTags = map[string]string{"Owner": owner}
		}
		_, err := b.admin.PutObject(t.Context(), "archive", "site/logs/"+name, strings.NewReader("x"), 1, o)
		must(t, err)
	}
	put("case", "ab-7", "")
	put("space", " AB-7 ", "")
	put("zeros", "007", "")
	put("tag", "", "ADA ")
	put("both", "AB-7", "")
	put("both", "CD-8", "")
	put("due", "CD-8", "Bob")
	for _, who := range []string{"patient:AB-7", "patient:7", "owner:ada"} {
		s.hold(who)
	}
	s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/held", "4", "steps/0/classes/unresolved", "1", "steps/0/classes/due", "1")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
	if there := b.objects(t); len(there) != 5 || there["site/logs/both"] != 2 || there["site/logs/due"] > 0 {
		t.Errorf("the bucket has %v", there)
	}
	s.do(exitOK, "check").says("their versions differ")
}

// A bucket that is not bound to the gate settles nothing: nobody counts as removed what
// another bucket, in the place of the one that a killed batch was at, never had (L7).
func TestObjectsInAnotherBucket(t *testing.T) {
	t.Parallel()
	s, b := bucketSite(t, true, false)
	b.manyObjects(t, 8, 1)
	b.dies(t, s.dir, "journalled:1")
	for o := range b.admin.ListObjects(t.Context(), "archive", minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
		must(t, o.Err)
		must(t, b.admin.RemoveObject(t.Context(), "archive", o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID}))
	}
	s.anyCode("run").says(".retentiond-gate")
	if done := audited(t, s.dir); done > 0 {
		t.Errorf("%d are audited", done)
	}
}
