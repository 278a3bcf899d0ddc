package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"
)

// KeyOf returns the fingerprint of the audit key to which the store is bound, ""
// where there is no store yet. It makes and changes nothing: it is asked before
// a new key would be made.
func KeyOf(ctx context.Context, dsn string) (fingerprint string, err error) {
	if isPostgres(dsn) {
		return keyOfPostgres(ctx, dsn)
	}
	path, err := sqlitePath(dsn)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	db, err := sqlx.Open("sqlite", (&url.URL{Scheme: "file", Path: abs, RawQuery: "mode=rw&_pragma=busy_timeout(5000)&_pragma=query_only(1)"}).String())
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var tables int
	err = db.GetContext(ctx, &tables, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('meta', ?)", versionTable)
	if err == nil && tables == 2 {
		err = db.GetContext(ctx, &fingerprint, "SELECT COALESCE(MAX(value), '') FROM meta WHERE name = ?", metaKey)
	}
	if err != nil {
		err = fmt.Errorf("open state store %s: %w", path, explainSQLite(err))
	}
	return fingerprint, err
}

func keyOfPostgres(ctx context.Context, dsn string) (fingerprint string, err error) {
	p, err := connect(Options{DSN: dsn})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	err = p.within(ctx, false, func(t *sqlx.Tx, _ time.Time) error {
		var tables int
		err := t.GetContext(ctx, &tables, "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename IN ('meta', $2)", p.schema, versionTable)
		if err == nil && tables == 2 {
			err = t.GetContext(ctx, &fingerprint, "SELECT COALESCE(MAX(value), '') FROM meta WHERE name = $1", metaKey)
		}
		return err
	})
	return fingerprint, wrap(err, "open state store %s", p.label)
}
