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

	"github.com/retentiond/retentiond/connectors/sqlite"
	"github.com/retentiond/retentiond/retention"
)

// Settings are what a source needs to be opened.
type Settings struct {
	DSN         string        // may hold a password: never in an error
	DSNRead     string        // for planning, where the engine has replicas
	LockTimeout time.Duration // how long a statement waits for a lock, where the connector leaves it open
}

// Opener opens a source. A source that is not there is an error, never made.
type Opener func(ctx context.Context, s Settings) (retention.Source, error)

// Registry says which driver opens which source.
type Registry map[string]Opener

// Default is the register of this build.
func Default() Registry {
	return Registry{"sqlite": openSQLite}
}

// Open opens a source by its driver. A driver that is not in the register is an
// error that names those that are.
func (r Registry) Open(ctx context.Context, driver string, s Settings) (retention.Source, error) {
	open, ok := r[driver]
	if !ok {
		return nil, fmt.Errorf("driver %s comes in a later version; this one has %s", driver, strings.Join(r.Drivers(), ", "))
	}
	return open(ctx, s)
}

// Drivers are the names in the register, sorted.
func (r Registry) Drivers() []string { return slices.Sorted(maps.Keys(r)) }

func openSQLite(ctx context.Context, s Settings) (retention.Source, error) {
	return sqlite.Open(ctx, s.DSN)
}
