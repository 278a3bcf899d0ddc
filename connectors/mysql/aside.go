package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// asideTable has the rows of one partition between the moment that they leave their
// table and the moment that they are gone, or back. Its comment says whose they are.
const asideTable = "retentiond_aside"

// set is what the comment of the table says.
type set struct {
	Intent    string `json:"intent"`
	Schema    string `json:"schema"`
	Table     string `json:"table"`
	Partition string `json:"partition"`
}

func (s set) of() retention.TableName { return retention.TableName{Schema: s.Schema, Name: s.Table} }

// Aside reads the comment. A table of that name that does not say that it is ours is
// never touched, nor are partitions set aside beside it.
func (e *engine) Aside(ctx context.Context) (string, error) {
	conn := pinned(ctx)
	if conn == nil {
		return "", nil
	}
	s, _, err := e.asideOf(ctx, conn)
	return s.Intent, err
}

// asideOf is what is set aside; an empty intent beside there: the table does not say.
func (e *engine) asideOf(ctx context.Context, conn *sqlx.Conn) (s set, there bool, err error) {
	var comment string
	err = conn.GetContext(ctx, &comment, "SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?", e.home.database, asideTable)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return s, false, nil
	case err != nil:
		return s, false, fmt.Errorf("look for table %s: %w", asideTable, err)
	case json.Unmarshal([]byte(comment), &s) == nil && s.Intent != "" && s.Table != "" && s.Partition != "":
		return s, true, nil
	}
	return set{}, true, nil
}

func (e *engine) empty(ctx context.Context, conn *sqlx.Conn, rows string) (bool, error) {
	var some []int
	err := conn.SelectContext(ctx, &some, "SELECT 1 FROM "+rows+" LIMIT 1")
	return len(some) == 0, err
}

// How long an exchange tries to have the table for itself. It never waits in its line:
// whoever came behind would wait too.
const (
	alonePatience = time.Second
	alonePause    = 5 * time.Millisecond
)

// insist tries a statement that takes a table for itself at once, or not at all.
func (e *engine) insist(ctx context.Context, conn *sqlx.Conn, text string) error {
	for tries := alonePatience / alonePause; ; tries-- {
		_, err := conn.ExecContext(ctx, text)
		if err == nil || !busy(err) || tries <= 0 {
			return err
		}
		if err := sqlwork.Pause(ctx, alonePause); err != nil {
			return err
		}
	}
}

// SetAside exchanges the partition with an empty table. The server does that at once,
// or not at all, and only while no transaction has touched the table and not ended:
// whoever had a row locked has said what there was to say.
func (e *engine) SetAside(ctx context.Context, intent string, t *retention.Table, part retention.TableName) (retention.TableName, error) {
	none, conn := retention.TableName{}, pinned(ctx)
	if conn == nil {
		return none, fmt.Errorf("partition %s: no session is set apart for it: %w", part, retention.ErrNotWhole)
	}
	if err := e.kept(ctx, conn); err != nil {
		return none, err
	}
	there, _, err := e.stillPart(ctx, conn, t.Name, part.Name)
	if err != nil || !there {
		return none, errors.Join(err, fmt.Errorf("partition %s is no longer one of table %s that may go: %w", part, t.Name, retention.ErrNotWhole))
	}
	n := e.home.key(t.Name)
	comment, err := json.Marshal(set{intent, n.Schema, n.Name, part.Name})
	if err != nil {
		return none, err
	}
	if err := e.mayAside(ctx, conn, n); err != nil {
		return none, stays(part, err)
	}
	create, err := e.createAside(ctx, conn, n, string(comment))
	if err != nil {
		return none, stays(part, err)
	}
	for _, text := range []string{
		create,
		"ALTER TABLE " + e.words.Table(n).Text + " NOWAIT EXCHANGE PARTITION " + quote(part.Name) + " WITH TABLE " + e.Own(asideTable),
	} {
		if err := e.insist(ctx, conn, text); err != nil {
			return none, stays(part, err)
		}
	}
	return retention.TableName{Schema: e.home.database, Name: asideTable}, nil
}

// stillPart looks whether the partition is there, and whether it may go.
func (e *engine) stillPart(ctx context.Context, conn *sqlx.Conn, t retention.TableName, part string) (goes, there bool, err error) {
	rows, err := e.partitionRows(ctx, conn, t)
	for _, r := range rows {
		there = there || r.Name == part
	}
	for _, r := range going(rows) {
		goes = goes || r.Name == part
	}
	return goes, there, err
}

// literal writes a text of ours; sessions read backslashes.
func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s) + "'"
}

// stays explains why a partition stays: the server says no, to this user or to this
// table. A disk that is full is another thing.
func stays(part retention.TableName, err error) error {
	var said *mysql.MySQLError
	if busy(err) || !errors.As(err, &said) {
		return err
	}
	switch said.Number {
	case 1021, 1114, 3675:
		return err
	}
	return fmt.Errorf("partition %s: %w: %w", part, retention.ErrNotWhole, err)
}
