package state

import (
	"context"

	"github.com/retentiond/retentiond/retention"
)

// cachedHolds is a hold set, and until when it stays what it is under the same
// version.
type cachedHolds struct {
	set     *retention.HoldSet
	version int64
	loaded  int64 // µs: a clock set back before it may bring a grace back
	ends    int64 // µs: the next grace's end; 0: none
}

func (c cachedHolds) fresh(version, now int64) bool {
	return c.set != nil && c.version == version && c.loaded <= now && (c.ends == 0 || now < c.ends)
}

// HoldSet returns what has not ended, as it applies to a source, in one
// snapshot; the same value while the version and the graces do not change. It
// must not be written to.
func (s *Store) HoldSet(ctx context.Context, src retention.SourceRecord) (h *retention.HoldSet, err error) {
	err = s.read(ctx, func(t *tx) error {
		version, err := t.metaInt(ctx, metaHolds)
		if err == nil {
			h, err = t.holdSet(ctx, src, version)
		}
		return err
	})
	return h, wrap(err, "read the holds")
}

func (t *tx) holdSet(ctx context.Context, src retention.SourceRecord, version int64) (*retention.HoldSet, error) {
	t.s.mu.Lock()
	cached := t.s.holds[src]
	t.s.mu.Unlock()
	if cached.fresh(version, t.now.UnixMicro()) {
		return cached.set, nil
	}
	if err := t.holdsFit(ctx); err != nil {
		return nil, err
	}
	c, err := t.loadHolds(ctx, src, version)
	if err != nil {
		return nil, err
	}
	t.s.mu.Lock()
	t.s.holds[src] = c
	t.s.mu.Unlock()
	return c.set, nil
}

// notEnded is the condition of every hold that has not ended at a moment.
const notEnded = "(h.state IN ('placing', 'in_force') OR h.state = 'released' AND h.grace_until > ?)"

func (t *tx) loadHolds(ctx context.Context, src retention.SourceRecord, version int64) (c cachedHolds, err error) {
	now := t.now.UnixMicro()
	c = cachedHolds{set: &retention.HoldSet{Version: version, Subjects: map[string][]string{}}, version: version, loaded: now}
	if _, err := t.get(ctx, &c.ends, "SELECT COALESCE(MIN(h.grace_until), 0) FROM holds h WHERE h.state = 'released' AND h.grace_until > ?", now); err != nil {
		return c, err
	}
	var subjects []subjectRow
	if err := t.all(ctx, &subjects, "SELECT DISTINCT s.type, s.subject FROM hold_subjects s JOIN holds h ON h.id = s.hold WHERE h.scoped = 0 AND "+
		notEnded+" ORDER BY s.type, s.subject", now); err != nil {
		return c, err
	}
	for _, s := range subjects {
		c.set.Subjects[s.Type] = append(c.set.Subjects[s.Type], s.Subject)
	}
	var scoped []holdRow
	if err := t.all(ctx, &scoped, "SELECT "+holdColumns+" FROM holds h WHERE h.scoped = 1 AND "+notEnded+" ORDER BY h.seq", now); err != nil {
		return c, err
	}
	for _, r := range scoped {
		if err := t.addScoped(ctx, c.set, r, src); err != nil {
			return c, err
		}
	}
	c.set.Covers, err = t.covers(ctx, now)
	return c, err
}

// addScoped adds a dataset hold's tables of the source.
func (t *tx) addScoped(ctx context.Context, set *retention.HoldSet, r holdRow, src retention.SourceRecord) error {
	h, err := r.hold()
	if err != nil {
		return err
	}
	subjects, err := t.subjectsOf(ctx, h.ID)
	if err != nil {
		return err
	}
	for _, d := range h.Datasets {
		s := retention.ScopedHold{Hold: h.ID, Dataset: d.Dataset, Table: d.Table, Subjects: subjects, Where: h.Where}
		set.Named = append(set.Named, s)
		if onSource(d, src) {
			set.Scoped = append(set.Scoped, s)
		}
	}
	return nil
}

func (t *tx) subjectsOf(ctx context.Context, hold string) (map[string][]string, error) {
	var rows []subjectRow
	if err := t.all(ctx, &rows, "SELECT type, subject FROM hold_subjects WHERE hold = ? ORDER BY type, subject", hold); err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, r := range rows {
		out[r.Type] = append(out[r.Type], r.Subject)
	}
	return out, nil
}

// onSource matches by uuid or by name: a database that was moved stays held, and
// so does one that came back under the name with another uuid.
func onSource(d retention.HoldScope, src retention.SourceRecord) bool {
	return d.SourceUUID != "" && d.SourceUUID == src.UUID || d.Source == src.Name
}
