package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Options say how a source is reached. A DSN is a postgres:// URL or key=value
// pairs, as PostgreSQL's own tools take it.
type Options struct {
	DSN string
	// ReadDSN, where set, is where planning reads: a replica, or a role that may
	// only read. Gates and batches never use it.
	ReadDSN string
	// LockTimeout is how long a batch waits for a lock; 0: 5 s.
	LockTimeout time.Duration
}

// Source is an open PostgreSQL database. It implements [retention.Source]; its
// methods may be called by several goroutines.
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

// engine is what PostgreSQL adds to the work that all SQL connectors do alike.
type engine struct {
	name   string // user@host:port/database
	user   string
	schema string // what a bare table name means; our two tables are there
	gate   int64  // the advisory lock
	d      *sqlgen.Dialect
	read   *sqlx.DB
	write  *sqlx.DB

	mu       sync.Mutex
	verified verified // the schema that was last compared in full

	marks marks
}

var _ sqlwork.Engine = (*engine)(nil)

// Sessions at a time, and how long an idle one is kept.
const (
	readers = 4
	writers = 8
	idle    = time.Minute
)

// Open connects to the database and writes nothing. A server that cannot be
// reached, is older than 13, or is none of PostgreSQL's is a source_down refusal.
func Open(ctx context.Context, o Options) (*Source, error) {
	write, cfg, err := pool(o.DSN, writers)
	if err != nil {
		return nil, err
	}
	read := write
	if o.ReadDSN != "" {
		if read, _, err = pool(o.ReadDSN, readers); err != nil {
			return nil, errors.Join(err, write.Close())
		}
	}
	e := &engine{name: fmt.Sprintf("%s@%s:%d/%s", cfg.User, cfg.Host, cfg.Port, cfg.Database), user: cfg.User, read: read, write: write}
	if err := e.greet(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return &Source{Source: sqlwork.New(e).Patient(o.LockTimeout), engine: e}, nil
}

// pool makes sessions of a DSN, which is in no error: it may hold a password.
func pool(dsn string, n int) (*sqlx.DB, pq.Config, error) {
	cfg, err := pq.NewConfig(dsn)
	if err != nil || dsn == "" {
		return nil, cfg, refusal(retention.RefuseSourceDown, "the dsn cannot be read: write postgres://user:password@host:5432/database?sslmode=verify-full (special characters of the password in %%-form)")
	}
	cfg.BinaryParameters = true // a statement is one round trip, and never a named one, which a pooler would lose
	if cfg.ApplicationName == "" {
		cfg.ApplicationName = "retentiond"
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	c, err := pq.NewConnectorConfig(cfg)
	if err != nil {
		return nil, cfg, refusal(retention.RefuseSourceDown, "the dsn of %s cannot be used: check sslmode and certificates", cfg.Host)
	}
	c.Dialer(&dialer{})
	db := sql.OpenDB(connector{c})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(idle)
	return sqlx.NewDb(db, "postgres"), cfg, nil
}

// greet asks what server this is, and where bare names lead.
func (e *engine) greet(ctx context.Context) error {
	return e.Look(ctx, func(q sqlwork.Session) error {
		var version, product string
		var number int
		var schema sql.NullString
		err := q.QueryRowxContext(ctx, "SELECT version(), current_setting('server_version'), current_setting('server_version_num')::int, current_schema()").Scan(&product, &version, &number, &schema)
		switch {
		case err != nil:
			return err
		case !isPostgres(product):
			return refusal(retention.RefuseSourceDown, "%s is not PostgreSQL itself (%.40s): its locks and its receipts are not known to hold", e.name, product)
		case number < oldest:
			return refusal(retention.RefuseSourceDown, "%s runs PostgreSQL %s; 13 is the oldest that works", e.name, version)
		case !schema.Valid:
			return refusal(retention.RefuseSourceDown, "%s has no schema in its search_path: set one (ALTER ROLE … SET search_path = …)", e.name)
		}
		e.at(schema.String, number >= hashing)
		return nil
	})
}

// oldest is the oldest server version that works: 13 has gen_random_uuid and
// trim_scale.
const oldest = 130000

// hashing is the first version that looks long arrays up by hashing.
const hashing = 140000

// at sets the schema.
func (e *engine) at(schema string, hashes bool) {
	sum := sha256.Sum256([]byte("retentiond gate\x00" + schema))
	e.schema, e.gate, e.d = schema, int64(binary.BigEndian.Uint64(sum[:8])), dialect(schema, hashes)
}

// Close closes every session.
func (e *engine) Close() error {
	err := e.write.Close()
	if e.read != e.write {
		err = errors.Join(err, e.read.Close())
	}
	return err
}

func refusal(code retention.RefusalCode, format string, args ...any) *retention.Refusal {
	return &retention.Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}
