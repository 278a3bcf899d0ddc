package mysql

import (
	"context"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Unchanged refuses a batch whose tables are no longer those that were planned.
// It opens each of them first: from then on to the end of the transaction nobody
// can change their definition.
func (e *engine) Unchanged(ctx context.Context, q sqlwork.Session, planned *retention.Schema) error {
	if planned != nil && len(planned.Tables) > 0 {
		var opens []string
		seen := map[retention.TableName]bool{}
		for n := range planned.Tables {
			if key := e.home.key(n); !seen[key] {
				seen[key] = true
				opens = append(opens, "SELECT 1 FROM "+e.words.Table(n).Text+" WHERE FALSE")
			}
		}
		_, err := q.ExecContext(ctx, strings.Join(opens, " UNION ALL "))
		if code(err) == errNoTable {
			return refusal(retention.RefuseSchemaDrift, "a table that was planned does not exist any more: plan again")
		}
		if err != nil {
			return fmt.Errorf("open the tables of the batch: %w", err)
		}
	}
	if err := e.sighted(ctx, q, planned); err != nil {
		return err
	}
	return e.compared(ctx, q, planned)
}
