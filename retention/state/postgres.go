package state

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// pgSchema is a state store in a schema of a PostgreSQL database, shared by any
// number of processes. It keeps nothing in a session, so that a pooler in
// transaction mode may stand in between.
type pgSchema struct {
	db     *sqlx.DB
	label  string // user@host:port/database
	user   string
	schema string
	lock   int64            // the advisory lock of whoever writes
	clock  func() time.Time // nil: the server's
}

// Sessions of one process, and how long an idle one is kept.
const (
	pgSessions = 8
	pgIdle     = time.Minute
)

const defaultSchema = "retentiond"

var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// openPostgres connects, makes the schema where there is none, and brings it to
// this version's form.
func openPostgres(ctx context.Context, o Options) (base, error) {
	p, err := connect(o)
	if err != nil {
		return nil, err
	}
	if err := p.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open state store %s: %w", p.label, p.explain(err)), p.close())
	}
	return p, nil
}

// connect makes the pool of a DSN, which is in no error: it holds a password.
func connect(o Options) (*pgSchema, error) {
	dsn, schema, err := splitSchema(o.DSN)
	if err != nil {
		return nil, err
	}
	cfg, err := pq.NewConfig(dsn)
	if err != nil {
		return nil, badDSN(writeDSN + " (special characters of the password in %-form)")
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
		return nil, fmt.Errorf("state: the dsn of %s cannot be used: check sslmode and certificates", cfg.Host)
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(pgSessions)
	db.SetMaxIdleConns(pgSessions)
	db.SetConnMaxIdleTime(pgIdle)
	sum := sha256.Sum256([]byte("retentiond state\x00" + schema))
	p := &pgSchema{db: sqlx.NewDb(db, "postgres"), label: fmt.Sprintf("%s@%s:%d/%s", cfg.User, cfg.Host, cfg.Port, cfg.Database),
		user: cfg.User, schema: schema, lock: int64(binary.BigEndian.Uint64(sum[:8]))}
	if o.ForceClock {
		p.clock = o.Clock
	}
	return p, nil
}

// splitSchema takes our own parameter out of the DSN.
func splitSchema(dsn string) (rest, schema string, err error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", "", badDSN(writeDSN + " (special characters of the password in %-form)")
	}
	q := u.Query()
	if !q.Has("schema") {
		return dsn, defaultSchema, nil
	}
	if schema = q.Get("schema"); !schemaName.MatchString(schema) {
		return "", "", badDSN(fmt.Sprintf("state: schema %q: write small letters, digits and _ only", schema))
	}
	q.Del("schema")
	u.RawQuery = q.Encode()
	return u.String(), schema, nil
}

func (p *pgSchema) seen() string { return "SELECT pg_current_snapshot()::text" }
func (p *pgSchema) name() string { return p.label }
func (p *pgSchema) close() error { return p.db.Close() }

// flush has nothing to do: what was deleted is in no file of ours. The server's own
// log and backups outlive it, as those of every source do.
func (p *pgSchema) flush(context.Context) error { return nil }

// now is the server's clock.
func (p *pgSchema) now(ctx context.Context) (at time.Time, err error) {
	if p.clock != nil {
		return p.clock(), nil
	}
	err = p.within(ctx, false, func(_ *sqlx.Tx, now time.Time) error {
		at = now
		return nil
	})
	return at, err
}
