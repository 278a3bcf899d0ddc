package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// Admit reads, in one snapshot, kill switch, attempt, holds version and holds,
// compares them with the gate, and returns the holds, or a *retention.Refusal
// (kill_switch, state_mismatch, hold_unreadable) or retention.ErrFenced. Attempt
// 0 is under no lease and is fenced.
func (s *Store) Admit(ctx context.Context, src retention.SourceRecord, attempt int64, g retention.Gate) (h *retention.HoldSet, err error) {
	err = s.read(ctx, func(t *tx) error {
		if err := t.admitted(ctx, attempt); err != nil {
			return err
		}
		version, err := t.metaInt(ctx, metaHolds)
		if err != nil {
			return err
		}
		if err := t.matches(ctx, g, version); err != nil {
			return err
		}
		if h, err = t.holdSet(ctx, src, version); err != nil && ctx.Err() == nil {
			return refuse(retention.RefuseHoldUnreadable, "the holds cannot be read, so nothing acts: %v", err)
		}
		return err
	})
	if err == nil {
		return h, nil
	}
	if r, ok := errors.AsType[*retention.Refusal](err); ok {
		return nil, r
	}
	return nil, wrap(err, "admit a batch on source %s", src.Name)
}

func refuse(code retention.RefusalCode, format string, args ...any) error {
	return &retention.Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// admitted asks the kill switch and the lease.
func (t *tx) admitted(ctx context.Context, attempt int64) error {
	k, err := t.killSwitch(ctx)
	if err != nil {
		return err
	}
	if k.On {
		return refuse(retention.RefuseKillSwitch, "everything is stopped since %s by %s; `retentiond resume` ends that", k.At.Format(time.RFC3339), k.By)
	}
	return t.current(ctx, attempt)
}

// remedy of a mismatch is a person's decision.
const remedy = "if this store is the right one, accept it with `retentiond check --adopt --by NAME --reason TEXT`"

// matches compares this store with the one the gate knows: a store that is
// another, or older than what the source has witnessed, acts on nothing.
func (t *tx) matches(ctx context.Context, g retention.Gate, version int64) error {
	if !g.Installed {
		return nil
	}
	if g.StoreUUID != t.s.uuid {
		return refuse(retention.RefuseStateMismatch, "the source knows the state store %s, this is %s; %s", g.StoreUUID, t.s.uuid, remedy)
	}
	if g.HoldsVersion > version {
		return refuse(retention.RefuseStateMismatch, "the source has seen holds version %d, this state store is at %d: it is older, holds may be missing; place them again, then %s",
			g.HoldsVersion, version, remedy)
	}
	written, err := t.metaInt(ctx, metaWitness+g.SourceUUID)
	if err != nil {
		return err
	}
	if g.LogSize < written {
		return refuse(retention.RefuseStateMismatch, "the source has seen %d audit entries, this state store wrote %d there: the source was restored from a copy, rows that had gone may be back, and rows that were archived into it since are lost: restore a newer copy, or look at a new plan, then %s",
			g.LogSize, written, remedy)
	}
	return t.witnessed(ctx, g)
}

// Knows compares this store with the gate of the source that is configured
// under that name: a state_mismatch refusal where the store is another one or
// older, or where the source was replaced, or restored from a copy.
func (s *Store) Knows(ctx context.Context, name string, g retention.Gate) error {
	err := s.read(ctx, func(t *tx) error {
		var had string
		if _, err := t.get(ctx, &had, "SELECT uuid FROM sources WHERE name = ?", name); err != nil {
			return err
		}
		if had != "" && !g.Installed {
			return refuse(retention.RefuseStateMismatch, "source %s has lost its gate: put it back, the tables retentiond_gate and retentiond_receipt, or, of a folder or a bucket, its directory below gates/ beside the state store, from where it was moved to or from a backup; if the source was replaced on purpose, look at a new plan, then %s", name, remedy)
		}
		if had != "" && had != g.SourceUUID {
			return refuse(retention.RefuseStateMismatch, "source %s is not the database that this state store knows by that name: it was replaced, or restored from an old copy; look at a new plan, then %s", name, remedy)
		}
		version, err := t.metaInt(ctx, metaHolds)
		if err != nil {
			return err
		}
		return t.matches(ctx, g, version)
	})
	if r, ok := errors.AsType[*retention.Refusal](err); ok {
		return r
	}
	return wrap(err, "compare the state store with source %s", name)
}

// Fits compares this store with a gate that a hold is about to pass: an older
// store would give the hold a version that the gate has seen already, and no
// batch could tell the two apart.
func (s *Store) Fits(ctx context.Context, g retention.Gate) error {
	err := s.read(ctx, func(t *tx) error {
		version, err := t.metaInt(ctx, metaHolds)
		if err != nil {
			return err
		}
		return t.matches(ctx, g, version)
	})
	if r, ok := errors.AsType[*retention.Refusal](err); ok {
		return r
	}
	return wrap(err, "compare the state store with a gate")
}

// witnessed is a gate's witness of the log.
type witnessed struct {
	size int64
	root string
}

// witnessed compares the log with what the gate saw of it: its length over all
// years, and its root there. What was found true once stays true: logs only grow.
func (t *tx) witnessed(ctx context.Context, g retention.Gate) error {
	w := witnessed{g.LogSize, g.LogRoot}
	h, err := t.log().Head(ctx)
	if err != nil {
		return err
	}
	if w.size > h.Total() {
		return refuse(retention.RefuseStateMismatch, "the source has seen %d audit entries, this state store has %d: it is older; restore the newest copy, or %s", w.size, h.Total(), remedy)
	}
	t.s.mu.Lock()
	known := t.s.seen == w
	t.s.mu.Unlock()
	if known || w.size == 0 || w.root == "" {
		return nil
	}
	same, err := t.rootWas(ctx, w)
	if err != nil {
		return err
	}
	if !same {
		return refuse(retention.RefuseStateMismatch, "the first %d audit entries of this state store are not those that the source has seen: it went back and grew again; run `retentiond audit verify`; %s", w.size, remedy)
	}
	t.s.mu.Lock()
	t.s.seen = w
	t.s.mu.Unlock()
	return nil
}

// rootWas reports whether the log had that root at that total size. A log that
// was dropped can no longer tell and is believed.
func (t *tx) rootWas(ctx context.Context, w witnessed) (bool, error) {
	var r headRow
	ok, err := t.get(ctx, &r, "SELECT log, base, size, last_at FROM audit_logs WHERE base < ? AND base + size >= ? AND dropped = 0", w.size, w.size)
	if err != nil || !ok {
		return err == nil, err
	}
	root, err := audit.RootAt(ctx, t.log(), r.Log, w.size-r.Base)
	return root == w.root, err
}

// Placing reports whether some hold is waiting to pass the source's gate: batches
// there back off. One that waits for other sources only does not slow this one.
func (s *Store) Placing(ctx context.Context, source string) (placing bool, err error) {
	err = s.read(ctx, func(t *tx) error {
		var one int
		placing, err = t.get(ctx, &one, `SELECT 1 FROM holds h WHERE h.state = 'placing'
			AND NOT EXISTS (SELECT 1 FROM hold_sources p WHERE p.hold = h.id AND p.source = ?) LIMIT 1`, source)
		return err
	})
	return placing, wrap(err, "look for holds that wait to pass")
}
