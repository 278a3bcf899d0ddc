package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// sign signs the audit log as it is, so that what a command appended is under a
// signature when the command returns (L8).
func (e *Engine) sign(ctx context.Context) error {
	_, err := e.checkpoint(ctx)
	return err
}

// checkpoint signs the audit log as it is. A log that went back, or is another
// one, is a state_mismatch refusal.
func (e *Engine) checkpoint(ctx context.Context) (audit.Checkpoint, error) {
	cp, err := e.Store.Checkpoint(ctx)
	switch {
	case errors.Is(err, retention.ErrRolledBack), errors.Is(err, audit.ErrTail):
		return cp, refuse(retention.RefuseStateMismatch, "%v", err)
	case err != nil:
		return cp, fmt.Errorf("signing the audit log: %w", err)
	}
	return cp, nil
}

// signed signs whatever became of a hold; the hold's own error goes first.
func (e *Engine) signed(ctx context.Context) func(retention.Hold, error) (retention.Hold, error) {
	return func(h retention.Hold, err error) (retention.Hold, error) {
		if s := e.sign(ctx); err == nil {
			err = s
		}
		return h, err
	}
}
