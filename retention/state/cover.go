package state

import (
	"context"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// CoverHold adds ways by which a hold's subjects reach tables; those of types
// that it has no subject of wait until it has.
func (s *Store) CoverHold(ctx context.Context, id string, covers []retention.HoldCover) error {
	err := s.write(ctx, func(t *tx) error {
		h, err := t.hold(ctx, id)
		if err != nil {
			return err
		}
		all := h.Covers
		for _, c := range covers {
			if c.Hold = ""; !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
		if len(all) == len(h.Covers) {
			return nil
		}
		body, err := toJSON(all)
		if err == nil {
			_, err = t.exec(ctx, "UPDATE holds SET covers = ? WHERE id = ?", body, id)
		}
		return err
	})
	s.mu.Lock()
	clear(s.holds)
	s.mu.Unlock()
	return wrap(err, "keep what hold %s covers", id)
}

// covers reads the ways of all holds that have not ended, each once.
func (t *tx) covers(ctx context.Context, now int64) ([]retention.HoldCover, error) {
	var rows []struct {
		ID     string `db:"id"`
		Covers []byte `db:"covers"`
	}
	if err := t.all(ctx, &rows, "SELECT h.id, h.covers FROM holds h WHERE "+notEnded+" ORDER BY h.seq", now); err != nil {
		return nil, err
	}
	var out []retention.HoldCover
	seen := map[retention.HoldCover]bool{}
	for _, r := range rows {
		var of []retention.HoldCover
		if err := fromJSON("hold "+r.ID, r.Covers, &of); err != nil {
			return nil, err
		}
		for _, c := range of {
			if seen[c] {
				continue
			}
			seen[c] = true
			c.Hold = r.ID
			out = append(out, c)
		}
	}
	return out, nil
}
