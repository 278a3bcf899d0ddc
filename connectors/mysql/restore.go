package mysql

import (
	"context"

	"github.com/retentiond/retentiond/connectors/sqlwork"
)

var _ sqlwork.Inserter = (*engine)(nil)

const (
	lenient = "NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES"
	strict  = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO," + lenient
)

func setMode(ctx context.Context, s sqlwork.Session, to string) error {
	_, err := s.ExecContext(context.WithoutCancel(ctx), "SET SESSION sql_mode = '"+to+"'")
	return err
}

// Exact makes the session keep a 0 in a column that numbers rows itself, and take a
// zero date.
func (e *engine) Exact(ctx context.Context, s sqlwork.Session) (func(context.Context) error, error) {
	return func(ctx context.Context) error { return setMode(ctx, s, strict) }, setMode(ctx, s, strict+",NO_AUTO_VALUE_ON_ZERO")
}

// Odd lets an ENUM have the value that it did not take once, which no strict session
// gives it.
func (e *engine) Odd(ctx context.Context, s sqlwork.Session, err error, do func() error) error {
	if code(err) != errTruncated {
		return err
	}
	if err := setMode(ctx, s, lenient+",NO_AUTO_VALUE_ON_ZERO"); err != nil {
		return err
	}
	err = do()
	if e := setMode(ctx, s, strict+",NO_AUTO_VALUE_ON_ZERO"); err == nil {
		err = e
	}
	return err
}
