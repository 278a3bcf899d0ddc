package sqlite

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

// guard refuses a batch whose tables are no longer those that were planned.
func (s *Source) guard(conn *sqlx.Conn, planned *retention.Schema) func(context.Context) error {
	return func(ctx context.Context) error {
		var version int64
		if err := conn.GetContext(ctx, &version, "PRAGMA schema_version"); err != nil {
			return fmt.Errorf("sqlite %s: schema version: %w", s.path, err)
		}
		now := verified{planned, version}
		s.mu.Lock()
		same := planned != nil && s.verified == now
		s.mu.Unlock()
		if same {
			return nil
		}
		if err := compareSchema(ctx, conn, planned); err != nil {
			return err
		}
		s.mu.Lock()
		s.verified = now
		s.mu.Unlock()
		return nil
	}
}

// verified is a schema that was found equal to the live one at that version.
type verified struct {
	schema  *retention.Schema
	version int64
}

func compareSchema(ctx context.Context, conn *sqlx.Conn, planned *retention.Schema) error {
	if planned == nil || len(planned.Tables) == 0 {
		return fmt.Errorf("the batch names no schema to compare with")
	}
	var names []retention.TableName
	for n := range planned.Tables {
		names = append(names, n)
	}
	live, err := describe(ctx, conn, names)
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
