package state

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// Checkpoint signs the tree as it is, stores the checkpoint and writes it beside
// the key. A log that is behind or beside the checkpoint kept there was rolled
// back: [retention.ErrRolledBack], and the witness stays.
func (s *Store) Checkpoint(ctx context.Context) (c audit.Checkpoint, err error) {
	err = s.write(ctx, func(t *tx) error {
		// What was cut is told before what was added.
		if c, err = s.sign(ctx, t); err != nil {
			return err
		}
		if err := s.compareKept(ctx, t, c); err != nil {
			return err
		}
		if err := t.sealed(ctx); err != nil {
			return err
		}
		if c.Size > 0 {
			if err := t.log().PutCheckpoint(ctx, c); err != nil {
				return err
			}
		}
		// Under the store's write lock: an older checkpoint never replaces a newer.
		return s.key.KeepCheckpoint(c)
	})
	return c, wrap(err, "sign the audit log")
}

// sealed is [audit.ErrTail] where the log's end was not written with its key.
func (t *tx) sealed(ctx context.Context) error {
	h, err := t.log().Head(ctx)
	if err != nil {
		return err
	}
	return audit.CheckTail(ctx, t.log(), t.s.key, h)
}

func (s *Store) sign(ctx context.Context, t *tx) (audit.Checkpoint, error) {
	h, err := t.log().Head(ctx)
	if err != nil {
		return audit.Checkpoint{}, err
	}
	if h.Log == "" {
		h.Log = t.now.Format("2006")
	}
	return audit.Sign(ctx, t.log(), s.key, h)
}

// compareKept compares the log with the checkpoint beside the key.
func (s *Store) compareKept(ctx context.Context, t *tx, c audit.Checkpoint) error {
	kept, ok, err := s.key.KeptCheckpoint()
	if err != nil || !ok || kept.Size == 0 {
		return err
	}
	var size int64
	const remedy = "run audit verify; if the state store was lost, or restored from a copy on purpose: check --adopt --by NAME --reason TEXT"
	if _, err := t.get(ctx, &size, "SELECT size FROM audit_logs WHERE log = ?", kept.Log); err != nil {
		return err
	}
	if size < kept.Size {
		return fmt.Errorf("%w: log %s has %d entries, the checkpoint beside the key has %d; %s", retention.ErrRolledBack, kept.Log, size, kept.Size, remedy)
	}
	if kept.Log != c.Log {
		return nil
	}
	root, err := audit.RootAt(ctx, t.log(), kept.Log, kept.Size)
	if err == nil && root != kept.Root {
		err = fmt.Errorf("%w: its first %d entries are not those of the checkpoint beside the key; %s", retention.ErrRolledBack, kept.Size, remedy)
	}
	return err
}

// AdoptLog accepts this log in the place of the one that the checkpoint beside
// the key was made of, when a person says so (a lost or restored store). That
// checkpoint is set aside, not lost, and an entry says which it was, by whom
// (keyed) and why (salted). Where the log still fits it, nothing changes. Holds
// that are not those of the log are accepted as they are, each with an entry.
func (s *Store) AdoptLog(ctx context.Context, by, reason string) error {
	aside := ""
	err := s.write(ctx, func(t *tx) error {
		aside = ""
		c, err := s.sign(ctx, t)
		if err != nil {
			return err
		}
		if err := t.sealed(ctx); errors.Is(err, audit.ErrTail) {
			if err := t.reseal(ctx, c); err != nil {
				return err
			}
			data := map[string]any{"adopted_unsealed": map[string]any{"log": c.Log, "size": c.Size, "root": c.Root}}
			if err := t.recordBy(ctx, audit.Event{Kind: audit.ConfigLoaded, Data: data}, by, reason); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		back := s.compareKept(ctx, t, c)
		if back != nil && !errors.Is(back, retention.ErrRolledBack) {
			return back
		}
		if err := t.adoptHolds(ctx, by, reason); err != nil || back == nil {
			return err
		}
		kept, _, err := s.key.KeptCheckpoint()
		if err != nil {
			return err
		}
		aside = fmt.Sprintf("%s.%s", s.key.CheckpointPath(), t.now.Format("20060102T150405.000000"))
		data := map[string]any{"adopted_after": map[string]any{"log": kept.Log, "size": kept.Size, "root": kept.Root}}
		return t.recordBy(ctx, audit.Event{Kind: audit.ConfigLoaded, Data: data}, by, reason)
	})
	// Only once the entry that says so is durable: a crash in between leaves a log that
	// is refused still.
	if err == nil && aside != "" {
		err = os.Rename(s.key.CheckpointPath(), aside)
	}
	return wrap(err, "adopt the audit log")
}

// reseal accepts the log's end as it is; the entry that says so follows in the
// same transaction.
func (t *tx) reseal(ctx context.Context, c audit.Checkpoint) error {
	h, err := t.log().Head(ctx)
	if err != nil {
		return err
	}
	h.MAC = t.s.key.Seal(h, c.Root)
	return t.log().SetHead(ctx, h)
}
