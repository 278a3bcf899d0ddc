package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// sign signs the audit log as it is, so that what a command appended is under a
// signature when the command returns (L8).
func (e *Engine) sign(ctx context.Context) error {
	switch _, err := e.Store.Checkpoint(ctx); {
	case errors.Is(err, retention.ErrRolledBack):
		return refuse(retention.RefuseStateMismatch, "%v", err)
	case err != nil:
		return fmt.Errorf("signing the audit log: %w", err)
	}
	return nil
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
