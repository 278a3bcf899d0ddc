package bench

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

const bucketConfig = `state: sqlite:./state.db
policies: ./policies
sources: {events: {driver: s3, endpoint: "http://%s", region: us-east-1, bucket: %s, access_key: %q, secret_key: %q, path_style: true, throttle: {rate: unlimited}}}
audit: {origin: bench.example/retention, key_file: ./audit.key}
`

const policyObjects = policyHead + `datasets:
  logs: {files: "logs/**/*.log", subject: {customer: {name: '^u(?P<id>\d+)-'}}}
rules:
  - {id: logs, title: Logs, dataset: logs, from: {name: '(?P<date>\d{8})\.log'}, approve: never, keep: 365 days, then: delete}
`

// buckets is an S3 service with a bucket for each way.
type buckets struct {
	*servers.S3Server
	c        *minio.Client
	versions bool
	n        int
}

// BenchmarkS3 is retentiond beside a program that lists and removes in bulk, on a
// bucket that keeps versions, which are removed by their identifiers, and on one that
// keeps none, where this service compares ETags only in requests of one name.
func BenchmarkS3(b *testing.B) {
	rows := rowsOr(b, 100_000)
	for _, versions := range []bool{true, false} {
		name := map[bool]string{true: "Versions", false: "NoVersions"}[versions]
		b.Run(name, func(b *testing.B) {
			x := &buckets{S3Server: servers.S3(b), versions: versions}
			var err error
			x.c, err = minio.New(x.Addr, &minio.Options{Creds: credentials.NewStaticV4(x.AccessKey, x.SecretKey, ""), BucketLookup: minio.BucketLookupPath})
			if err != nil {
				b.Fatal(err)
			}
			contest{title: fmt.Sprintf("S3, %d objects, %s: delete", rows, name), fresh: func(b *testing.B) *place { return x.fresh(b, rows) }, ways: []way{
				{name: "retentiond", do: x.ours},
				{name: "list, remove 1,000 at once", do: x.bulk},
			}}.run(b)
		})
	}
}

// fresh is a new bucket with objects that are all due.
func (x *buckets) fresh(b *testing.B, rows int) *place {
	b.Helper()
	x.n++
	p := &place{driver: "s3", name: fmt.Sprintf("bench%d", x.n), drop: func(*testing.B) {}, logged: func(*testing.B) int64 { return 0 }}
	err := x.c.MakeBucket(b.Context(), p.name, minio.MakeBucketOptions{})
	if err == nil {
		err = x.Shell(fmt.Sprintf(`cd %s && mkdir logs && cd logs && seq -f %%03g 0 299 | xargs mkdir && seq 0 %d | awk '{printf "%%03d/u%%d-%%07d-20200101.log\n", $1 %% 300, $1 %% %d, $1}' | xargs touch`, p.name, rows-1, customers))
	}
	if err == nil && x.versions {
		err = x.c.EnableVersioning(b.Context(), p.name)
	}
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (x *buckets) ours(b *testing.B, p *place) effort {
	b.Helper()
	dir := b.TempDir()
	file := filepath.Join(dir, "retentiond.yaml")
	write(b, file, fmt.Sprintf(bucketConfig, x.Addr, p.name, x.AccessKey, x.SecretKey))
	write(b, filepath.Join(dir, "policies", "bench.yaml"), policyObjects)
	command(b, "--config", file, "check", "--install")
	e := ran(b, file)
	e.took = e.whole // the other way lists too
	return e
}

// bulk is what a script does: it lists, and removes what it listed.
func (x *buckets) bulk(b *testing.B, p *place) (e effort) {
	b.Helper()
	began := time.Now()
	list := make(chan minio.ObjectInfo)
	go func() {
		defer close(list)
		seen := ""
		for o := range x.c.ListObjects(b.Context(), p.name, minio.ListObjectsOptions{Prefix: "logs/", Recursive: true, WithVersions: x.versions}) {
			if o.Err != nil {
				b.Error(o.Err)
				return
			}
			if id := o.Key + o.VersionID; id != seen { // the service ends a page with what it begins the next with
				list <- o
				e.rows++
				seen = id
			}
		}
	}()
	for r := range x.c.RemoveObjects(b.Context(), p.name, list, minio.RemoveObjectsOptions{}) {
		b.Error(r.Err)
	}
	e.took = time.Since(began)
	return e
}
