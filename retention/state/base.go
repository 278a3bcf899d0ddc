package state

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// base is what SQLite and PostgreSQL do differently. Everything else is the same
// code, the same statements and the same tests.
type base interface {
	// within runs do in one transaction, at one instant of the store's clock. One
	// that writes has no other writer beside it from its beginning to its end, sees
	// what all before it committed, and is durable on return without error; one that
	// reads sees one snapshot and waits for no writer. do may run again, where
	// nothing of its first time remains.
	within(ctx context.Context, write bool, do func(*sqlx.Tx, time.Time) error) error
	// now is the store's clock.
	now(ctx context.Context) (time.Time, error)
	// seen is a query whose answer is another one where a transaction may see what
	// somebody else changed since.
	seen() string
	// name is the store in messages, without its password.
	name() string
	// explain adds the remedy to errors of the database, and takes values of rows out.
	explain(err error) error
	// flush takes what was deleted out of what the database keeps beside its tables.
	flush(ctx context.Context) error
	close() error
}

// ErrDSN says that what is configured cannot name a state store, whatever happens.
var ErrDSN = errors.New("state: the dsn cannot be used")

// badDSN is an [ErrDSN] with the form that is right.
type badDSN string

// Error returns the form that is right.
func (b badDSN) Error() string { return string(b) }

// Is says that it is an ErrDSN.
func (b badDSN) Is(target error) bool { return target == ErrDSN }

// Forms of the DSN.
const writeDSN = "state: write state: sqlite:PATH, or state: postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full"

// openBase opens what the DSN names.
func openBase(ctx context.Context, o Options) (base, error) {
	if isPostgres(o.DSN) {
		return openPostgres(ctx, o)
	}
	path, err := sqlitePath(o.DSN)
	if err != nil {
		return nil, err
	}
	return openSQLite(ctx, path, o.Clock)
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// sqlitePath reads the DSN "sqlite:PATH".
func sqlitePath(dsn string) (string, error) {
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	if !ok || path == "" {
		return "", badDSN(writeDSN)
	}
	if _, query, _ := strings.Cut(path, "?"); strings.Contains(query, "=") || strings.Contains(path, "://") {
		return "", badDSN("state: options are not allowed, write the path alone: state: sqlite:PATH")
	}
	return path, nil
}

// flag is how a yes or no is stored.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
