package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Source is an open SQLite file. It implements [retention.Source]; its methods
// may be called by several goroutines.
type Source struct {
	*sqlwork.Source
	*engine
}

var _ retention.Source = (*Source)(nil)

// Describe reads the live catalogue; see [sqlwork.Source].
func (s *Source) Describe(ctx context.Context, tables []retention.TableName) (*retention.Schema, error) {
	return s.Source.Describe(ctx, tables)
}

// InstallSQL is what Install would run; see [sqlwork.Source].
func (s *Source) InstallSQL() string { return s.Source.InstallSQL() }

// Open opens the SQLite file that dsn names: a path, or a path after "file:" or
// "sqlite:". It reads the file's header and writes nothing. A file that is
// missing, or is no database, is a source_down refusal; no file is ever made.
func Open(ctx context.Context, dsn string) (*Source, error) {
	path, err := pathOf(dsn)
	if err != nil {
		return nil, err
	}
	d, err := newDriver()
	if err != nil {
		return nil, fmt.Errorf("sqlite functions: %w", err)
	}
	s := &engine{path: path}
	s.read = pool(d, path, "mode=ro&_query_only=1&_busy_timeout=5000&_dqs=0", readers)
	s.write = pool(d, path, "mode=rw&_foreign_keys=1&_synchronous=FULL&_busy_timeout=5000&_dqs=0", 1)
	if err := s.mended(ctx, func() error {
		var version int64
		return s.read.GetContext(ctx, &version, "PRAGMA schema_version")
	}); err != nil {
		return nil, errors.Join(s.down(err), s.Close())
	}
	return &Source{sqlwork.New(s), s}, nil
}

// mended runs a read, and again where a process died in the middle of a commit:
// its journal is left, and SQLite must roll it back before anything can be read,
// which a read-only session may not. The session that may write reads once, and
// SQLite does it: the file is again what was last committed, and nothing more is
// written.
func (s *engine) mended(ctx context.Context, read func() error) error {
	err := read()
	if code(err) != lib.SQLITE_READONLY_ROLLBACK {
		return err
	}
	var version int64
	if err := s.write.GetContext(ctx, &version, "PRAGMA schema_version"); err != nil {
		return err
	}
	return read()
}

// readers is the most read-only sessions at a time.
const readers = 4

// Close closes every session.
func (s *engine) Close() error {
	err := s.write.Close()
	if e := s.read.Close(); e != nil {
		err = e
	}
	return err
}

func refusal(code retention.RefusalCode, format string, args ...any) *retention.Refusal {
	return &retention.Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// connector opens connections of one driver value, so that its functions exist
// nowhere else in the process.
type connector struct {
	d   *sqlite.Driver
	dsn string
}

// Connect opens one connection.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.d.Open(c.dsn) }

// Driver is this source's own, with its functions.
func (c connector) Driver() driver.Driver { return c.d }

func pool(d *sqlite.Driver, path, options string, n int) *sqlx.DB {
	u := url.URL{Scheme: "file", Path: path, RawQuery: options}
	db := sql.OpenDB(connector{d, u.String()})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return sqlx.NewDb(db, "sqlite")
}
