package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
)

var _ sqlwork.Streamer = session{}

// session is a session in a transaction of ours.
type session struct{ *sqlx.Conn }

// Stream reads the rows from the driver itself: database/sql copies each value once
// more, and finds out its type anew.
func (s session) Stream(ctx context.Context, query string, args []any, each func(vals []any) error) error {
	return s.Raw(func(c any) error {
		conn, ok := c.(streams)
		if !ok {
			return fmt.Errorf("mysql: a session of the kind %T reads no rows by itself", c)
		}
		named := make([]driver.NamedValue, len(args))
		for i, a := range args {
			named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
			if err := conn.CheckNamedValue(&named[i]); err != nil {
				return fmt.Errorf("parameter %d: %w", i+1, err)
			}
		}
		stmt, err := conn.PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		return errors.Join(answer(ctx, stmt, named, each), stmt.Close())
	})
}

// streams is what the driver's connection can do, and is used here.
type streams interface {
	driver.ConnPrepareContext
	driver.NamedValueChecker
}

// answer runs the statement and passes its rows on.
func answer(ctx context.Context, stmt driver.Stmt, args []driver.NamedValue, each func(vals []any) error) error {
	q, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		return fmt.Errorf("mysql: a statement of the kind %T has no rows", stmt)
	}
	rows, err := q.QueryContext(ctx, args)
	if err != nil {
		return err
	}
	return errors.Join(sqlwork.Pass(rows, each), rows.Close())
}
