package mysql

import (
	"context"
	"slices"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// sighted refuses to act where the server hides from this user what acting could
// set off: tables that refer to ours are shown only to who may use them, triggers
// only with the TRIGGER privilege. What is not seen could take rows that nobody
// planned or held (L1, L3). Grants are read once for each table.
func (e *engine) sighted(ctx context.Context, q sqlwork.Session, planned *retention.Schema) error {
	var tables []retention.TableName
	if planned != nil {
		for n := range planned.Tables {
			if _, known := e.sight.Load(e.home.key(n)); !known {
				tables = append(tables, n)
			}
		}
	}
	if len(tables) == 0 {
		return nil
	}
	grants, err := grantsOf(ctx, q)
	if err != nil {
		return err
	}
	for _, n := range tables {
		if err := e.shown(grants, n); err != nil {
			return err
		}
		e.sight.Store(e.home.key(n), true)
	}
	return nil
}

func (e *engine) shown(grants []grant, n retention.TableName) error {
	key := e.home.key(n)
	anyOf := retention.TableName{Schema: key.Schema, Name: "\x00any"}
	if !has(grants, "SELECT", anyOf) {
		return refusal(retention.RefuseUnsafeTable, "%s: user %s is not shown every table of database %s, and one that is hidden could lose rows with those of table %s (ON DELETE CASCADE): GRANT SELECT ON %s.* TO that user",
			e.name, e.user, key.Schema, n, quote(key.Schema))
	}
	acts := slices.ContainsFunc([]string{"DELETE", "UPDATE"}, func(right string) bool { return has(grants, right, key) })
	if acts && !has(grants, "TRIGGER", key) {
		return refusal(retention.RefuseUnsafeTable, "%s: user %s is not shown the triggers of table %s, which could do what nobody planned: GRANT TRIGGER ON %s TO that user",
			e.name, e.user, n, e.words.Table(n).Text)
	}
	return nil
}
