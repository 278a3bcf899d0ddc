package mysql

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// engine is what MariaDB and MySQL add to the work that all SQL connectors do
// alike.
type engine struct {
	name          string // product, address and database, without secrets
	address, user string
	database      string
	declared      bool // the operator says that nobody else writes
	apart         bool // dsn_read is another user, or another server
	read, write   *sqlx.DB
	near          *sqlx.DB // reads at the source: the same as read, unless that is apart
	words         *sqlgen.Dialect

	// What the server says of itself, from Open on.
	version string
	maria   bool
	home    home

	mu       sync.Mutex
	verified verified // the schema that was compared in full last

	sight sync.Map // tables, by [home.key], of which all that matters is shown to the acting user
}

var _ sqlwork.Engine = (*engine)(nil)

// Dialect is the server's.
func (e *engine) Dialect() *sqlgen.Dialect { return e.words }

// Name is product, address and database.
func (e *engine) Name() string { return e.name }

// Alone is false: others write.
func (e *engine) Alone() bool { return false }

// Chained is true: a scan ends at a row behind its range, which it locks and lets go.
// Where that was deleted a moment ago it goes on to the next one, and so runs behind
// whoever deletes there; see [retention.Chained].
func (e *engine) Chained() bool { return true }

// Changed counts rows that the session ever changed, as MariaDB tells. MySQL
// counts its own temporary rows among them, so that nothing can be told there:
// tables with triggers are refused.
func (e *engine) Changed(ctx context.Context, q sqlwork.Session) (int64, bool, error) {
	if !e.maria {
		return 0, false, refusal(retention.RefuseUnsafeTable, "%s: a table of the batch has a trigger, and MySQL does not tell what triggers change: drop the trigger, or do its work in the application", e.name)
	}
	var n int64
	err := q.GetContext(ctx, &n, "SELECT CAST(SUM(VARIABLE_VALUE) AS SIGNED) FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME IN ('HANDLER_DELETE', 'HANDLER_UPDATE', 'HANDLER_WRITE')")
	if err != nil {
		return 0, false, fmt.Errorf("count changes: %w", err)
	}
	return n, true, nil
}

// Mark is seconds since 1970 in an integer column, a time without zone, in UTC,
// in a time column, and RFC 3339 in a text.
func (e *engine) Mark(c *retention.Column, at time.Time) any {
	switch {
	case c == nil || c.Kind == retention.KindText:
		return at.UTC().Format(time.RFC3339)
	case c.Kind == retention.KindInteger:
		return at.Unix()
	case c.Kind == retention.KindDate:
		return at.UTC().Format(time.DateOnly)
	}
	return at.UTC().Format(time.DateTime)
}

// Value makes what the driver returned exact: integers beyond 64 bits with a sign
// stay texts.
func (e *engine) Value(c *retention.Column, v any) any {
	b, isBytes := v.([]byte)
	if u, ok := v.(uint64); ok {
		b, isBytes = []byte(strconv.FormatUint(u, 10)), true
	}
	switch {
	case !isBytes || c == nil || c.Kind == retention.KindBytes:
		return v
	case c.Kind == retention.KindInteger:
		if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
			return n
		}
	case c.Kind == retention.KindOther:
		if n, ok := numbered(c, string(b)); ok {
			return n
		}
	}
	return string(b)
}

// InstallSQL makes the two tables.
func (e *engine) InstallSQL() []string {
	const id = "VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin"
	return sqlwork.GateSQL(e.Own(gateTable), e.Own("retentiond_receipt"), "`rows`", id, "LONGTEXT CHARACTER SET utf8mb4", " ENGINE=InnoDB")
}

// Own is in the connection's own database.
func (e *engine) Own(name string) string { return quote(e.database) + "." + quote(name) }
