package mysql

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

var _ sqlwork.Deferring = (*engine)(nil)

// inVault says, in [engine.sight], that the table's triggers are shown as those of a
// vault have to be.
type inVault struct{ t retention.TableName }

// Pin opens the table: from then on to the end of the transaction nobody can change
// its definition. Triggers that the user is not shown could take copies away.
func (e *engine) Pin(ctx context.Context, q sqlwork.Session, t retention.TableName) error {
	if _, err := q.ExecContext(ctx, "SELECT 1 FROM "+e.words.Table(t).Text+" WHERE FALSE"); err != nil {
		return err
	}
	key := e.home.key(t)
	if _, known := e.sight.Load(inVault{key}); known {
		return nil
	}
	grants, err := grantsOf(ctx, q)
	if err != nil {
		return err
	}
	if !has(grants, "TRIGGER", key) {
		return refusal(retention.RefuseUnsafeTable, "%s: user %s is not shown the triggers of vault table %s, which could take copies away: GRANT TRIGGER ON %s TO that user",
			e.name, e.user, t, e.words.Table(t).Text)
	}
	e.sight.Store(inVault{key}, true)
	return nil
}

// Fire has nothing to do: statements leave nothing for the commit.
func (e *engine) Fire(context.Context, sqlwork.Session) error { return nil }

// ownSQL counts what makes tables of ours unfit to keep what is written: an engine
// without transactions, a view, or triggers.
const ownSQL = `SELECT (SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN ('retentiond_gate', 'retentiond_receipt') AND (coalesce(ENGINE, '') <> 'InnoDB' OR TABLE_TYPE <> 'BASE TABLE')) +
 (SELECT count(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE IN ('retentiond_gate', 'retentiond_receipt'))`

// Installed asks for the table itself: a missing one ends no transaction here. Tables
// that would not keep a receipt as long as what it speaks of are refused (L7).
func (e *engine) Installed(ctx context.Context, q sqlwork.Session) (bool, error) {
	var n, odd int
	err := q.GetContext(ctx, &n, "SELECT count(*) FROM "+e.Own(gateTable)+" WHERE id = 0")
	if code(err) == errNoTable {
		return false, nil
	}
	if err == nil {
		err = q.GetContext(ctx, &odd, ownSQL, e.database, e.database)
	}
	switch {
	case err != nil:
		return false, fmt.Errorf("look for the gate: %w", err)
	case odd > 0:
		return false, refusal(retention.RefuseUnsafeTable, "%s: table %s or retentiond_receipt is not an InnoDB table without triggers, so that receipts would not last: ALTER TABLE … ENGINE=InnoDB, and drop the triggers", e.name, gateTable)
	}
	return true, nil
}
