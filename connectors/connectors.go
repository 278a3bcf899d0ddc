// Package connectors is the register of connectors: a plain value that says
// which driver opens which source. README.md is the contract that each one
// keeps.
package connectors

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/retentiond/retentiond/connectors/files"
	"github.com/retentiond/retentiond/connectors/mysql"
	"github.com/retentiond/retentiond/connectors/postgres"
	"github.com/retentiond/retentiond/connectors/s3"
	"github.com/retentiond/retentiond/connectors/sqlite"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/buckets"
)

// Options say how a source is reached. A DSN may hold a password: it must never be
// in an error.
type Options struct {
	DSN     string
	ReadDSN string // where planning reads; empty: DSN
	// LockTimeout is how long a batch waits for a lock before it is tried again,
	// smaller; 0: the connector's default.
	LockTimeout time.Duration
	// Root is the folder of a source of files, and Gates where the gate files of such
	// sources are kept.
	Root, Gates string
	Bucket      buckets.Options // of driver s3
}

// Opener opens a source. One that is not there is an error, never made.
type Opener func(ctx context.Context, o Options) (retention.Source, error)

// Registry says which driver opens which source.
type Registry map[string]Opener

// Default is the register of this build.
func Default() Registry {
	return Registry{"sqlite": openSQLite, "postgres": openPostgres, "mysql": openMySQL, "mariadb": openMySQL, "files": openFiles, "s3": openS3}
}

// Open opens a source by its driver. A driver that is not in the register is an
// error that names those that are.
func (r Registry) Open(ctx context.Context, driver string, o Options) (retention.Source, error) {
	open, ok := r[driver]
	if !ok {
		return nil, fmt.Errorf("driver %s comes in a later version; this one has %s", driver, strings.Join(r.Drivers(), ", "))
	}
	return open(ctx, o)
}

// Drivers are the names in the register, sorted.
func (r Registry) Drivers() []string { return slices.Sorted(maps.Keys(r)) }

// Fair is whether the driver's gate serves those who wait in turn, and its sources
// take several batches at once.
func Fair(driver string) bool { return driver != "sqlite" && driver != "files" && driver != "s3" }

func openPostgres(ctx context.Context, o Options) (retention.Source, error) {
	return postgres.Open(ctx, postgres.Options{DSN: o.DSN, ReadDSN: o.ReadDSN, LockTimeout: o.LockTimeout})
}

func openMySQL(ctx context.Context, o Options) (retention.Source, error) {
	return mysql.OpenWith(ctx, o.DSN, mysql.Options{ReadDSN: o.ReadDSN, LockTimeout: o.LockTimeout})
}

func openFiles(ctx context.Context, o Options) (retention.Source, error) {
	return files.Open(ctx, o.Root, o.Gates)
}

func openS3(ctx context.Context, o Options) (retention.Source, error) {
	return s3.Open(ctx, o.Bucket, o.Gates)
}

func openSQLite(ctx context.Context, o Options) (retention.Source, error) {
	return sqlite.Open(ctx, o.DSN)
}
