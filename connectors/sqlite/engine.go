package sqlite

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
	lib "modernc.org/sqlite/lib"
)

// engine is what SQLite adds to the work that all SQL connectors do alike.
type engine struct {
	path  string
	read  *sqlx.DB // held read-only by the database
	write *sqlx.DB // one connection, made on first use

	mu       sync.Mutex
	verified verified // the schema that was last compared in full
}

var _ sqlwork.Engine = (*engine)(nil)

// Dialect is SQLite's.
func (s *engine) Dialect() *sqlgen.Dialect { return dialect() }

// Name is the file.
func (s *engine) Name() string { return s.path }

// Look runs do in one read transaction, and again where a dead writer's journal
// had to be rolled back first.
func (s *engine) Look(ctx context.Context, do func(sqlwork.Session) error) error {
	return s.mended(ctx, func() error {
		tx, err := s.read.BeginTxx(ctx, nil)
		if err != nil {
			return s.down(err)
		}
		defer tx.Rollback()
		return do(tx)
	})
}

// Change takes the file's write lock, which is the gate too: SQLite has one
// writer.
func (s *engine) Change(ctx context.Context, _ sqlwork.Hold, wait time.Duration, do func(sqlwork.Session) error) error {
	return s.inTx(ctx, wait, func(conn *sqlx.Conn) error { return do(conn) })
}

// Alone is true: the write lock is held from the first statement to the end.
func (s *engine) Alone() bool { return true }

// Describe reads the live catalogue. Names of tables fold case as SQLite does,
// and main.T and T are one table: a minimum or a hold declared under one
// spelling is about the same rows. Names of columns match exactly.
func (s *engine) Describe(ctx context.Context, q sqlwork.Session, tables []retention.TableName) (*retention.Schema, error) {
	out, err := describe(ctx, q, tables)
	if err != nil {
		return nil, s.down(err)
	}
	return out, nil
}

// Kind sorts SQLite's result codes.
func (s *engine) Kind(err error) sqlwork.ErrorKind {
	switch {
	case err == nil:
		return sqlwork.Other
	case duplicate(err):
		return sqlwork.Duplicate
	case noTable(err):
		return sqlwork.NoTable
	case busy(err):
		return sqlwork.Busy
	case primary(err) == lib.SQLITE_ERROR:
		return sqlwork.BadSQL
	}
	return sqlwork.Other
}

// Explain says what a failed change of a table ran into.
func (s *engine) Explain(t *retention.Table, err error) error { return explain(t, err) }

// Changed counts the rows that the connection ever changed, those of triggers
// included.
func (s *engine) Changed(ctx context.Context, q sqlwork.Session) (int64, bool, error) {
	var n int64
	if err := q.GetContext(ctx, &n, "SELECT total_changes()"); err != nil {
		return 0, false, fmt.Errorf("sqlite %s: count changes: %w", s.path, err)
	}
	return n, true, nil
}

// Mark is seconds since 1970 in an integer column, RFC 3339 elsewhere.
func (s *engine) Mark(c *retention.Column, at time.Time) any {
	if c != nil && c.Kind == retention.KindInteger {
		return at.Unix()
	}
	return at.UTC().Format(time.RFC3339)
}

// Value is what the driver returned: Plain keeps it exact.
func (s *engine) Value(_ *retention.Column, v any) any { return v }

// InstallSQL makes the two tables.
func (s *engine) InstallSQL() []string {
	return sqlwork.GateSQL(s.Own("retentiond_gate"), s.Own("retentiond_receipt"), `"rows"`, "TEXT", "TEXT", "")
}

// Own is in the file itself, whatever is attached.
func (s *engine) Own(name string) string { return "main." + name }

// Installed asks the catalogue. Tables of ours that triggers change, or that are none,
// are refused: what they say would not last (L7).
func (s *engine) Installed(ctx context.Context, q sqlwork.Session) (bool, error) {
	var n, odd int
	err := q.QueryRowxContext(ctx, `SELECT count(*) FILTER (WHERE type = 'table' AND name = 'retentiond_gate'),
 count(*) FILTER (WHERE type = 'trigger' OR type = 'view') FROM main.sqlite_schema WHERE tbl_name COLLATE NOCASE IN ('retentiond_gate', 'retentiond_receipt')`).Scan(&n, &odd)
	switch {
	case err != nil:
		return false, fmt.Errorf("sqlite %s: look for the gate: %w", s.path, err)
	case odd > 0:
		return false, refusal(retention.RefuseUnsafeTable, "sqlite %s: retentiond_gate or retentiond_receipt has a trigger or is a view, and receipts would not last: drop the triggers, or the view", s.path)
	}
	return n > 0, nil
}
