package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// leaseName is the only lease there is so far.
const leaseName = "run"

type leaseRow struct {
	Owner   string `db:"owner"`
	Process string `db:"process"`
	Attempt int64  `db:"attempt"`
	Since   int64  `db:"since"`
	Until   int64  `db:"until"`
}

// Lease takes the lease, or takes it over from an owner whose time is over, or
// whose process on this host is dead, with a higher attempt. Otherwise
// retention.ErrBusy names the owner.
func (s *Store) Lease(ctx context.Context, owner string) (l retention.Lease, err error) {
	if owner == "" {
		return l, errors.New("take the lease: its owner needs a name")
	}
	err = s.write(ctx, func(t *tx) error {
		r, err := t.lease(ctx)
		if err != nil {
			return err
		}
		if r.Owner != "" && t.now.UnixMicro() < r.Until && !s.proc.gone(r.Process) {
			return fmt.Errorf("%w: %s has the lease since %s", retention.ErrBusy, r.Owner, instant(r.Since).Format(time.RFC3339))
		}
		l = retention.Lease{Owner: owner, Attempt: r.Attempt + 1, Until: t.now.Add(s.lease), Time: s.lease}
		_, err = t.exec(ctx, `INSERT INTO lease (name, owner, process, attempt, since, until) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, process = excluded.process, attempt = excluded.attempt,
			since = excluded.since, until = excluded.until`,
			leaseName, owner, s.proc.String(), l.Attempt, micros(t.now), micros(l.Until))
		return err
	})
	return l, wrap(err, "take the lease")
}

func (t *tx) lease(ctx context.Context) (r leaseRow, err error) {
	_, err = t.get(ctx, &r, "SELECT owner, process, attempt, since, until FROM lease WHERE name = ?", leaseName)
	return r, err
}

// current is nil where attempt is the lease's, else retention.ErrFenced.
func (t *tx) current(ctx context.Context, attempt int64) error {
	r, err := t.lease(ctx)
	if err != nil {
		return err
	}
	if r.Owner == "" || attempt != r.Attempt {
		return fmt.Errorf("%w: this is attempt %d, the lease's is %d", retention.ErrFenced, attempt, r.Attempt)
	}
	return nil
}

// Renew is the heartbeat; retention.ErrFenced when another took over.
func (s *Store) Renew(ctx context.Context, l retention.Lease) error {
	err := s.write(ctx, func(t *tx) error {
		if err := t.current(ctx, l.Attempt); err != nil {
			return err
		}
		_, err := t.exec(ctx, "UPDATE lease SET until = ? WHERE name = ?", micros(t.now.Add(s.lease)), leaseName)
		return err
	})
	return wrap(err, "renew the lease")
}

// Unlease gives the lease back. One that another took over stays theirs.
func (s *Store) Unlease(ctx context.Context, l retention.Lease) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, "UPDATE lease SET owner = '', process = '', until = 0 WHERE name = ? AND attempt = ?", leaseName, l.Attempt)
		return err
	})
	return wrap(err, "give the lease back")
}
