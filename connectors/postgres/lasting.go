package postgres

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

var _ sqlwork.Deferring = (*engine)(nil)

// Pin takes the lock that writing takes, beside which nobody can add a trigger or a
// rule, or make the table another.
func (e *engine) Pin(ctx context.Context, q sqlwork.Session, t retention.TableName) error {
	_, err := q.ExecContext(ctx, "LOCK TABLE "+e.d.Table(at(t, e.schema)).Text+" IN ROW EXCLUSIVE MODE")
	return err
}

// Fire makes constraints and constraint triggers immediate for the transaction.
func (e *engine) Fire(ctx context.Context, q sqlwork.Session) error {
	_, err := q.ExecContext(ctx, "SET CONSTRAINTS ALL IMMEDIATE")
	return err
}

// ownSQL is whether both tables of ours exist, and whether one of them may not keep
// what is written: others' triggers and rules could change it, a crash empty it.
const ownSQL = `SELECT count(*) = 2, coalesce(bool_or(c.relkind <> 'r' OR c.relpersistence <> 'p' OR row_security_active(c.oid)
    OR EXISTS (SELECT 1 FROM pg_rewrite w WHERE w.ev_class = c.oid) OR EXISTS (SELECT 1 FROM pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid))
    OR EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A'))), false)
FROM pg_class c WHERE c.oid IN (to_regclass($1::text), to_regclass($2::text))`

// Installed asks the catalogue for both tables, and refuses those that a crash could
// empty, or triggers change: a receipt has to last as long as what it speaks of (L7).
func (e *engine) Installed(ctx context.Context, q sqlwork.Session) (both bool, err error) {
	var odd bool
	err = q.QueryRowxContext(ctx, ownSQL, e.Own("retentiond_gate"), e.Own("retentiond_receipt")).Scan(&both, &odd)
	switch {
	case err != nil:
		return false, fmt.Errorf("%s: look for the gate: %w", e.name, err)
	case odd:
		return false, refusal(retention.RefuseUnsafeTable, "%s: table %s or %s is not an ordinary, logged table without triggers, rules and row-level security, so that receipts would not last: ALTER TABLE … SET LOGGED, and drop what was added to it",
			e.name, e.Own("retentiond_gate"), e.Own("retentiond_receipt"))
	}
	return both, nil
}
