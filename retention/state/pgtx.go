package state

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// ErrUnknown says that the connection was lost while a transaction was being
// committed, so that it is not known whether it is stored. It is never repeated by itself. Every
// caller is safe either way: an intent that was stored all the same is open, of a
// batch that never began, and is settled as abandoned; an outcome that was not
// stored is settled from its receipt, and one that was is there once, since an
// intent has at most one; a lease that nobody knows of runs out; a plan, a decision,
// a hold or a run is there under its id, where its list shows it, and a second
// decision, end or release is refused as decided.
var ErrUnknown = errors.New("the connection was lost while it was being stored, and nobody knows whether it is: look before you repeat it")

// How long a transaction waits, and may take. A process that is stopped in one
// must not keep the others from writing.
const pgLimits = "set_config('lock_timeout', '15s', true), set_config('statement_timeout', '60s', true)" +
	", set_config('idle_in_transaction_session_timeout', '10s', true)"

// settings make the transaction independent of what roles, databases and poolers
// set. No result depends on a zone or a language: times are numbers, texts are of
// collation C.
func (p *pgSchema) settings() string {
	return pgLimits + ", set_config('search_path', '" + p.schema + ", pg_temp', true), set_config('TimeZone', 'UTC', true)" +
		", set_config('bytea_output', 'hex', true), set_config('standard_conforming_strings', 'on', true), set_config('row_security', 'off', true)"
}

// tries is how often a transaction is begun of which nothing can be stored.
const pgTries = pgSessions + 2 // a server that was restarted leaves a dead session in each place of the pool

// within runs do in one transaction. Where the session is lost before COMMIT was
// sent, or the server undid it, nothing of it remains and it is tried again.
func (p *pgSchema) within(ctx context.Context, write bool, do func(*sqlx.Tx, time.Time) error) error {
	for try := 1; ; try++ {
		err := p.once(ctx, write, do)
		if try >= pgTries || ctx.Err() != nil || !undone(err) {
			return p.explain(err)
		}
	}
}

// undone: nothing of the transaction can be stored, and the next try may go well.
func undone(err error) bool {
	if errors.Is(err, ErrUnknown) {
		return false
	}
	code := pgCode(err)
	return code == "40001" || code == "40P01" || code == "" && lost(err) && !dialled(err)
}

// once runs do in one transaction of a session of its own. ctx interrupts
// statements, not the end.
func (p *pgSchema) once(ctx context.Context, write bool, do func(*sqlx.Tx, time.Time) error) error {
	conn, err := p.db.Connx(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	o := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	if write {
		o = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	t, err := conn.BeginTxx(context.WithoutCancel(ctx), o)
	if err != nil {
		return err
	}
	now, err := p.enter(ctx, t, write)
	if err == nil {
		err = do(t, now)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if t.Rollback() != nil { // the session must not go back to the pool with a transaction open
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		return err
	}
	return committed(t.Commit())
}

// committed says whether an error of COMMIT leaves a doubt. The server's own answer
// does not, unless it was shutting down: it may have stored first.
func committed(err error) error {
	if code := pgCode(err); err == nil || code != "" && !strings.HasPrefix(code, "57P") {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}

// enter begins a transaction. One that writes is on a primary that writes durably,
// and takes the lock of all writers before its first snapshot: READ COMMITTED then
// sees what every writer before it committed.
func (p *pgSchema) enter(ctx context.Context, t *sqlx.Tx, write bool) (now time.Time, err error) {
	text := "SELECT " + p.settings()
	if write {
		text += ", set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)" +
			fmt.Sprintf("; SELECT pg_advisory_xact_lock(%d)", p.lock)
	}
	var us int64
	var standby, durable bool
	if err := last(ctx, t, text+"; SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, pg_is_in_recovery(), current_setting('fsync')::bool", &us, &standby, &durable); err != nil {
		return now, err
	}
	switch {
	case write && standby:
		return now, errors.New(standbyRemedy)
	case write && !durable:
		return now, errors.New("the server runs with fsync=off: a crash could lose what was audited; turn it on")
	case p.clock != nil:
		return p.clock(), nil
	}
	return time.UnixMicro(us), nil
}

// last runs several statements in one round trip, one after the other, and reads
// the one row of the last, which no other has as many columns as.
func last(ctx context.Context, t *sqlx.Tx, text string, into ...any) error {
	rows, err := t.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	read := false
	for more := true; more; more = rows.NextResultSet() {
		for rows.Next() {
			if cols, err := rows.Columns(); err != nil || len(cols) != len(into) {
				continue
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			read = true
		}
	}
	if err := rows.Err(); err != nil || read {
		return err
	}
	return errors.New("the server did not answer what was asked")
}
