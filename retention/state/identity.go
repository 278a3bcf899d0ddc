package state

import (
	"context"
	"strconv"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// UUID is the store's own, random, made with it.
func (s *Store) UUID() string { return s.uuid }

// Now is the store's clock.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	at, err := s.base.now(ctx)
	return stored(at), wrap(err, "read the store's clock")
}

// Anchor is the last instant that the clock guard accepted; zero: none.
func (s *Store) Anchor(ctx context.Context) (at time.Time, err error) {
	err = s.read(ctx, func(t *tx) error {
		us, err := t.metaInt(ctx, metaAnchor)
		at = instant(us)
		return err
	})
	return at, wrap(err, "read the clock's anchor")
}

// SetAnchor moves it.
func (s *Store) SetAnchor(ctx context.Context, at time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		return t.setMeta(ctx, metaAnchor, strconv.FormatInt(micros(at), 10))
	})
	return wrap(err, "move the clock's anchor")
}

// KillSwitch reports whether everything is stopped, since when and by whom.
func (s *Store) KillSwitch(ctx context.Context) (k retention.KillSwitch, err error) {
	err = s.read(ctx, func(t *tx) error {
		k, err = t.killSwitch(ctx)
		return err
	})
	return k, wrap(err, "read the kill switch")
}

func (t *tx) killSwitch(ctx context.Context) (k retention.KillSwitch, err error) {
	text, err := t.meta(ctx, metaKillOn)
	if err != nil || text == "" {
		return k, err
	}
	return k, fromJSON("the kill switch", []byte(text), &k)
}

// SetKillSwitch sets or clears it at the store's time, with an audit entry.
func (s *Store) SetKillSwitch(ctx context.Context, k retention.KillSwitch) error {
	err := s.write(ctx, func(t *tx) error {
		k.At = t.now
		text, err := toJSON(k)
		if err != nil {
			return err
		}
		if err := t.setMeta(ctx, metaKillOn, string(text)); err != nil {
			return err
		}
		return t.recordBy(ctx, audit.Event{Kind: audit.KillSwitch, Data: map[string]any{"on": k.On}}, k.By, k.Reason)
	})
	return wrap(err, "set the kill switch")
}

// recordBy appends an event with who did it, keyed, and why, salted.
func (t *tx) recordBy(ctx context.Context, e audit.Event, by, reason string) error {
	if err := t.sign(ctx, e.Data, by, reason); err != nil {
		return err
	}
	_, err := t.record(ctx, e)
	return err
}

// sign puts who (keyed) and why (salted) into an event's data, where known.
func (t *tx) sign(ctx context.Context, data map[string]any, by, reason string) error {
	if by != "" {
		keyed, err := t.keyer(ctx)
		if err != nil {
			return err
		}
		data["by"] = keyed("by:" + by)
	}
	if reason != "" {
		digest, err := t.salted(ctx, reason)
		if err != nil {
			return err
		}
		data["reason"] = digest
	}
	return nil
}
