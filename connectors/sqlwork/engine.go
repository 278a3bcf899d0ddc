// Package sqlwork does what every SQL connector does alike: counting, paging and
// looking through one snapshot, and the batch protocol (gate, holds, schema
// guard, every test again, children, rows, receipt, commit) inside one
// transaction. What differs between databases is an [Engine]; what their SQL
// text looks like is a [sqlgen.Dialect].
package sqlwork

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Session is one session of the database.
type Session interface {
	sqlx.ExecerContext
	sqlx.QueryerContext
	GetContext(ctx context.Context, dest any, query string, args ...any) error
}

// Hold says how a transaction takes the gate, as its first statement.
type Hold int

// Ways to take the gate.
const (
	Shared    Hold = iota // batches: many at a time
	Exclusive             // a hold that passes: alone
	Loose                 // receipts and tables of our own: the gate is not taken
)

// Engine is what differs between databases. Its methods may be called by several
// goroutines; errors name the source and never hold its password.
type Engine interface {
	// Dialect is how its SQL is written.
	Dialect() *sqlgen.Dialect
	// Name is the source in errors: product and place, without secrets.
	Name() string
	// Look runs do in one read-only snapshot, held read-only by the database (L5).
	Look(ctx context.Context, do func(Session) error) error
	// Change runs do in one writing transaction whose first statement takes the
	// gate as asked, waiting at most wait (0: as long as ctx lasts), and commits.
	// On an error nothing remains, unless the commit's reply was lost. A lock that
	// others keep is [retention.ErrLocked]. Once the commit is asked for, ctx no
	// longer interrupts it. Durable on return.
	Change(ctx context.Context, hold Hold, wait time.Duration, do func(Session) error) error
	// Describe reads the live catalogue; see [retention.Inspector].
	Describe(ctx context.Context, s Session, tables []retention.TableName) (*retention.Schema, error)
	// Unchanged compares the live tables with the planned ones, in the batch's own
	// transaction; a difference is a schema_drift refusal.
	Unchanged(ctx context.Context, s Session, planned *retention.Schema) error
	// Kind sorts an error of the database.
	Kind(err error) ErrorKind
	// Explain says what a failed change of the table ran into, and the remedy.
	Explain(t *retention.Table, err error) error
	// Changed counts rows that the session ever changed, those of triggers
	// included; ok = false where the database does not tell.
	Changed(ctx context.Context, s Session) (n int64, ok bool, err error)
	// Mark is a time in the form of the mark's column, or of one of our own.
	Mark(c *retention.Column, at time.Time) any
	// Value makes what the driver returned for a key or order column one of int64,
	// float64, string, []byte, exactly.
	Value(c *retention.Column, v any) any
	// VaultSQL are the statements that make a vault table for the live table.
	VaultSQL(ctx context.Context, s Session, from *retention.Table, into retention.TableName) ([]string, error)
	// InstallSQL are the statements that make the gate and receipt tables where
	// they are missing; see [GateSQL].
	InstallSQL() []string
	// Own names one of our two tables, quoted.
	Own(name string) string
	// Installed is whether the gate table exists; a missing one is no error, and
	// does not end the transaction.
	Installed(ctx context.Context, s Session) (bool, error)
	// Alone is whether nobody else writes to the database while a batch is open:
	// then rows need no lock of their own, and a test stays true.
	Alone() bool
}

// ErrorKind is what the database said, as far as a batch cares.
type ErrorKind int

// Kinds of errors.
const (
	Other     ErrorKind = iota
	Duplicate           // a unique key has the value
	NoTable             // the table does not exist
	BadSQL              // the statement makes no sense to the database
	Busy                // a lock, a deadlock, a serialization failure: try again
)
