package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlwork"
)

var _ sqlwork.Streamer = (*session)(nil)

// Stream reads the rows from the driver itself, in the session's transaction.
func (s *session) Stream(ctx context.Context, query string, args []any, each func(vals []any) error) error {
	return s.conn.Raw(func(c any) error {
		x, ok := c.(conn)
		if !ok {
			return fmt.Errorf("postgres: a session of the kind %T reads no rows by itself", c)
		}
		named := make([]driver.NamedValue, len(args))
		for i, a := range args {
			named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
			err := x.CheckNamedValue(&named[i])
			if errors.Is(err, driver.ErrSkip) { // database/sql's own way
				named[i].Value, err = driver.DefaultParameterConverter.ConvertValue(a)
			}
			if err != nil {
				return fmt.Errorf("parameter %d: %w", i+1, err)
			}
		}
		r, err := x.QueryContext(ctx, query, named)
		if err != nil {
			return err
		}
		return errors.Join(sqlwork.Pass(r, each), r.Close())
	})
}
