package state

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

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
		if err := t.insertHold(ctx, seq, h); err != nil {
			return err
		}
		if err := t.addSubjects(ctx, h.ID, h.Subjects); err != nil {
			return err
		}
		n, err := t.recordPlaced(ctx, h, h.Subjects, h.PlacedBy)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, "UPDATE holds SET entry = ? WHERE id = ?", n, h.ID); err != nil {
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
	covers, err := toJSON(h.Covers)
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
		state, not_covered, covers, entry, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		h.ID, seq, h.Matter, scopes, flag(len(h.Datasets) > 0), condition, h.WhereText, h.Reason, h.PlacedBy, micros(h.PlacedAt), h.Review,
		string(h.State), missed, covers, h.AuditEntry, h.Version)
	return err
}

func (t *tx) addSubjects(ctx context.Context, hold string, subjects []retention.SubjectID) error {
	return t.insert(ctx, "hold_subjects (hold, type, subject)", " ON CONFLICT DO NOTHING", len(subjects), func(i int) []any {
		return []any{hold, subjects[i].Type, subjects[i].ID}
	})
}

// recordPlaced appends hold.placed: the added subjects keyed, and all of them in
// one keyed digest, since an entry cannot list 100,000; and a digest of the whole
// hold as it is stored then.
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
	if err := t.attest(ctx, data, h.ID, keyed); err != nil {
		return 0, err
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
