package mysql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// moveBack moves in one transaction what is left. Rows whose key was written meanwhile
// stay, all others leave our table only once they were read back, equal in every
// column; nothing moves where a trigger could change them, or a column of theirs is
// not what it was.
func (e *engine) moveBack(ctx context.Context, conn *sqlx.Conn, s set) error {
	empty, err := e.empty(ctx, conn, e.Own(asideTable))
	if err != nil || empty {
		return err
	}
	usual, err := e.Exact(ctx, conn)
	if err != nil {
		return err
	}
	err = e.Change(ctx, sqlwork.Loose, lockWait*time.Second, func(q sqlwork.Session) error { return e.move(ctx, q, s) })
	if again := usual(ctx); err == nil {
		err = again
	}
	if code(err) == errDuplicate {
		return fmt.Errorf("a row with the same key is written right now: %w: %w", retention.ErrLocked, err)
	}
	return err
}

func (e *engine) move(ctx context.Context, q sqlwork.Session, s set) error {
	// What the table is stays so until the transaction ends, once it was read.
	if _, err := q.ExecContext(ctx, "DO (SELECT count(*) FROM "+e.words.Table(s.of()).Text+" WHERE FALSE)"); err != nil {
		return err
	}
	same, err := e.alike(ctx, q, s)
	if err != nil {
		return err
	}
	table, aside := e.words.Table(s.of()).Text+" AS t", e.Own(asideTable)+" AS a"
	back := " WHERE EXISTS (SELECT 1 FROM " + table + " WHERE " + same.equal() + ")"
	var before int64 // of those that wait for a person, some may be there again
	if err := q.GetContext(ctx, &before, "SELECT count(*) FROM "+aside+back); err != nil {
		return err
	}
	into, err := q.ExecContext(ctx, "INSERT INTO "+e.words.Table(s.of()).Text+" ("+same.list("")+") SELECT "+same.list("a.")+" FROM "+aside+" WHERE "+same.free(table))
	if err != nil {
		return err
	}
	from, err := q.ExecContext(ctx, "DELETE a FROM "+aside+back)
	if err != nil {
		return err
	}
	put, err1 := into.RowsAffected()
	took, err2 := from.RowsAffected()
	if err1 != nil || err2 != nil || put+before != took {
		return errors.Join(err1, err2, fmt.Errorf("%d rows were put back, and %d read back as they were: nothing was moved: let nothing change rows that are inserted, and run again", put, took-before))
	}
	return nil
}
