package state

import (
	"context"
	"errors"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// fitted is where the holds were last found to be those of the log. What is seen
// changes with whatever another connection commits.
type fitted struct {
	version, total int64
	seen           string
	known          bool
}

// HoldsFitLog compares the holds with the audit log: a hold that was placed and
// not released is there, unreleased, with its subjects, datasets and condition;
// a released one has its hold.released. Otherwise a *retention.Refusal
// hold_unreadable names the hold: whoever wrote to the store took rows out of a
// hold, or put them under one, without saying so (L3). What Expire dropped
// raises no alarm.
func (s *Store) HoldsFitLog(ctx context.Context) error {
	err := s.read(ctx, func(t *tx) error { return t.holdsFit(ctx) })
	if r, ok := errors.AsType[*retention.Refusal](err); ok {
		return r
	}
	return wrap(err, "compare the holds with the audit log")
}

// holdsFit compares once, until something changes.
func (t *tx) holdsFit(ctx context.Context) error {
	at := fitted{known: true}
	var err error
	if at.version, err = t.metaInt(ctx, metaHolds); err != nil {
		return err
	}
	if _, err := t.get(ctx, &at.seen, t.s.base.seen()); err != nil {
		return err
	}
	h, err := t.log().Head(ctx)
	if err != nil {
		return err
	}
	at.total = h.Total()
	t.s.mu.Lock()
	known := t.s.fits == at
	t.s.mu.Unlock()
	if known {
		return nil
	}
	if err := t.compareHolds(ctx); err != nil {
		return err
	}
	t.s.mu.Lock()
	t.s.fits = at
	t.s.mu.Unlock()
	return nil
}

// compareHolds compares every hold, and tells the first that does not fit.
func (t *tx) compareHolds(ctx context.Context) error {
	l, err := t.holdLog(ctx)
	if err != nil {
		return err
	}
	version, err := t.metaInt(ctx, metaHolds)
	if err != nil {
		return err
	}
	if v := l.missing(version); v != 0 {
		return misfit("the holds are at version %d, but the audit log does not fit that at version %d", version, v)
	}
	return t.eachMisfit(ctx, l, func(_ string, _ bool, err error) error { return err })
}

// eachMisfit calls do for every hold that is not as the log says, in the order of
// the log; there: the state store has it. An error of do ends it.
func (t *tx) eachMisfit(ctx context.Context, l *holdLog, do func(id string, there bool, why error) error) error {
	var rows []formRow
	if err := t.all(ctx, &rows, "SELECT "+formColumns+" FROM holds ORDER BY seq"); err != nil {
		return err
	}
	have := map[string]formRow{}
	for _, r := range rows {
		have[r.ID] = r
	}
	for _, h := range l.order {
		r, there := have[h.id]
		why, err := t.misfitOf(ctx, h, r, there)
		if err == nil && why != nil {
			err = do(h.id, there, why)
		}
		if err != nil {
			return err
		}
	}
	for _, r := range rows {
		if l.holds[r.ID] == nil && !(l.dropped && r.State == string(retention.HoldReleased)) {
			if err := do(r.ID, true, misfit("hold %s is in the state store, but the audit log does not have it", r.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// misfitOf says what is wrong with one hold of the log; why nil: nothing.
func (t *tx) misfitOf(ctx context.Context, h *loggedHold, r formRow, there bool) (why, err error) {
	over := h.released != "" && !t.now.Truncate(time.Second).Before(h.grace)
	switch {
	case !there && over:
		return nil, nil
	case !there:
		return misfit("hold %s is not in the state store; the audit log placed it with entry %s and did not end it", h.id, h.placed), nil
	}
	if why := h.state(r); why != nil || h.placed == "" || over {
		return why, nil
	}
	var secret []byte
	if _, err := t.get(ctx, &secret, "SELECT secret FROM audit_logs WHERE log = ?", h.log); err != nil {
		return nil, err
	}
	form, err := t.form(ctx, r, h.covers)
	if err != nil {
		return misfit("hold %s cannot be read: %v", h.id, err), nil
	}
	if audit.Keyed(secret, h.log, form) != h.digest {
		return misfit("hold %s does not have the subjects, datasets and condition with which entry %s of the audit log placed it", h.id, h.placed), nil
	}
	return nil, nil
}

// state compares how far the hold has come.
func (h *loggedHold) state(r formRow) error {
	switch s := retention.HoldState(r.State); {
	case h.released != "":
		if s != retention.HoldReleased || !instant(r.Grace).Truncate(time.Second).Equal(h.grace) {
			return misfit("hold %s is %s until %s, but entry %s of the audit log released it until %s", h.id, s, rfc3339(instant(r.Grace)), h.released, rfc3339(h.grace))
		}
	case s == retention.HoldReleased:
		return misfit("hold %s is released in the state store, but no entry of the audit log released it", h.id)
	case s == retention.HoldPlacing && r.Version == h.version:
	case s == retention.HoldInForce && r.Version == h.version && h.inForce == h.version:
	default:
		return misfit("hold %s is %s at version %d, but entry %s of the audit log placed it at version %d", h.id, s, r.Version, h.placed, h.version)
	}
	return nil
}

// misfit is the refusal of holds that are not those of the log.
func misfit(format string, args ...any) error {
	const remedy = ", so nothing acts: somebody wrote to the state store; restore it from a copy, or accept the holds as they are with `retentiond check --adopt --by NAME --reason TEXT` and place again what is missing"
	return refuse(retention.RefuseHoldUnreadable, format+remedy, args...)
}
