package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// AddSubjects extends a hold that is not released: a new version, placing again
// until every source was passed, with hold.placed.
func (s *Store) AddSubjects(ctx context.Context, id string, subjects []retention.SubjectID, by string) (h retention.Hold, err error) {
	if err := validSubjects(subjects); err != nil || len(subjects) == 0 {
		return h, wrap(errors.Join(err, errors.New("name the subjects to add")), "add to hold %s", id)
	}
	err = s.write(ctx, func(t *tx) error {
		if h, err = t.unreleased(ctx, id); err != nil {
			return err
		}
		// The entry that follows attests the hold as it is here.
		if err := t.holdsFit(ctx); err != nil {
			return err
		}
		if len(h.Subjects) == 0 {
			return errors.New("it covers whole datasets; subjects would narrow it: place another hold")
		}
		if h.Version, err = t.raise(ctx, metaHolds); err != nil {
			return err
		}
		if err := t.addSubjects(ctx, id, subjects); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "DELETE FROM hold_sources WHERE hold = ?", id); err != nil {
			return err
		}
		n, err := t.recordPlaced(ctx, h, subjects, by)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, "UPDATE holds SET state = ?, version = ?, in_force_at = 0, entry = ? WHERE id = ?",
			string(retention.HoldPlacing), h.Version, n, id); err != nil {
			return err
		}
		h, err = t.hold(ctx, id)
		return err
	})
	return h, wrap(err, "add to hold %s", id)
}

// unreleased reads a hold that can still change.
func (t *tx) unreleased(ctx context.Context, id string) (retention.Hold, error) {
	h, err := t.hold(ctx, id)
	if err == nil && h.State == retention.HoldReleased {
		err = fmt.Errorf("%w: the hold was released at %s; place a new one", retention.ErrDecided, h.ReleasedAt.Format(time.RFC3339))
	}
	return h, err
}

// MarkInForce records that the hold passed the source's gate; an empty source:
// it is now in force everywhere, with hold.in_force.
func (s *Store) MarkInForce(ctx context.Context, id, source string, version int64) (h retention.Hold, err error) {
	err = s.write(ctx, func(t *tx) error {
		if h, err = t.placed(ctx, id, version); err != nil {
			return err
		}
		if source != "" {
			err = t.passed(ctx, id, source)
		} else if h.State != retention.HoldInForce {
			err = t.inForce(ctx, h)
		}
		if err != nil {
			return err
		}
		h, err = t.hold(ctx, id)
		return err
	})
	return h, wrap(err, "mark hold %s in force", id)
}

// MarkPassed records that the hold passed the gates of several sources, and the log
// size that each gate was given.
func (s *Store) MarkPassed(ctx context.Context, id string, version int64, passed []retention.Passage) error {
	err := s.write(ctx, func(t *tx) error {
		if _, err := t.placed(ctx, id, version); err != nil {
			return err
		}
		for _, p := range passed {
			if p.UUID != "" {
				if err := t.keepWitness(ctx, p.UUID, p.Total); err != nil {
					return err
				}
			}
			if err := t.passed(ctx, id, p.Source); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "mark hold %s in force", id)
}

// placed is a hold that is not released, and is still of that version.
func (t *tx) placed(ctx context.Context, id string, version int64) (retention.Hold, error) {
	h, err := t.unreleased(ctx, id)
	if err == nil && h.Version != version {
		err = fmt.Errorf("%w: the hold was extended meanwhile, to version %d", retention.ErrFenced, h.Version)
	}
	return h, err
}

func (t *tx) passed(ctx context.Context, id, source string) error {
	_, err := t.exec(ctx, "INSERT INTO hold_sources (hold, source, at) VALUES (?, ?, ?) ON CONFLICT (hold, source) DO NOTHING", id, source, micros(t.now))
	return err
}

func (t *tx) inForce(ctx context.Context, h retention.Hold) error {
	n, err := t.record(ctx, audit.Event{Kind: audit.HoldInForce, Data: map[string]any{"hold": h.ID, "version": h.Version}})
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, "UPDATE holds SET state = ?, in_force_at = ?, entry = ? WHERE id = ?", string(retention.HoldInForce), micros(t.now), n, h.ID)
	return err
}

// ReleaseHold releases with hold.released under a new version; its rows stay
// held until the grace is over by the store's clock.
func (s *Store) ReleaseHold(ctx context.Context, id, reason, by string, grace time.Duration) (h retention.Hold, err error) {
	if grace < 0 {
		return h, fmt.Errorf("release hold %s: the grace cannot be negative", id)
	}
	err = s.write(ctx, func(t *tx) error {
		if h, err = t.unreleased(ctx, id); err != nil {
			return err
		}
		version, err := t.raise(ctx, metaHolds)
		if err != nil {
			return err
		}
		until := t.now.Add(grace)
		data := map[string]any{"hold": id, "version": version, "grace_until": rfc3339(until)}
		if err := t.recordBy(ctx, audit.Event{Kind: audit.HoldReleased, Data: data}, by, reason); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE holds SET state = ?, version = ?, released_at = ?, released_by = ?, release_reason = ?, grace_until = ? WHERE id = ?`,
			string(retention.HoldReleased), version, micros(t.now), by, reason, micros(until), id); err != nil {
			return err
		}
		h, err = t.hold(ctx, id)
		return err
	})
	return h, wrap(err, "release hold %s", id)
}
