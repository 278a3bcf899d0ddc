package state

import (
	"context"
	"errors"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// SpoolKey is the secret under which a plan's keys are hashed: made when first
// asked for, gone with the spool.
func (s *Store) SpoolKey(ctx context.Context, plan string) (secret []byte, err error) {
	err = s.write(ctx, func(t *tx) error {
		ok, err := t.get(ctx, &secret, "SELECT secret FROM spool_keys WHERE plan = ?", plan)
		if err != nil || ok {
			return err
		}
		if secret, err = audit.NewSecret(); err != nil {
			return err
		}
		_, err = t.exec(ctx, "INSERT INTO spool_keys (plan, secret, at) VALUES (?, ?, ?)", plan, secret, micros(t.now))
		return err
	})
	return secret, wrap(err, "spool key of plan %s", plan)
}

// PutSpool stores one page of step's keys (step counts from 0); the same page
// again replaces it.
func (s *Store) PutSpool(ctx context.Context, plan string, step int, p retention.SpoolPage) error {
	body, err := packPage(p)
	if err != nil {
		return wrap(err, "spool plan %s, step %d, page %d", plan, step, p.Seq)
	}
	err = s.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO spool (plan, step, seq, body) VALUES (?, ?, ?, ?)
			ON CONFLICT (plan, step, seq) DO UPDATE SET body = excluded.body`, plan, step, p.Seq, body)
		return err
	})
	return wrap(err, "spool plan %s, step %d, page %d", plan, step, p.Seq)
}

// SpoolPage returns the page with that sequence number; retention.ErrNotFound
// after the last.
func (s *Store) SpoolPage(ctx context.Context, plan string, step, seq int) (p retention.SpoolPage, err error) {
	err = s.read(ctx, func(t *tx) error {
		var body []byte
		ok, err := t.get(ctx, &body, "SELECT body FROM spool WHERE plan = ? AND step = ? AND seq = ?", plan, step, seq)
		if err == nil && !ok {
			err = retention.ErrNotFound
		}
		if err == nil {
			p, err = unpackPage(body)
		}
		return err
	})
	p.Seq = seq
	return p, wrap(err, "spool of plan %s, step %d, page %d", plan, step, seq)
}

// DropSpool removes a plan's spool and its key.
func (s *Store) DropSpool(ctx context.Context, plan string) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, "DELETE FROM spool WHERE plan = ?", plan)
		_, err2 := t.exec(ctx, "DELETE FROM spool_keys WHERE plan = ?", plan)
		return errors.Join(err, err2)
	})
	return wrap(err, "drop the spool of plan %s", plan)
}
