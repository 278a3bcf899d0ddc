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

	"github.com/retentiond/retentiond/connectors/mysql"
	"github.com/retentiond/retentiond/connectors/postgres"
	"github.com/retentiond/retentiond/connectors/sqlite"
	"github.com/retentiond/retentiond/retention"
)

// Opener opens a source by its DSN, which may hold a password: it must never be
// in an error. A source that is not there is an error, never made.
type Opener func(ctx context.Context, dsn string) (retention.Source, error)

// Registry says which driver opens which source.
type Registry map[string]Opener

// Default is the register of this build.
func Default() Registry {
	return Registry{"sqlite": openSQLite, "postgres": openPostgres, "mysql": openMySQL, "mariadb": openMySQL}
}

// Open opens a source by its driver. A driver that is not in the register is an
// error that names those that are.
func (r Registry) Open(ctx context.Context, driver, dsn string) (retention.Source, error) {
	open, ok := r[driver]
	if !ok {
		return nil, fmt.Errorf("driver %s comes in a later version; this one has %s", driver, strings.Join(r.Drivers(), ", "))
	}
	return open(ctx, dsn)
}

// Drivers are the names in the register, sorted.
func (r Registry) Drivers() []string { return slices.Sorted(maps.Keys(r)) }

func openPostgres(ctx context.Context, dsn string) (retention.Source, error) {
	return postgres.Open(ctx, postgres.Options{DSN: dsn})
}

func openMySQL(ctx context.Context, dsn string) (retention.Source, error) {
	return mysql.Open(ctx, dsn)
}

func openSQLite(ctx context.Context, dsn string) (retention.Source, error) {
	return sqlite.Open(ctx, dsn)
}
