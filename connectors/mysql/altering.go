package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

var _ sqlwork.Exchanger = (*engine)(nil)

// alteringLock begins the name of the lock that whoever drops a partition has, whoever
// settles, and whoever lets a hold pass. The server lets it go when the session ends,
// which is after its last statement, whatever became of the process.
const alteringLock = "retentiond.ddl:"

type pin struct{}

// pinned is the session that the context's statements run in; nil: any.
func pinned(ctx context.Context) *sqlx.Conn {
	c, _ := ctx.Value(pin{}).(*sqlx.Conn)
	return c
}

// Altering runs do in one session that has the lock. Where no gate is installed, no
// partition was ever dropped, and nothing is locked.
func (e *engine) Altering(ctx context.Context, do func(context.Context) error) error {
	if !e.maria || pinned(ctx) != nil {
		return do(ctx)
	}
	conn, err := e.write.Connx(ctx)
	if err != nil {
		return e.down(err)
	}
	// The session ends here, and with it whatever lock it still has.
	defer func() {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // it returns what it is told
		_ = conn.Close()
	}()
	// One whose process was stopped must not keep the lock for ever.
	if _, err := conn.ExecContext(ctx, "SET SESSION wait_timeout = 10"); err != nil {
		return e.down(err)
	}
	free, err := e.alone(ctx, conn, lockWait*time.Second)
	if err != nil {
		return e.down(e.locked(err))
	}
	defer free()
	return e.down(e.locked(do(context.WithValue(ctx, pin{}, conn))))
}

// alone takes the lock, waiting at most wait (0: as long as ctx lasts).
func (e *engine) alone(ctx context.Context, conn *sqlx.Conn, wait time.Duration) (free func(), err error) {
	var uuid string
	err = conn.GetContext(ctx, &uuid, "SELECT source_uuid FROM "+e.Own(gateTable)+" WHERE id = 1")
	if code(err) == errNoTable || errors.Is(err, sql.ErrNoRows) {
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the gate: %w", err)
	}
	name := alteringLock + uuid
	for tries := int64((wait + time.Second - 1) / time.Second); ; tries-- {
		var got sql.NullInt64
		err := conn.GetContext(ctx, &got, "SELECT GET_LOCK(?, 1)", name)
		switch {
		case err == nil && got.Int64 == 1:
			return func() { e.release(ctx, conn, name) }, nil
		case ctx.Err() != nil || wait > 0 && tries <= 1:
			return nil, fmt.Errorf("%w: a partition of this source is being dropped, or an intent settled, by another session", retention.ErrLocked)
		case err != nil && !busy(err):
			return nil, fmt.Errorf("take the lock of partitions: %w", err)
		}
	}
}

// release lets the lock go, or gives the session up where it cannot.
func (e *engine) release(ctx context.Context, conn *sqlx.Conn, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialWait)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "DO RELEASE_LOCK(?)", name); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // it returns what it is told
	}
}

// kept proves that the session still has the lock.
func (e *engine) kept(ctx context.Context, conn *sqlx.Conn) error {
	var has bool
	err := conn.GetContext(ctx, &has, "SELECT coalesce(IS_USED_LOCK(CONCAT('"+alteringLock+"', source_uuid)) = CONNECTION_ID(), 0) FROM "+e.Own(gateTable)+" WHERE id = 1")
	if err == nil && !has {
		err = fmt.Errorf("this session lost the lock under which partitions are dropped: %w", retention.ErrLocked)
	}
	return err
}
