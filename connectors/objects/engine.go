package objects

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlite"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// engine is what listings add to the work that all SQL connectors do alike.
type engine struct {
	tree    Tree
	journal journal
	line    *line // listings, and the gate beside them: plans and batches
	own     *line // the gate alone: holds, receipts

	left    atomic.Int64 // lines of files that were not understood
	pruned  int64        // of which listing forms were pruned
	listing sync.Mutex   // who lists, one at a time
	made    made
	looked  looked // by the batch that has the line
	copies  copies // of that batch

	mu       sync.Mutex
	declared sets
	rows     rowsOf
}

var (
	_ sqlwork.Engine    = (*engine)(nil)
	_ sqlwork.Outdoors  = (*engine)(nil)
	_ sqlwork.Forgetter = (*engine)(nil)
)

// Dialect is SQLite's.
func (e *engine) Dialect() *sqlgen.Dialect { return dialect() }

// Name is the tree.
func (e *engine) Name() string { return e.tree.Name() }

// Look runs do in one read-only transaction: over the listings, or, of gates and
// receipts, over the gate file.
func (e *engine) Look(ctx context.Context, do func(sqlwork.Session) error) error {
	l := e.line
	if sqlwork.IsAtSource(ctx) {
		l = e.own
	}
	if err := l.take(ctx, 0); err != nil {
		return err
	}
	defer l.give()
	return l.read(ctx, func(c *sqlx.Conn) error { return do(c) })
}

// Change takes the tree, and the gate file's write lock: together they are the gate. A batch has the
// listings beside it; a hold that passes makes no gate where there is none.
func (e *engine) Change(ctx context.Context, hold sqlwork.Hold, wait time.Duration, do func(sqlwork.Session) error) error {
	l := e.own
	if hold == sqlwork.Shared {
		l = e.line
	}
	if err := l.take(ctx, wait); err != nil {
		return err
	}
	defer l.give()
	return e.exclusively(ctx, wait, func() error {
		if err := l.attach(ctx, hold == sqlwork.Loose); err != nil {
			return err
		}
		err := l.write(ctx, wait, func(c *sqlx.Conn) error {
			if err := e.known(ctx, hold, c); err != nil {
				return err
			}
			return do(c)
		})
		if err != nil {
			return fmt.Errorf("gate file %s: %w", l.gate, err)
		}
		return nil
	})
}

// Describe is what was declared; the listing itself is made by [Source.Describe].
func (e *engine) Describe(_ context.Context, _ sqlwork.Session, tables []retention.TableName) (*retention.Schema, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := &retention.Schema{Tables: map[retention.TableName]*retention.Table{}}
	for _, n := range tables {
		if s := e.declared.find(n); s != nil {
			out.Tables[n] = s.table()
		}
	}
	return out, nil
}

// Unchanged compares what was declared with the plan.
func (e *engine) Unchanged(ctx context.Context, q sqlwork.Session, planned *retention.Schema) error {
	if planned != nil && len(planned.Tables) == 0 { // files that rows own are of no pattern
		return nil
	}
	return sqlwork.SameSchema(ctx, e, q, planned)
}

// Kind sorts SQLite's errors.
func (e *engine) Kind(err error) sqlwork.ErrorKind { return sqlite.KindOf(err) }

// Explain names the table.
func (e *engine) Explain(t *retention.Table, err error) error {
	return fmt.Errorf("files %s: %w", t.Name, err)
}

// Changed is not told: no trigger is there.
func (e *engine) Changed(context.Context, sqlwork.Session) (int64, bool, error) { return 0, false, nil }

// Mark is a time as text.
func (e *engine) Mark(_ *retention.Column, at time.Time) any { return at.UTC().Format(time.RFC3339) }

// Value is what the driver returned.
func (e *engine) Value(_ *retention.Column, v any) any { return v }

// VaultSQL is an error: files do not go into tables.
func (e *engine) VaultSQL(context.Context, sqlwork.Session, *retention.Table, retention.TableName) ([]string, error) {
	return nil, errors.New("files are archived into a vault of files, not of tables")
}

// InstallSQL makes the two tables.
func (e *engine) InstallSQL() []string {
	return sqlwork.GateSQL(e.Own("retentiond_gate"), e.Own("retentiond_receipt"), `"rows"`, "TEXT", "TEXT", "")
}

// Own is in the gate file.
func (e *engine) Own(name string) string { return "gate." + name }

// Installed asks the gate file, where there is one.
func (e *engine) Installed(ctx context.Context, q sqlwork.Session) (bool, error) {
	var n int
	if err := q.GetContext(ctx, &n, "SELECT count(*) FROM pragma_database_list WHERE name = 'gate'"); err != nil || n == 0 {
		return false, err
	}
	if err := q.GetContext(ctx, &n, "SELECT count(*) FROM gate.sqlite_schema WHERE type = 'table' AND name = 'retentiond_gate'"); err != nil {
		return false, fmt.Errorf("gate of %s: %w", e.tree.Name(), err)
	}
	return n > 0, nil
}

// Alone is true: the gate's lock is held from the first statement to the end.
func (e *engine) Alone() bool { return true }
