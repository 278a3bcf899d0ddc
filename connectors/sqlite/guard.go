package sqlite

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Unchanged refuses a batch whose tables are no longer those that were planned.
func (s *engine) Unchanged(ctx context.Context, q sqlwork.Session, planned *retention.Schema) error {
	var version int64
	if err := q.GetContext(ctx, &version, "PRAGMA schema_version"); err != nil {
		return fmt.Errorf("sqlite %s: schema version: %w", s.path, err)
	}
	now := verified{planned, version}
	s.mu.Lock()
	same := planned != nil && s.verified == now
	s.mu.Unlock()
	if same {
		return nil
	}
	if err := sqlwork.SameSchema(ctx, s, q, planned); err != nil {
		return err
	}
	s.mu.Lock()
	s.verified = now
	s.mu.Unlock()
	return nil
}

// verified is a schema that was found equal to the live one at that version.
type verified struct {
	schema  *retention.Schema
	version int64
}
