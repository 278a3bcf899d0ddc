package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// oldestPostgres is the oldest server version that works.
const oldestPostgres = 130000

// greeting is what the server says of itself and of our schema.
type greeting struct {
	Product  string `db:"product"`
	Version  int    `db:"number"`
	Encoding string `db:"encoding"`
	Schema   bool   `db:"schema_there"`
	Ours     bool   `db:"ours"`
	Tables   int64  `db:"tables"`
}

func (p *pgSchema) greet(ctx context.Context) (g greeting, err error) {
	err = p.db.GetContext(ctx, &g, `SELECT version() AS product, current_setting('server_version_num')::int AS number, current_setting('server_encoding') AS encoding,
		EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1) AS schema_there,
		EXISTS (SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = $2) AS ours,
		(SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = $1) AS tables`, p.schema, versionTable)
	switch {
	case err != nil:
		return g, err
	case !strings.HasPrefix(g.Product, "PostgreSQL "), strings.Contains(g.Product, "CockroachDB"), strings.Contains(g.Product, "-YB-"):
		return g, fmt.Errorf("it is not PostgreSQL itself (%.40s): its locks are not known to hold", g.Product)
	case g.Version < oldestPostgres:
		return g, errors.New("its PostgreSQL is too old; 13 is the oldest that works")
	case g.Encoding != "UTF8":
		return g, fmt.Errorf("its encoding is %s; CREATE DATABASE … ENCODING 'UTF8'", g.Encoding)
	case !g.Ours && g.Tables > 0:
		return g, fmt.Errorf("its schema %s is of something else; name another with ?schema=NAME", p.schema)
	}
	return g, nil
}

// prepare refuses what is no state store, and migrates, forward only, one process
// at a time. Where nothing is missing it writes nothing, and needs no privilege to
// make tables.
func (p *pgSchema) prepare(ctx context.Context) error {
	g, err := p.greet(ctx)
	if err != nil {
		return err
	}
	if g.Ours {
		if done, err := p.migrated(ctx); done || err != nil {
			return err
		}
	}
	return p.alone(ctx, func() error {
		if g, err = p.greet(ctx); err != nil {
			return err
		}
		if !g.Schema {
			if _, err := p.db.ExecContext(ctx, "CREATE SCHEMA "+p.schema); err != nil {
				return fmt.Errorf("make the schema %s: %w", p.schema, err)
			}
		}
		m, err := p.migrations()
		if err != nil {
			return err
		}
		if _, err := m.Up(ctx); err != nil {
			return fmt.Errorf("migrate the schema %s: %w", p.schema, err)
		}
		return nil
	})
}

// migrated compares versions; [ErrNewer] where the store's is one that this build
// does not know.
func (p *pgSchema) migrated(ctx context.Context) (done bool, err error) {
	m, err := p.migrations()
	if err != nil {
		return false, err
	}
	current, target, err := m.GetVersions(ctx)
	if err != nil {
		return false, fmt.Errorf("read the schema's version: %w", err)
	}
	if current > target {
		return false, fmt.Errorf("%w (its schema is %d, this build knows %d)", ErrNewer, current, target)
	}
	return current == target, nil
}

// alone runs do while no other process writes. It is not in a transaction itself:
// each migration is one.
func (p *pgSchema) alone(ctx context.Context, do func() error) error {
	conn, err := p.db.Connx(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	t, err := conn.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer t.Rollback()
	if _, err := t.ExecContext(ctx, fmt.Sprintf("SELECT %s, set_config('idle_in_transaction_session_timeout', '5min', true); SELECT pg_advisory_xact_lock(%d)", pgLimits, p.lock)); err != nil {
		return err
	}
	return do()
}

// migrations are the files of PostgreSQL, each in a transaction whose tables are in
// our schema.
func (p *pgSchema) migrations() (*goose.Provider, error) {
	const dir = "migrations/postgres"
	files, err := fs.ReadDir(migrations, dir)
	if err != nil {
		return nil, err
	}
	var steps []*goose.Migration
	for _, f := range files {
		text, err := fs.ReadFile(migrations, path.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(f.Name(), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s has no number: %w", f.Name(), err)
		}
		steps = append(steps, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, t *sql.Tx) error {
			_, err := t.ExecContext(ctx, "SET LOCAL search_path = "+p.schema+", pg_temp;\n"+string(text))
			return err
		}}, nil))
	}
	return goose.NewProvider(goose.DialectPostgres, p.db.DB, nil, goose.WithTableName(p.schema+"."+versionTable),
		goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(steps...))
}
