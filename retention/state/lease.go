package state

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/retentiond/retentiond/retention"
)

// The rows of one attempt are one lease: they come, are renewed and go together,
// so that whoever takes one name over has fenced the whole run that had it.
type leaseRow struct {
	Name    string `db:"name"`
	Owner   string `db:"owner"`
	Process string `db:"process"`
	Attempt int64  `db:"attempt"`
	Since   int64  `db:"since"`
	Until   int64  `db:"until"`
}

const leaseColumns = "name, owner, process, attempt, since, until"

// chunk is how many values a statement takes at once.
const chunk = 500

// Lease takes all of the names, or none: a *retention.BusyError names the first
// that another has. A lease whose time is over, or whose process on this host is
// dead, is over with all of its names.
func (s *Store) Lease(ctx context.Context, owner string, names []string) (l retention.Lease, err error) {
	if owner == "" || len(names) == 0 || slices.Contains(names, "") {
		return l, errors.New("take a lease: it needs an owner and names")
	}
	names = distinct(names)
	err = s.write(ctx, func(t *tx) error {
		if err := t.bury(ctx); err != nil {
			return err
		}
		if err := t.free(ctx, names); err != nil {
			return err
		}
		l = retention.Lease{Owner: owner, Names: names, Since: t.now, Until: t.now.Add(s.lease), Time: s.lease}
		if l.Attempt, err = t.raise(ctx, metaAttempt); err != nil {
			return err
		}
		return t.insert(ctx, "lease ("+leaseColumns+")", "", len(names), func(i int) []any {
			return []any{names[i], owner, s.proc.String(), l.Attempt, micros(l.Since), micros(l.Until)}
		})
	})
	return l, wrap(err, "take a lease")
}

// distinct keeps the first of equal names.
func distinct(names []string) []string {
	out := make([]string, 0, len(names))
	seen := map[string]bool{}
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// bury ends the leases that are over, for good: an attempt that somebody counted
// as dead must not live again, whatever the clock does.
func (t *tx) bury(ctx context.Context) error {
	if _, err := t.exec(ctx, "DELETE FROM lease WHERE until <= ?", micros(t.now)); err != nil {
		return err
	}
	var held []leaseRow
	if err := t.all(ctx, &held, "SELECT DISTINCT attempt, process FROM lease"); err != nil {
		return err
	}
	for _, r := range held {
		if !t.s.proc.gone(r.Process) {
			continue
		}
		if _, err := t.exec(ctx, "DELETE FROM lease WHERE attempt = ?", r.Attempt); err != nil {
			return err
		}
	}
	return nil
}

// free is a *retention.BusyError where one of the names is taken, the first of
// them in the caller's order.
func (t *tx) free(ctx context.Context, names []string) error {
	taken := map[string]leaseRow{}
	for part := range slices.Chunk(names, chunk) {
		query, args, err := sqlx.In("SELECT "+leaseColumns+" FROM lease WHERE name IN (?)", part)
		if err != nil {
			return err
		}
		var rows []leaseRow
		if err := t.all(ctx, &rows, query, args...); err != nil {
			return err
		}
		for _, r := range rows {
			taken[r.Name] = r
		}
	}
	for _, n := range names {
		if r, ok := taken[n]; ok {
			return t.busy(ctx, r)
		}
	}
	return nil
}

func (t *tx) busy(ctx context.Context, r leaseRow) error {
	b := &retention.BusyError{Name: r.Name, Owner: r.Owner, Since: instant(r.Since), Until: instant(r.Until)}
	if _, err := t.get(ctx, &b.Run, "SELECT id FROM runs WHERE attempt = ? ORDER BY started DESC, id LIMIT 1", r.Attempt); err != nil {
		return err
	}
	return b
}

// current is nil while the attempt's lease lasts, else retention.ErrFenced. That
// the lease's process is alive needs no proof: it is the one that asks.
func (t *tx) current(ctx context.Context, attempt int64) error {
	var until int64
	ok, err := t.get(ctx, &until, "SELECT until FROM lease WHERE attempt = ? LIMIT 1", attempt)
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%w: the lease of attempt %d is over", retention.ErrFenced, attempt)
	case until <= micros(t.now):
		return fmt.Errorf("%w, or may: the lease of attempt %d ran out at %s", retention.ErrFenced, attempt, rfc3339(instant(until)))
	}
	return nil
}

// Renew is the heartbeat; retention.ErrFenced once the lease is over.
func (s *Store) Renew(ctx context.Context, l retention.Lease) error {
	err := s.write(ctx, func(t *tx) error {
		if err := t.current(ctx, l.Attempt); err != nil {
			return err
		}
		_, err := t.exec(ctx, "UPDATE lease SET until = ? WHERE attempt = ?", micros(t.now.Add(s.lease)), l.Attempt)
		return err
	})
	return wrap(err, "renew a lease")
}

// Unlease gives all names of the lease back; retention.ErrFenced where it is over
// already. What another took over stays theirs: attempts are never used twice.
func (s *Store) Unlease(ctx context.Context, l retention.Lease) error {
	err := s.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, "DELETE FROM lease WHERE attempt = ?", l.Attempt)
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: the lease of attempt %d is over", retention.ErrFenced, l.Attempt)
		}
		return err
	})
	return wrap(err, "give a lease back")
}

// Leases lists the leases that are not over, oldest attempt first. It ends none.
func (s *Store) Leases(ctx context.Context) (out []retention.Lease, err error) {
	err = s.read(ctx, func(t *tx) error {
		var rows []leaseRow
		if err := t.all(ctx, &rows, "SELECT "+leaseColumns+" FROM lease WHERE until > ? ORDER BY attempt, name", micros(t.now)); err != nil {
			return err
		}
		out = out[:0]
		for _, r := range rows {
			if s.proc.gone(r.Process) {
				continue
			}
			if n := len(out); n == 0 || out[n-1].Attempt != r.Attempt {
				out = append(out, retention.Lease{Owner: r.Owner, Attempt: r.Attempt, Since: instant(r.Since), Until: instant(r.Until), Time: s.lease})
			}
			l := &out[len(out)-1]
			l.Names = append(l.Names, r.Name)
		}
		return nil
	})
	return out, wrap(err, "read the leases")
}
