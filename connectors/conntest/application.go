package conntest

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// Application is what an application has of a database: Exec and Query of
// [Database], on its own pool.
type Application struct {
	*sqlx.DB
	// Seen makes what the driver returns for a column of that type what Query
	// promises.
	Seen func(typ string, v any) any
}

// Exec runs one statement, committed on return.
func (a Application) Exec(ctx context.Context, statement string) error {
	_, err := a.ExecContext(ctx, statement)
	return err
}

// Query returns the rows.
func (a Application) Query(ctx context.Context, query string) ([][]any, error) {
	rows, err := a.QueryxContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	var out [][]any
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return nil, err
		}
		for i, v := range vals {
			vals[i] = a.Seen(types[i].DatabaseTypeName(), v)
		}
		out = append(out, vals)
	}
	return out, rows.Err()
}
