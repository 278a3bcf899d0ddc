package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// session is one transaction. What it found of the schema is held against the
// schema at its end.
type session struct {
	*sqlx.Tx
	conn   *sqlx.Conn
	looked verified
}

// idleFor is how long a transaction of ours may say nothing before the server
// ends it: a process that is stopped must not keep its locks for ever.
const idleFor = 10 * time.Second

// Look runs do in one read-only snapshot. The first statement takes the
// snapshot, after which PostgreSQL lets nobody make the transaction writable.
func (e *engine) Look(ctx context.Context, do func(sqlwork.Session) error) error {
	db := e.read
	if sqlwork.IsAtSource(ctx) {
		db = e.write
	}
	err := e.within(ctx, db, sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, func(s *session) error {
		text := settings("5s")
		if sqlwork.IsByIndex(ctx) {
			text += indexed
		}
		if _, err := s.ExecContext(ctx, text); err != nil {
			return err
		}
		return do(s)
	}, func(tx *sqlx.Tx) error { return tx.Rollback() })
	return e.told(ctx, err)
}

// Change runs do in one READ COMMITTED transaction and commits.
func (e *engine) Change(ctx context.Context, hold sqlwork.Hold, wait time.Duration, do func(sqlwork.Session) error) error {
	err := e.within(ctx, e.write, sql.TxOptions{Isolation: sql.LevelReadCommitted}, func(s *session) error {
		if err := e.enter(ctx, s, hold, wait); err != nil {
			return err
		}
		if err := do(s); err != nil {
			return err
		}
		if err := e.stillSame(ctx, s); err != nil {
			return err
		}
		return ctx.Err()
	}, func(tx *sqlx.Tx) error {
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("commit: %w", scrub(err))
		}
		return nil
	})
	return e.told(ctx, err)
}

// within runs do in a transaction of its own session, and ends it. ctx interrupts
// statements, not the end.
func (e *engine) within(ctx context.Context, db *sqlx.DB, o sql.TxOptions, do func(*session) error, end func(*sqlx.Tx) error) error {
	conn, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTxx(context.WithoutCancel(ctx), &o)
	if err != nil {
		return err
	}
	if err := do(&session{Tx: tx, conn: conn}); err != nil {
		if tx.Rollback() != nil { // the session must not go back to the pool with a transaction open
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		return err
	}
	return end(tx)
}

// settings makes the transaction independent of what roles, databases and poolers
// set: zone, date style and quoting, what NULL and an index answer, and how long it
// waits. Where row-level
// security would hide rows, of a view or of a table that an expression names too,
// the statement fails: a row that is not seen neither keeps another nor is held.
func settings(lockTimeout string) string {
	return "SELECT set_config('lock_timeout', '" + lockTimeout + "', true), set_config('idle_in_transaction_session_timeout', '" + fmt.Sprint(idleFor.Milliseconds()) + "', true)" +
		", set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true), set_config('IntervalStyle', 'postgres', true)" +
		", set_config('extra_float_digits', '3', true), set_config('bytea_output', 'hex', true), set_config('standard_conforming_strings', 'on', true)" +
		", set_config('transform_null_equals', 'off', true), set_config('array_nulls', 'on', true), set_config('gin_fuzzy_search_limit', '0', true), set_config('plan_cache_mode', 'auto', true)" +
		", set_config('row_security', 'off', true), set_config('jit', 'off', true), set_config('work_mem', greatest(pg_size_bytes(current_setting('work_mem')), 67108864) / 1024 || 'kB', true)"
}

// indexed keeps the planner, which cannot know how many rows are due, from
// reading a table through for some of its rows: joins look rows up where an index
// serves them.
const indexed = ", set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)" +
	", set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)" +
	", set_config('enable_indexscan', 'on', true), set_config('enable_indexonlyscan', 'on', true), set_config('enable_nestloop', 'on', true)"

// enter begins a writing transaction: it is on a primary that writes durably, and
// the first lock it takes is the gate.
func (e *engine) enter(ctx context.Context, s *session, hold sqlwork.Hold, wait time.Duration) error {
	timeout := fmt.Sprint(wait.Milliseconds())
	text := settings(timeout) + indexed + ", set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)"
	switch hold {
	case sqlwork.Shared:
		text += fmt.Sprintf("; SELECT pg_advisory_xact_lock_shared(%d)", e.gate)
	case sqlwork.Exclusive:
		text += fmt.Sprintf("; SELECT pg_advisory_xact_lock(%d)", e.gate)
	}
	if _, err := s.ExecContext(ctx, text); err != nil {
		return err
	}
	var standby, durable, origin bool
	const asked = "SELECT pg_is_in_recovery(), current_setting('fsync')::bool, current_setting('session_replication_role') = 'origin'"
	if err := s.QueryRowxContext(ctx, asked).Scan(&standby, &durable, &origin); err != nil {
		return err
	}
	switch {
	case standby:
		return refusal(retention.RefuseSourceDown, "%s is a standby: name the primary (or target_session_attrs=primary) in the dsn", e.name)
	case !durable:
		return refusal(retention.RefuseSourceDown, "%s runs with fsync=off: a crash could lose receipts, or keep them without their effect; turn it on", e.name)
	case !origin:
		return refusal(retention.RefuseUnsafeTable, "%s: this role's session_replication_role is not origin, so foreign keys would neither stop a delete nor follow it; reset it", e.name)
	}
	return nil
}
