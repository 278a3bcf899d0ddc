package state

import (
	"context"

	"github.com/retentiond/retentiond/retention/audit"
)

// LogState is the size of the audit log, all years together, and an error where it
// could not be signed now: its end was not written with the key, or it is behind
// the checkpoint that is kept. It writes nothing.
func (s *Store) LogState(ctx context.Context) (size int64, err error) {
	err = s.read(ctx, func(t *tx) error {
		h, err := t.log().Head(ctx)
		if err != nil || h.Log == "" {
			return err
		}
		size = h.Base + h.Size
		if err := s.compareKept(ctx, t, audit.Checkpoint{Log: h.Log}); err != nil {
			return err
		}
		return t.sealed(ctx)
	})
	return size, wrap(err, "look at the audit log")
}
