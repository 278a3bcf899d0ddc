package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

// connector opens sessions whose errors hold no value of a row: PostgreSQL quotes
// them, and an error may be written down wherever it goes.
type connector struct{ driver.Connector }

// Connect opens one session.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, scrub(err)
	}
	x, ok := inner.(whole)
	if !ok {
		return nil, errors.Join(errors.New("postgres: the driver lacks what sessions need"), inner.Close())
	}
	return conn{x}, nil
}

// whole is what lib/pq's connection can do, and database/sql looks for.
type whole interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type conn struct{ whole }

// ExecContext runs a statement.
func (c conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	r, err := c.whole.ExecContext(ctx, query, args)
	return r, scrub(err)
}

// QueryContext runs a query.
func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	r, err := c.whole.QueryContext(ctx, query, args)
	if err != nil {
		return nil, scrub(err)
	}
	return rows{r}, nil
}

// BeginTx begins a transaction.
func (c conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.whole.BeginTx(ctx, o)
	return tx, scrub(err)
}

// rows scrubs what goes wrong on the way.
type rows struct{ driver.Rows }

// Next reads a row.
func (r rows) Next(dest []driver.Value) error { return scrub(r.Rows.Next(dest)) }

// scrubbed is an error of the server whose text holds no value of a row.
type scrubbed struct {
	text string
	err  *pq.Error
}

func (s *scrubbed) Error() string { return s.text }
func (s *scrubbed) Unwrap() error { return s.err }

func scrub(err error) error {
	e, ok := errors.AsType[*pq.Error](err)
	if !ok {
		return err
	}
	return &scrubbed{spoken(e), e}
}

// spoken is a server's error without values: its condition, and the names it
// gives. Messages of class 42 are about the statement, 55 and 57 about the
// server; others may quote data.
func spoken(e *pq.Error) string {
	text := strings.ReplaceAll(e.Code.Name(), "_", " ")
	switch string(e.Code.Class()) {
	case "42", "55", "57", "25", "28", "3D", "53":
		text = e.Message
	}
	for _, n := range []struct{ what, name string }{{"table", e.Table}, {"column", e.Column}, {"constraint", e.Constraint}} {
		if n.name != "" {
			text += ", " + n.what + " " + n.name
		}
	}
	return fmt.Sprintf("%s (SQLSTATE %s)", text, e.Code)
}
