package state

import (
	"context"
	"errors"
	"maps"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// restate tells every hold that has not ended again in the open log, before the
// log that placed it goes with the key of its digest. What does not fit the log
// is not told again: nothing is dropped then.
func (t *tx) restate(ctx context.Context, logs []headRow) error {
	if err := t.holdsFit(ctx); err != nil {
		return err
	}
	l, err := t.holdLog(ctx)
	if err != nil {
		return err
	}
	goes := map[string]bool{}
	for _, r := range logs {
		goes[r.Log] = true
	}
	for _, h := range l.order {
		if goes[h.log] {
			if err := t.restateOne(ctx, h.id, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// restateOne appends hold.placed of a hold as it is, under its version, unless
// it has ended.
func (t *tx) restateOne(ctx context.Context, id string, more map[string]any) error {
	r, err := t.formOf(ctx, id)
	if errors.Is(err, retention.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if r.State == string(retention.HoldReleased) && r.Grace <= t.now.UnixMicro() {
		return nil
	}
	keyed, err := t.keyer(ctx)
	if err != nil {
		return err
	}
	data := map[string]any{"hold": id, "version": r.Version, "restated": true, "in_force": r.State == string(retention.HoldInForce)}
	maps.Copy(data, more)
	if err := t.attest(ctx, data, id, keyed); err != nil {
		return err
	}
	_, err = t.record(ctx, audit.Event{Kind: audit.HoldPlaced, Data: data})
	return err
}

// adoptHolds accepts the holds as they are, where they are not those of the log:
// one that is there is told again, one that is not, or that says it is released,
// is released in the log. Each entry says by whom (keyed) and why (salted).
func (t *tx) adoptHolds(ctx context.Context, by, reason string) error {
	l, err := t.holdLog(ctx)
	if err != nil {
		return err
	}
	version, err := t.metaInt(ctx, metaHolds)
	if err != nil {
		return err
	}
	if l.missing(version) != 0 { // versions of which the log no longer tells
		e := audit.Event{Kind: audit.HoldReleased, Data: map[string]any{"adopted": version, "version": version, "restated": true}}
		if err := t.recordBy(ctx, e, by, reason); err != nil {
			return err
		}
	}
	return t.eachMisfit(ctx, l, func(id string, there bool, _ error) error {
		r, err := t.formOf(ctx, id)
		if err != nil && there {
			return err
		}
		data := map[string]any{"adopted": version}
		if err := t.sign(ctx, data, by, reason); err != nil {
			return err
		}
		if there && r.State != string(retention.HoldReleased) {
			return t.restateOne(ctx, id, data)
		}
		grace := t.now
		if there {
			grace = instant(r.Grace)
		}
		data["hold"], data["version"], data["restated"], data["grace_until"] = id, r.Version, true, rfc3339(grace)
		_, err = t.record(ctx, audit.Event{Kind: audit.HoldReleased, Data: data})
		return err
	})
}
