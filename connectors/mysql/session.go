package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

const (
	// dialWait is how long a connection may take.
	dialWait = 10 * time.Second
	// greetWait is how long the server may take, the connection included, to greet.
	greetWait = 15 * time.Second
	// lockWait is how many seconds a statement waits for rows, and for a table's
	// definition, that others keep.
	lockWait = 5
	// sessions is the most of each kind at a time.
	sessions = 4
)

// settings are what every session relies on, whatever the server's defaults and
// the dsn say. Zero dates and 30 February can be read and copied; everything
// else that does not fit is an error. Lists of held subjects are sorted in memory.
const settings = `SET SESSION sql_mode = '` + strict + `',
 time_zone = '+00:00', autocommit = 1, foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0, sql_big_selects = 1, sql_select_limit = 18446744073709551615, sql_auto_is_null = 0,
 completion_type = 'NO_CHAIN', lock_wait_timeout = 5, innodb_lock_wait_timeout = 5, tmp_table_size = 268435456, max_heap_table_size = 268435456`

// mariaSettings are those that only MariaDB has: a session that is stopped in the
// middle of a batch does not keep its locks for ever.
// Rows with versions are read as they are now; DEFAULT is that, whatever the server's
// own setting is.
const mariaSettings = "SET SESSION idle_transaction_timeout = 10, check_constraint_checks = 1, system_versioning_asof = DEFAULT"

// connector opens sessions and settles what they rely on.
type connector struct {
	inner driver.Connector
	e     *engine
	write bool
}

// Connect opens one session: one that writes proves that the server may be
// written to, one that reads is held read-only.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, greetWait)
	defer cancel()
	conn, err := c.inner.Connect(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil { // servers of this kind speak first; PostgreSQL waits
		return nil, refusal(retention.RefuseSourceDown, "%s: what answers at %s is no MariaDB or MySQL server, or is stuck: correct the address, or the driver of the source", c.e.name, c.e.address)
	}
	if err != nil {
		return nil, c.e.down(err)
	}
	if err := c.prepare(ctx, conn); err != nil {
		_ = conn.Close() // why it cannot be used is said
		return nil, c.e.down(err)
	}
	return conn, nil
}

func (c connector) prepare(ctx context.Context, conn driver.Conn) error {
	if err := c.e.learn(ctx, conn); err != nil {
		return err
	}
	texts := []string{settings}
	if c.e.maria {
		texts = append(texts, mariaSettings)
	}
	if !c.write {
		texts = append(texts, "SET SESSION TRANSACTION READ ONLY")
	}
	for _, text := range texts {
		if _, err := ask(ctx, conn, text); err != nil {
			return fmt.Errorf("settings of the session: %w", err)
		}
	}
	if c.write {
		return c.e.writable(ctx, conn)
	}
	return nil
}

// Driver is the library's.
func (c connector) Driver() driver.Driver { return c.inner.Driver() }

// ask runs a text without arguments and returns its first row as texts.
func ask(ctx context.Context, conn driver.Conn, text string) ([]string, error) {
	q, ok := conn.(driver.QueryerContext)
	if !ok {
		return nil, fmt.Errorf("the driver cannot ask")
	}
	rows, err := q.QueryContext(ctx, text, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the answer was read
	vals := make([]driver.Value, len(rows.Columns()))
	if len(vals) == 0 || rows.Next(vals) != nil {
		return nil, nil
	}
	out := make([]string, len(vals))
	for i, v := range vals {
		if b, ok := v.([]byte); ok {
			out[i] = string(b)
		} else if v != nil {
			out[i] = fmt.Sprint(v)
		}
	}
	return out, nil
}

func (e *engine) pool(c *mysql.Config, write bool) (*sqlx.DB, error) {
	c.DialFunc = dial
	inner, err := mysql.NewConnector(c)
	if err != nil {
		return nil, e.down(err)
	}
	db := sql.OpenDB(connector{inner, e, write})
	db.SetMaxOpenConns(sessions)
	db.SetMaxIdleConns(sessions)
	db.SetConnMaxIdleTime(time.Minute)
	return sqlx.NewDb(db, "mysql"), nil
}

// dial connects as the driver does by itself, and reads widely.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return sqlwork.Wide(c), nil
}
