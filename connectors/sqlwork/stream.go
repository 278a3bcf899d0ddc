package sqlwork

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/retentiond/retentiond/connectors/sqlgen"
)

// Streamer is a session that reads rows without a conversion of its own.
type Streamer interface {
	// Stream calls each with the values of each row, as the driver returns them. They
	// are good until each returns; an error of it ends the reading.
	Stream(ctx context.Context, query string, args []any, each func(vals []any) error) error
}

// stream calls each with the values of each row; they are good until it returns.
func stream(ctx context.Context, q Session, x sqlgen.Query, each func(vals []any) error) error {
	if s, ok := q.(Streamer); ok {
		return s.Stream(ctx, x.Text, x.Args, each)
	}
	rows, err := q.QueryxContext(ctx, x.Text, x.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	vals, into := make([]any, len(names)), make([]any, len(names))
	for i := range vals {
		into[i] = &vals[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := each(vals); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Pass calls each with the values of each row, as the driver returns them; they are
// good until it returns.
func Pass(rows driver.Rows, each func(vals []any) error) error {
	read := make([]driver.Value, len(rows.Columns()))
	vals := make([]any, len(read))
	for {
		err := rows.Next(read)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i, v := range read {
			vals[i] = v
		}
		if err := each(vals); err != nil {
			return err
		}
	}
}
