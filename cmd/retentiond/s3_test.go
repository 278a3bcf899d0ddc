package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

const s3Policy = `version: 1
policy: objects
title: Objects
controller: Example
timezone: Europe/Paris
source: media
limits: {share: 100%, rows: 1000000}
datasets:
  logs:
    files: "logs/**/u*.log"
    subject: {person: {name: '^u(?P<id>\d+)-'}, patient: {metadata: patient}}
rules:
  - {id: logs, title: Logs, dataset: logs, from: {metadata: closed}, keep: 1 year, then: delete, approve: never}
`

// bucketSite is a site with a bucket as its source, behind a proxy that may fail.
func bucketSite(t *testing.T, versions, lock bool) (site, *shaky) {
	t.Helper()
	b := newShaky(t, lock)
	if versions && !lock {
		must(t, b.admin.EnableVersioning(t.Context(), "archive"))
	}
	s := site{T: t, dir: t.TempDir()}
	s.write("secret", b.SecretKey+"\n")
	s.write("retentiond.yaml", fmt.Sprintf(`state: sqlite:./state.db
policies: ./policies
sources:
  media: {driver: s3, endpoint: %q, region: us-east-1, bucket: archive, prefix: site, access_key: %q, secret_key_file: ./secret, path_style: true}
audit: {origin: example.org/retention, key_file: ./audit.key}
holds: {grace: 30 days}
`, b.url, b.AccessKey))
	s.write("policies/objects.yaml", s3Policy)
	return s, b
}

func (s *shaky) put(t *testing.T, name, closed, patient string) {
	t.Helper()
	_, err := s.admin.PutObject(t.Context(), "archive", "site/"+name, strings.NewReader("x"), 1, minio.PutObjectOptions{UserMetadata: map[string]string{"Closed": closed, "Patient": patient}})
	must(t, err)
}

// count is how many versions lie below the prefix, without our own objects.
func (s *shaky) count(t *testing.T) (n int) {
	t.Helper()
	for o := range s.admin.ListObjects(t.Context(), "archive", minio.ListObjectsOptions{Prefix: "site/", Recursive: true, WithVersions: true}) {
		must(t, o.Err)
		if !strings.HasPrefix(o.Key, "site/.retentiond-") {
			n++
		}
	}
	return n
}

// Objects go by what they carry, with all versions; what is held, young, unknown or
// locked stays (L1, L3). A service that fails costs none, and what is gone is audited.
func TestObjectsAreDeleted(t *testing.T) {
	t.Parallel()
	for _, versions := range []bool{false, true} {
		t.Run(fmt.Sprint(versions), func(t *testing.T) {
			s, b := bucketSite(t, versions, false)
			for i := range 6 {
				b.put(t, fmt.Sprintf("logs/d/u%d-x.log", i), "2020-01-31", fmt.Sprint(i))
			}
			b.put(t, "logs/u7-young.log", time.Now().UTC().Format(time.RFC3339), "7")
			b.put(t, "logs/u8-odd.log", "soon", "8")
			b.put(t, "other.log", "2020-01-31", "9")
			s.hold("person:1")
			s.do(exitOK, "hold", "place", "--matter", "M2", "--subject", "patient:2", "--reason", "claim", "--by", "Ada")
			s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/due", "4", "steps/0/classes/held", "2", "steps/0/classes/active", "1", "steps/0/classes/unresolved", "1")
			b.fails(func(w http.ResponseWriter, r *http.Request, onward http.Handler) {
				if removes(r) {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				onward.ServeHTTP(w, r)
			})
			s.do(exitPartial, "run", "--output", "json").is("steps/0/done", "0", "steps/0/spared/failed", "4")
			b.fault.Store(nil)
			s.do(exitOK, "run", "--output", "json").is("steps/0/done", "4")
			if n := b.count(t); n != 5 {
				t.Errorf("%d versions are left, want 5", n)
			}
			s.do(exitOK, "audit", "verify")
			s.do(exitOK, "inventory")
		})
	}
}

// What Object Lock keeps is protected, and told with its date; nothing of it is deleted,
// and nothing archived.
func TestObjectsUnderLock(t *testing.T) {
	t.Parallel()
	for name, site := range map[string]func(*testing.T, bool, bool) (site, *shaky){"delete": bucketSite, "archive": archiveSite} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, b := site(t, true, true)
			for i := range 3 {
				b.put(t, fmt.Sprintf("logs/u%d-x.log", i), "2020-01-31", "1")
			}
			until, mode := time.Now().Add(48*time.Hour).UTC().Truncate(time.Second), minio.Governance
			must(t, b.admin.PutObjectRetention(t.Context(), "archive", "site/logs/u0-x.log", minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &until}))
			on := minio.LegalHoldEnabled
			must(t, b.admin.PutObjectLegalHold(t.Context(), "archive", "site/logs/u1-x.log", minio.PutObjectLegalHoldOptions{Status: &on}))
			s.do(exitOK, "check").says("keeps 2 objects", until.Format(time.RFC3339), "1 of them are under a legal hold")
			s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/due", "1", "steps/0/classes/protected", "2")
			s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
			if n := b.count(t); n != 2 {
				t.Errorf("%d versions are left, want 2", n)
			}
			if name == "archive" {
				if got := s.restoredObjects("back"); len(got) != 1 {
					t.Errorf("%d objects came back, want 1", len(got))
				}
			}
		})
	}
}

// With a state store that replicas share there is no gate for a bucket.
func TestObjectsNeedAGate(t *testing.T) {
	t.Parallel()
	s := site{T: t, dir: t.TempDir()}
	s.write("policies/objects.yaml", s3Policy)
	s.write("retentiond.yaml", `state: "postgres://x@127.0.0.1:1/x"
policies: ./policies
sources:
  media: {driver: s3, endpoint: "https://s3.example.org", bucket: b, access_key: k, secret_key: hidden-key}
`)
	s.do(exitUsage, "check").says("several machines could act on the bucket at once")
}

// removes is whether the request removes objects.
func removes(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Has("delete") || r.Method == http.MethodDelete
}

// A bucket that another daemon acts on is refused, to batches and to holds: a hold here
// would not stop the other (L3).
func TestObjectsOfAnotherDaemon(t *testing.T) {
	t.Parallel()
	s, b := bucketSite(t, false, false)
	b.put(t, "logs/u1-x.log", "2020-01-31", "1")
	s.do(exitOK, "check", "--install")
	_, err := b.admin.PutObject(t.Context(), "archive", "site/.retentiond-gate", strings.NewReader("another"), 7, minio.PutObjectOptions{})
	must(t, err)
	s.do(exitUsage, "check", "--output", "json").says("state_mismatch", "another daemon")
	s.anyCode("run", "--output", "json").says("state_mismatch", "another daemon")
	s.do(exitRefused, "hold", "place", "--matter", "M", "--subject", "person:1", "--reason", "claim", "--by", "Ada", "--wait", "1s")
	if n := b.count(t); n != 1 {
		t.Errorf("%d objects are left", n)
	}
	must(t, b.admin.RemoveObject(t.Context(), "archive", "site/.retentiond-gate", minio.RemoveObjectOptions{}))
	s.do(exitOK, "run")
	s.do(exitOK, "hold", "list", "--output", "json").says(`"in_force"`)
	if n := b.count(t); n != 1 {
		t.Errorf("a held object is gone")
	}
}

// Objects that rows own go after the rows, with all their versions; one of which a
// version is under lock is not begun, and goes once it is free (L4).
func TestObjectsOfRows(t *testing.T) {
	t.Parallel()
	s, b := bucketSite(t, true, true)
	config, err := os.ReadFile(s.path("retentiond.yaml"))
	must(t, err)
	s.write("retentiond.yaml", strings.Replace(string(config), "sources:\n", "sources:\n  crm: {driver: sqlite, dsn: ./crm.db}\n", 1))
	s.write("policies/objects.yaml", strings.Replace(ownedPolicy, "source: tree", "source: media", 1))
	s.exec("crm.db", "CREATE TABLE applications (id INTEGER PRIMARY KEY, person INTEGER, doc TEXT, at TEXT)",
		"INSERT INTO applications VALUES (1, 1, 'free.pdf', '2019-01-01'), (2, 2, 'kept.pdf', '2019-01-01'), (3, 3, 'young.pdf', '2999-01-01'), (4, 4, 'round/a.pdf', '2019-01-01'), (5, 5, 'round/../round//a.pdf', '2999-01-01')")
	for _, n := range []string{"free", "kept", "young", "round/a"} {
		b.put(t, "uploads/"+n+".pdf", "", "1")
	}
	on, off := minio.LegalHoldEnabled, minio.LegalHoldDisabled
	first := ""
	for o := range b.admin.ListObjects(t.Context(), "archive", minio.ListObjectsOptions{Prefix: "site/uploads/kept.pdf", WithVersions: true}) {
		must(t, o.Err)
		first = o.VersionID
	}
	must(t, b.admin.PutObjectLegalHold(t.Context(), "archive", "site/uploads/kept.pdf", minio.PutObjectLegalHoldOptions{VersionID: first, Status: &on}))
	b.put(t, "uploads/kept.pdf", "", "1")
	b.put(t, "uploads/kept.pdf", "", "1")
	s.anyCode("run")
	if n := b.count(t); n != 5 { // round/a.pdf is named by another row, in a roundabout way
		t.Errorf("%d versions are left, want 5", n)
	}
	must(t, b.admin.PutObjectLegalHold(t.Context(), "archive", "site/uploads/kept.pdf", minio.PutObjectLegalHoldOptions{VersionID: first, Status: &off}))
	s.do(exitOK, "run")
	if n := b.count(t); n != 2 {
		t.Errorf("%d versions are left, want 2", n)
	}
	if done := audited(t, s.dir); done != 5 {
		t.Errorf("%d rows and objects are audited, want 5", done)
	}
}
