package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite/vtab"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
)

// Dialect is how SQL is written for a connection that [Private] made.
func Dialect() *sqlgen.Dialect { return dialect() }

// More is what a private database knows beside SQL, by name: functions that make one text
// of another, byte by byte and always the same, and modules of virtual tables.
type More struct {
	Functions map[string]func(string) string
	Modules   map[string]vtab.Module
}

// Private is one connection to a private database, on disk, that nobody else can
// open and that is gone with the connection, SIGKILL included. It knows the
// functions that [Dialect] writes, and more. The caller closes both.
func Private(ctx context.Context, more More) (*sqlx.DB, *sqlx.Conn, error) {
	d, err := newDriver()
	for name, f := range more.Functions {
		if err == nil {
			err = register(d, name, function{1, textFunction(f)}, true)
		}
	}
	for name, m := range more.Modules {
		if err == nil {
			err = d.RegisterModule(name, m)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("sqlite functions: %w", err)
	}
	db := sql.OpenDB(connector{d, "file:?_dqs=0"})
	db.SetMaxOpenConns(1)
	x := sqlx.NewDb(db, "sqlite")
	conn, err := x.Connx(ctx)
	if err != nil {
		x.Close()
		return nil, nil, fmt.Errorf("private database: %w", err)
	}
	return x, conn, nil
}

func textFunction(f func(string) string) func([]driver.Value) (driver.Value, error) {
	return func(args []driver.Value) (driver.Value, error) {
		switch x := args[0].(type) {
		case string:
			return f(x), nil
		case []byte:
			return f(string(x)), nil
		}
		return nil, nil
	}
}

// Begin begins a transaction that has the write lock of every database of the
// connection, waiting at most wait for other writers (0: as long as ctx lasts).
// What others keep is [retention.ErrLocked].
func Begin(ctx context.Context, conn *sqlx.Conn, wait time.Duration) error {
	return lock(ctx, conn, wait)
}

// KindOf sorts SQLite's result codes.
func KindOf(err error) sqlwork.ErrorKind { return (*engine)(nil).Kind(err) }

// NowSQL is the machine's clock as RFC 3339 text.
const NowSQL = nowSQL

var _ driver.Connector = connector{}
