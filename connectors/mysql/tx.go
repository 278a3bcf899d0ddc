package mysql

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

// Look runs do in one snapshot, in a transaction that the server holds read-only.
// What must be as it was last committed is read at the source itself.
func (e *engine) Look(ctx context.Context, do func(sqlwork.Session) error) error {
	db := e.read
	if sqlwork.IsAtSource(ctx) {
		db = e.near
	}
	tx, err := db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return e.down(err)
	}
	defer tx.Rollback()
	return e.down(e.locked(do(tx)))
}

// Change takes the gate and runs do. A lock wait undoes a statement only, so any
// error rolls everything back.
func (e *engine) Change(ctx context.Context, hold sqlwork.Hold, wait time.Duration, do func(sqlwork.Session) error) error {
	conn := pinned(ctx)
	if conn == nil {
		var err error
		if conn, err = e.write.Connx(ctx); err != nil {
			return e.down(err)
		}
		defer conn.Close()
	}
	if hold == sqlwork.Exclusive && e.maria {
		free, err := e.alone(ctx, conn, wait)
		if err != nil {
			return e.down(e.locked(err))
		}
		defer free()
	}
	return e.transact(ctx, conn, hold, wait, do)
}

func (e *engine) transact(ctx context.Context, conn *sqlx.Conn, hold sqlwork.Hold, wait time.Duration, do func(sqlwork.Session) error) error {
	if err := e.begin(ctx, conn, hold, wait); err != nil {
		rollback(ctx, conn)
		return e.down(e.locked(err))
	}
	err := do(session{conn})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		rollback(ctx, conn)
		return e.down(e.locked(err))
	}
	return e.commit(ctx, conn)
}

// commitWait is how long a commit may go unanswered. A server whose binary log has no
// room waits for it, for ever, with the transaction's locks: others go on meanwhile, and
// the receipt tells later what became of it.
const commitWait = 20 * time.Second

func (e *engine) commit(ctx context.Context, conn *sqlx.Conn) error {
	ctx = context.WithoutCancel(ctx)
	limited, cancel := context.WithTimeout(ctx, commitWait)
	defer cancel()
	_, err := conn.ExecContext(limited, "COMMIT")
	if err == nil {
		return nil
	}
	late := limited.Err() != nil
	rollback(ctx, conn)
	if late {
		return fmt.Errorf("%s: the server has not answered a commit for %s (is the disk of its binary log full?): %w", e.name, commitWait, err)
	}
	return fmt.Errorf("%s: commit: %w", e.name, e.locked(err))
}

// begin starts the transaction and takes the gate. Whoever waits for the gate
// alone asks again each second: a session that was given up must not stand in
// others' way for longer.
func (e *engine) begin(ctx context.Context, conn *sqlx.Conn, hold sqlwork.Hold, wait time.Duration) error {
	for {
		err := e.attempt(ctx, conn, hold, wait)
		if hold != sqlwork.Exclusive || wait > 0 || code(err) != errLockWait && code(err) != errDeadlock {
			return err
		}
		rollback(ctx, conn)
		if ctx.Err() != nil {
			return fmt.Errorf("%w: a batch keeps the gate (table %s): %w", retention.ErrLocked, gateTable, ctx.Err())
		}
	}
}

const gateTable = "retentiond_gate"

func (e *engine) attempt(ctx context.Context, conn *sqlx.Conn, hold sqlwork.Hold, wait time.Duration) error {
	seconds := max(1, int64((wait+time.Second-1)/time.Second))
	if hold == sqlwork.Loose {
		seconds = lockWait
	}
	texts := []string{"SET SESSION innodb_lock_wait_timeout = " + itoa(seconds), "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"}
	for _, text := range texts {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	lock := map[sqlwork.Hold]string{sqlwork.Shared: "LOCK IN SHARE MODE", sqlwork.Exclusive: "FOR UPDATE"}[hold]
	if lock == "" {
		return nil
	}
	rows, err := conn.QueryContext(ctx, "SELECT id FROM "+e.Own(gateTable)+" WHERE id = 1 "+lock)
	if code(err) == errNoTable {
		return nil // no gate: the caller sees it
	}
	if err != nil {
		return gateLocked(err)
	}
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		rows.Close()
		return gateLocked(err)
	}
	return rows.Close()
}

func gateLocked(err error) error {
	if busy(err) {
		return fmt.Errorf("the gate (table %s) is kept by a hold that passes, or by a process that was stopped: %w", gateTable, err)
	}
	return err
}

// rollback ends the transaction, or gives the session up where it cannot.
func rollback(ctx context.Context, conn *sqlx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialWait)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		// The error that Raw returns is the one it is told: there is nothing to add.
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}
