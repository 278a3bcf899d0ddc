package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

// retryEvery is how often a waiting writer asks again: short, so that a hold
// gets its turn between two batches of another process.
const retryEvery = 2 * time.Millisecond

// begin takes the write connection and the write lock. It waits for other
// writers at most wait (0: as long as ctx lasts).
func (s *engine) begin(ctx context.Context, wait time.Duration) (*sqlx.Conn, error) {
	conn, err := s.write.Connx(ctx)
	if err != nil {
		return nil, s.down(err)
	}
	if err := lock(ctx, conn, wait); err != nil {
		conn.Close()
		return nil, s.down(err)
	}
	return conn, nil
}

func lock(ctx context.Context, conn *sqlx.Conn, wait time.Duration) error {
	if wait > 0 {
		limited, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		ctx = limited
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	last := error(nil)
	for {
		_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		if err == nil {
			break
		}
		if !busy(err) {
			return waited(ctx, last, err)
		}
		last = err
		if err := pause(ctx, retryEvery); err != nil {
			return waited(ctx, last, err)
		}
	}
	_, err := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = 5000")
	if err != nil {
		rollback(ctx, conn)
	}
	return err
}

func waited(ctx context.Context, last, err error) error {
	if ctx.Err() != nil && last != nil {
		return fmt.Errorf("%w: another process holds the write lock: %w (%w)", retention.ErrLocked, last, ctx.Err())
	}
	if busy(err) {
		return fmt.Errorf("%w: %w", retention.ErrLocked, err)
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// rollback ends the transaction, or gives the connection up where it cannot: a
// connection must not go back to the pool with a transaction open. SQLite may
// have rolled back by itself; then there is none.
func rollback(ctx context.Context, conn *sqlx.Conn) {
	_, err := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	if err == nil || containsFold(err.Error(), "no transaction is active") {
		return
	}
	// The error that Raw returns is the one it is told: there is nothing to add.
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

// inTx runs do under the write lock and commits. On an error nothing of it
// remains. Once the commit is asked for, ctx no longer interrupts it.
func (s *engine) inTx(ctx context.Context, wait time.Duration, do func(conn *sqlx.Conn) error) (err error) {
	conn, err := s.begin(ctx, wait)
	if err != nil {
		return err
	}
	open := true
	defer func() {
		if open {
			rollback(ctx, conn)
		}
		conn.Close()
	}()
	if err := do(conn); err != nil {
		return s.unwritable(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := conn.ExecContext(context.WithoutCancel(ctx), "COMMIT"); err != nil {
		if busy(err) {
			return fmt.Errorf("sqlite %s: commit: %w: %w", s.path, retention.ErrLocked, err)
		}
		return fmt.Errorf("sqlite %s: commit: %w", s.path, s.unwritable(err))
	}
	open = false
	return nil
}
