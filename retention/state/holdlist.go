package state

import (
	"context"

	"github.com/retentiond/retentiond/retention"
)

type holdRow struct {
	ID         string `db:"id"`
	Matter     string `db:"matter"`
	Scopes     []byte `db:"scopes"`
	Condition  []byte `db:"condition"`
	WhereText  string `db:"where_text"`
	Reason     string `db:"reason"`
	PlacedBy   string `db:"placed_by"`
	PlacedAt   int64  `db:"placed_at"`
	Review     string `db:"review"`
	State      string `db:"state"`
	NotCovered []byte `db:"not_covered"`
	Covers     []byte `db:"covers"`
	Entry      int64  `db:"entry"`
	Version    int64  `db:"version"`
	InForceAt  int64  `db:"in_force_at"`
	ReleasedAt int64  `db:"released_at"`
	ReleasedBy string `db:"released_by"`
	GraceUntil int64  `db:"grace_until"`
}

const holdColumns = `id, matter, scopes, condition, where_text, reason, placed_by, placed_at, review, state, not_covered, covers, entry,
	version, in_force_at, released_at, released_by, grace_until`

// ListHolds returns the holds, oldest first; id or matter narrows.
func (s *Store) ListHolds(ctx context.Context, id, matter string) (out []retention.Hold, err error) {
	err = s.read(ctx, func(t *tx) error {
		out, err = t.listHolds(ctx, id, matter)
		return err
	})
	return out, wrap(err, "list holds")
}

func (t *tx) hold(ctx context.Context, id string) (retention.Hold, error) {
	if id == "" {
		return retention.Hold{}, retention.ErrNotFound
	}
	found, err := t.listHolds(ctx, id, "")
	if err != nil {
		return retention.Hold{}, err
	}
	if len(found) == 0 {
		return retention.Hold{}, retention.ErrNotFound
	}
	return found[0], nil
}

func (t *tx) listHolds(ctx context.Context, id, matter string) ([]retention.Hold, error) {
	var rows []holdRow
	if err := t.all(ctx, &rows, "SELECT "+holdColumns+" FROM holds WHERE (? = '' OR id = ?) AND (? = '' OR matter = ?) ORDER BY seq",
		id, id, matter, matter); err != nil {
		return nil, err
	}
	sources, err := t.sources(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]retention.Hold, 0, len(rows))
	for _, r := range rows {
		h, err := r.hold()
		if err != nil {
			return nil, err
		}
		if err := t.fill(ctx, &h, r.InForceAt != 0, sources); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

func (r holdRow) hold() (retention.Hold, error) {
	h := retention.Hold{ID: r.ID, Matter: r.Matter, WhereText: r.WhereText, Reason: r.Reason, PlacedBy: r.PlacedBy, PlacedAt: instant(r.PlacedAt),
		Review: r.Review, State: retention.HoldState(r.State), AuditEntry: r.Entry, Version: r.Version,
		ReleasedAt: instant(r.ReleasedAt), ReleasedBy: r.ReleasedBy, GraceUntil: instant(r.GraceUntil)}
	if err := fromJSON("hold "+r.ID, r.Scopes, &h.Datasets); err != nil {
		return h, err
	}
	if err := fromJSON("hold "+r.ID, r.Covers, &h.Covers); err != nil {
		return h, err
	}
	var err error
	if h.Where, err = r.where(); err != nil {
		return h, err
	}
	return h, fromJSON("hold "+r.ID, r.NotCovered, &h.NotCovered)
}

func (r holdRow) where() (*retention.Predicate, error) {
	if len(r.Condition) == 0 {
		return nil, nil
	}
	p := new(retention.Predicate)
	return p, fromJSON("the condition of hold "+r.ID, r.Condition, p)
}

type subjectRow struct {
	Type    string `db:"type"`
	Subject string `db:"subject"`
}

// fill adds a hold's subjects, and which registered sources it passed. A source
// that registered after the hold was in force never ran a batch without it.
func (t *tx) fill(ctx context.Context, h *retention.Hold, everywhere bool, sources []retention.SourceRecord) error {
	var subjects []subjectRow
	if err := t.all(ctx, &subjects, "SELECT type, subject FROM hold_subjects WHERE hold = ? ORDER BY type, subject", h.ID); err != nil {
		return err
	}
	for _, s := range subjects {
		h.Subjects = append(h.Subjects, retention.SubjectID{Type: s.Type, ID: s.Subject})
	}
	var passed []string
	if err := t.all(ctx, &passed, "SELECT source FROM hold_sources WHERE hold = ?", h.ID); err != nil {
		return err
	}
	h.InForce = map[string]bool{}
	for _, s := range sources {
		h.InForce[s.Name] = everywhere
	}
	for _, name := range passed {
		h.InForce[name] = true
	}
	return nil
}
