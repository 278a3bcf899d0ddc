package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// Deferring is an engine that may do part of a statement's work at the commit, after
// everything was read back, and whose tables others may define anew while they are read.
type Deferring interface {
	// Pin keeps the table defined as it is until the transaction ends.
	Pin(ctx context.Context, s Session, t retention.TableName) error
	// Fire does now what was left for the commit, and from now on leaves nothing.
	Fire(ctx context.Context, s Session) error
}

// fire lets what waits for the commit happen before it is judged.
func (s *Source) fire(ctx context.Context, q Session) error {
	e, ok := s.e.(Deferring)
	if !ok {
		return nil
	}
	if err := e.Fire(ctx, q); err != nil {
		return fmt.Errorf("do what was deferred to the commit: %w", err)
	}
	return nil
}

// lasting refuses a vault table that may not keep what it is given (L9), or which is
// gone; it stays as it was found until the transaction ends. Every batch asks: what
// was made with the plan may have been changed since.
func (s *Source) lasting(ctx context.Context, q Session, into retention.TableName) (*retention.Table, error) {
	if e, ok := s.e.(Deferring); ok {
		if err := e.Pin(ctx, q, into); err != nil {
			return nil, fmt.Errorf("vault table %s: %w", into, err)
		}
	}
	live, err := s.one(ctx, q, into)
	switch {
	case err != nil:
		return nil, err
	case live == nil:
		return nil, refusal(retention.RefuseSchemaDrift, "vault table %s does not exist any more: plan again", into)
	}
	return live, keeps(live)
}

// keeps refuses a vault table whose rows may be lost, changed or hidden by anything
// but an end of the archive.
func keeps(t *retention.Table) error {
	if why := t.NoVault(); why != "" {
		return refusal(retention.RefuseUnsafeTable, "vault table %s: %s; nothing was moved", t.Name, why)
	}
	return nil
}
