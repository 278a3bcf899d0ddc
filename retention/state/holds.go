package state

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// maxListed bounds the subjects and datasets that one entry lists.
const maxListed = 100

// PlaceHold stores the hold as placing under a new version, with hold.placed,
// and returns it with id, version, entry and the store's time.
func (s *Store) PlaceHold(ctx context.Context, h retention.Hold) (retention.Hold, error) {
	if err := placeable(h); err != nil {
		return h, wrap(err, "place a hold")
	}
	err := s.write(ctx, func(t *tx) error {
		seq, err := t.raise(ctx, metaHoldsSeq)
		if err != nil {
			return err
		}
		h.ID, h.State, h.PlacedAt = "h-"+strings.ToLower(rand.Text()[:10]), retention.HoldPlacing, t.now
		if h.Version, err = t.raise(ctx, metaHolds); err != nil {
			return err
		}
		if h.AuditEntry, err = t.recordPlaced(ctx, h, h.Subjects, h.PlacedBy); err != nil {
			return err
		}
		if err := t.insertHold(ctx, seq, h); err != nil {
			return err
		}
		if err := t.addSubjects(ctx, h.ID, h.Subjects); err != nil {
			return err
		}
		h, err = t.hold(ctx, h.ID)
		return err
	})
	return h, wrap(err, "place a hold")
}

func placeable(h retention.Hold) error {
	if len(h.Subjects) == 0 && len(h.Datasets) == 0 {
		return errors.New("it needs a subject or a dataset")
	}
	if h.Where != nil && len(h.Datasets) == 0 {
		return errors.New("a condition needs a dataset")
	}
	return validSubjects(h.Subjects)
}

func validSubjects(subjects []retention.SubjectID) error {
	for _, s := range subjects {
		if s.Type == "" || s.ID == "" {
			return fmt.Errorf("subject %q is not TYPE:ID", s)
		}
	}
	return nil
}

func (t *tx) insertHold(ctx context.Context, seq int64, h retention.Hold) error {
	scopes, err := toJSON(h.Datasets)
	if err != nil {
		return err
	}
	missed, err := toJSON(h.NotCovered)
	if err != nil {
		return err
	}
	var condition []byte
	if h.Where != nil {
		if condition, err = toJSON(h.Where); err != nil {
			return err
		}
	}
	_, err = t.exec(ctx, `INSERT INTO holds (id, seq, matter, scopes, scoped, condition, where_text, reason, placed_by, placed_at, review,
		state, not_covered, entry, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		h.ID, seq, h.Matter, scopes, len(h.Datasets) > 0, condition, h.WhereText, h.Reason, h.PlacedBy, micros(h.PlacedAt), h.Review,
		string(h.State), missed, h.AuditEntry, h.Version)
	return err
}

func (t *tx) addSubjects(ctx context.Context, hold string, subjects []retention.SubjectID) error {
	stmt, err := t.PreparexContext(ctx, t.Rebind("INSERT INTO hold_subjects (hold, type, subject) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"))
	if err != nil {
		return err
	}
	for _, s := range subjects {
		if _, err := stmt.ExecContext(ctx, hold, s.Type, s.ID); err != nil {
			return errors.Join(err, stmt.Close())
		}
	}
	return stmt.Close()
}

// recordPlaced appends hold.placed: subjects keyed, and all of them in one
// keyed digest, since an entry cannot list 100,000.
func (t *tx) recordPlaced(ctx context.Context, h retention.Hold, added []retention.SubjectID, by string) (int64, error) {
	keyed, err := t.keyer(ctx)
	if err != nil {
		return 0, err
	}
	names := make([]string, 0, len(added))
	for _, s := range added {
		names = append(names, s.String())
	}
	slices.Sort(names)
	data := map[string]any{"hold": h.ID, "version": h.Version, "subject_count": len(names)}
	if len(names) > 0 {
		data["subjects_digest"] = keyed(strings.Join(names, "\n"))
		listed := make([]string, 0, maxListed)
		for _, n := range names[:min(len(names), maxListed)] {
			listed = append(listed, keyed(n))
		}
		data["subjects"] = listed
	}
	var datasets []string
	for _, d := range h.Datasets[:min(len(h.Datasets), maxListed)] {
		datasets = append(datasets, d.Dataset)
	}
	if len(datasets) > 0 {
		data["datasets"] = datasets
	}
	if err := t.signHold(ctx, data, h); err != nil {
		return 0, err
	}
	if err := t.sign(ctx, data, by, h.Reason); err != nil {
		return 0, err
	}
	return t.record(ctx, audit.Event{Kind: audit.HoldPlaced, Data: data})
}

// signHold puts matter and condition into data, salted.
func (t *tx) signHold(ctx context.Context, data map[string]any, h retention.Hold) error {
	for name, text := range map[string]string{"matter": h.Matter, "where": h.WhereText} {
		digest, err := t.salted(ctx, text)
		if err != nil {
			return err
		}
		if digest != "" {
			data[name] = digest
		}
	}
	return nil
}

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
func (s *Store) MarkInForce(ctx context.Context, id, source string) (h retention.Hold, err error) {
	err = s.write(ctx, func(t *tx) error {
		if h, err = t.unreleased(ctx, id); err != nil {
			return err
		}
		if source != "" {
			_, err = t.exec(ctx, "INSERT INTO hold_sources (hold, source, at) VALUES (?, ?, ?) ON CONFLICT (hold, source) DO NOTHING", id, source, micros(t.now))
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

// HoldsVersion is the version of the newest change to any hold.
func (s *Store) HoldsVersion(ctx context.Context) (v int64, err error) {
	err = s.read(ctx, func(t *tx) error {
		v, err = t.metaInt(ctx, metaHolds)
		return err
	})
	return v, wrap(err, "read the holds version")
}
