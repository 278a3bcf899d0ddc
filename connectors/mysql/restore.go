package mysql

import (
	"context"

	"github.com/retentiond/retentiond/connectors/sqlwork"
)

var _ sqlwork.Inserter = (*engine)(nil)

// Exact makes the session keep a 0 in a column that numbers rows itself, and take a
// zero date.
func (e *engine) Exact(ctx context.Context, s sqlwork.Session) (func(context.Context) error, error) {
	const modes = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES"
	set := func(ctx context.Context, to string) error {
		_, err := s.ExecContext(context.WithoutCancel(ctx), "SET SESSION sql_mode = '"+to+"'")
		return err
	}
	return func(ctx context.Context) error { return set(ctx, modes) }, set(ctx, modes+",NO_AUTO_VALUE_ON_ZERO")
}
