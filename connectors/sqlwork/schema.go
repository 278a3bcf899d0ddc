package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// SameSchema reads the planned tables again and compares their fingerprints; a
// difference is a schema_drift refusal. Engines call it where a cheaper look does
// not do.
func SameSchema(ctx context.Context, e Engine, q Session, planned *retention.Schema) error {
	if planned == nil || len(planned.Tables) == 0 {
		return fmt.Errorf("the batch names no schema to compare with")
	}
	var names []retention.TableName
	for n := range planned.Tables {
		names = append(names, n)
	}
	live, err := e.Describe(ctx, q, names)
	if err != nil {
		return fmt.Errorf("read the schema again: %w", err)
	}
	for n, t := range planned.Tables {
		l := live.Table(n)
		if l == nil || l.Fingerprint != t.Fingerprint {
			return refusal(retention.RefuseSchemaDrift, "table %s changed since the plan was made: plan again", n)
		}
	}
	return nil
}
