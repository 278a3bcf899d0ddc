package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/retentiond/retentiond/retention/audit"
)

// tx is one transaction of the store, at one instant of its clock.
type tx struct {
	*sqlx.Tx
	s   *Store
	now time.Time
	// pinned: the entries end something that the open year began, so that year
	// does not close under them.
	pinned bool
}

// write runs do in a transaction that has the write lock from its beginning.
// It is durable on return without error; otherwise nothing of it remains, unless
// the error is [ErrUnknown].
func (s *Store) write(ctx context.Context, do func(*tx) error) error {
	return s.inTx(ctx, true, do)
}

// read runs do on one snapshot, without waiting for writers.
func (s *Store) read(ctx context.Context, do func(*tx) error) error {
	return s.inTx(ctx, false, do)
}

func (s *Store) inTx(ctx context.Context, write bool, do func(*tx) error) error {
	return s.base.within(ctx, write, func(t *sqlx.Tx, now time.Time) error {
		return do(&tx{Tx: t, s: s, now: stored(now)})
	})
}

// stored is an instant in the microseconds that are stored.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := t.ExecContext(ctx, t.Rebind(query), args...)
	if err != nil {
		return 0, t.s.base.explain(err)
	}
	return r.RowsAffected()
}

// insert writes n rows, several in a statement: into names table and columns, tail
// ends the statement.
func (t *tx) insert(ctx context.Context, into, tail string, n int, row func(int) []any) error {
	const most = 100
	for from := 0; from < n; from += most {
		var args []any
		var text strings.Builder
		for i := from; i < min(n, from+most); i++ {
			values := row(i)
			text.WriteString(", (?" + strings.Repeat(", ?", len(values)-1) + ")")
			args = append(args, values...)
		}
		if _, err := t.exec(ctx, "INSERT INTO "+into+" VALUES "+text.String()[2:]+tail, args...); err != nil {
			return err
		}
	}
	return nil
}

// get reads one row; ok = false: there is none.
func (t *tx) get(ctx context.Context, dest any, query string, args ...any) (ok bool, err error) {
	err = t.GetContext(ctx, dest, t.Rebind(query), args...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, t.s.base.explain(err)
}

func (t *tx) all(ctx context.Context, dest any, query string, args ...any) error {
	return t.s.base.explain(t.SelectContext(ctx, dest, t.Rebind(query), args...))
}

// record appends audit entries in this transaction and returns the last number.
func (t *tx) record(ctx context.Context, events ...audit.Event) (int64, error) {
	return audit.Append(ctx, t.log(), t.s.key, t.now, events...)
}

// meta reads a value; "" where there is none.
func (t *tx) meta(ctx context.Context, name string) (string, error) {
	var v string
	_, err := t.get(ctx, &v, "SELECT value FROM meta WHERE name = ?", name)
	return v, err
}

func (t *tx) setMeta(ctx context.Context, name, value string) error {
	_, err := t.exec(ctx, "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	return err
}

func (t *tx) metaInt(ctx context.Context, name string) (int64, error) {
	v, err := t.meta(ctx, name)
	if err != nil || v == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("state store: %s is %q, not a number: %w", name, v, err)
	}
	return n, nil
}

// raise adds one to a counter and returns it.
func (t *tx) raise(ctx context.Context, name string) (int64, error) {
	n, err := t.metaInt(ctx, name)
	if err != nil {
		return 0, err
	}
	return n + 1, t.setMeta(ctx, name, strconv.FormatInt(n+1, 10))
}

// micros is how times are stored; 0 is none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func toJSON(v any) ([]byte, error) { return json.Marshal(v) }

func fromJSON(what string, b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("state store: %s cannot be read: %w", what, err)
	}
	return nil
}
