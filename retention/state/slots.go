package state

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// back is how far the store's clock may go back before slots are fired anew from
// where it is; flap is how soon a retired rule set may come back as if it had
// never gone: replicas are not given new policies at the same moment.
const (
	back = time.Minute
	flap = time.Hour
)

type scheduleRow struct {
	Policy  string `db:"policy"`
	Set     string `db:"rule_set"`
	Fired   int64  `db:"fired"`
	Claimed int64  `db:"claimed"`
	Retired int64  `db:"retired"`
}

func (t *tx) schedules(ctx context.Context) (map[retention.RuleSetID]scheduleRow, error) {
	var rows []scheduleRow
	err := t.all(ctx, &rows, "SELECT policy, rule_set, fired, claimed, retired FROM schedules")
	out := make(map[retention.RuleSetID]scheduleRow, len(rows))
	for _, r := range rows {
		out[retention.RuleSetID{Policy: r.Policy, Set: r.Set}] = r
	}
	return out, err
}

// FiredUntil returns until when the slots of each rule set were fired, and the
// store's time. A rule set that is new, or back after it was retired, starts now,
// and so does one that was fired ahead of a clock that went back since: slots that
// were run keep their rows, and are not run again.
func (s *Store) FiredUntil(ctx context.Context, sets []retention.RuleSetID) (until map[retention.RuleSetID]time.Time, now time.Time, err error) {
	var known map[retention.RuleSetID]scheduleRow
	err = s.read(ctx, func(t *tx) error {
		now = t.now
		known, err = t.schedules(ctx)
		return err
	})
	until = make(map[retention.RuleSetID]time.Time, len(sets))
	var begin []retention.RuleSetID
	for _, id := range sets {
		r, ok := known[id]
		if until[id] = instant(r.Fired); !ok || r.Retired != 0 || until[id].After(now.Add(back)) {
			begin = append(begin, id)
		}
	}
	if err == nil && len(begin) > 0 {
		err = s.write(ctx, func(t *tx) error {
			now = t.now
			return t.begin(ctx, begin, until)
		})
	}
	return until, now, wrap(err, "read until when slots were fired")
}

func (t *tx) begin(ctx context.Context, sets []retention.RuleSetID, until map[retention.RuleSetID]time.Time) error {
	known, err := t.schedules(ctx)
	if err != nil {
		return err
	}
	for _, id := range sets {
		r, ok := known[id]
		fired := t.now
		if gone := instant(r.Retired); ok && !instant(r.Fired).After(t.now.Add(back)) && (gone.IsZero() || t.now.Sub(gone) < flap) {
			fired = instant(r.Fired)
		}
		if _, err := t.exec(ctx, `INSERT INTO schedules (policy, rule_set, fired) VALUES (?, ?, ?)
			ON CONFLICT (policy, rule_set) DO UPDATE SET fired = excluded.fired, retired = 0`, id.Policy, id.Set, micros(fired)); err != nil {
			return err
		}
		until[id] = fired
	}
	return nil
}

// Fire stores due slots, and what was missed, with slot.missed entries.
// retention.ErrDecided: somebody else fired meanwhile.
func (s *Store) Fire(ctx context.Context, f retention.Firing) error {
	err := s.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, "UPDATE schedules SET fired = ? WHERE policy = ? AND rule_set = ? AND fired = ?",
			micros(f.To), f.Policy, f.Set, micros(f.From))
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%w: its slots were fired by another process", retention.ErrDecided)
		}
		if err := t.missed(ctx, f.RuleSetID, f.Missed); err != nil {
			return err
		}
		if f.Overtake && len(f.Slots) > 0 {
			if err := t.overtake(ctx, f.RuleSetID, f.Slots[len(f.Slots)-1].At); err != nil {
				return err
			}
		}
		for _, d := range f.Slots {
			if _, err := t.exec(ctx, `INSERT INTO slots (policy, rule_set, slot, zone, due, state) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (policy, rule_set, slot) DO NOTHING`, f.Policy, f.Set, micros(d.At), f.Zone, micros(d.Due), string(retention.SlotOpen)); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "fire slots of policy %s", f.Policy)
}

// missed says in the log which slots nobody will run.
func (t *tx) missed(ctx context.Context, id retention.RuleSetID, m retention.MissedSlots) error {
	if m.Count == 0 {
		return nil
	}
	_, err := t.record(ctx, audit.Event{Kind: audit.SlotMissed, Policy: id.Policy, Data: map[string]any{
		"rule_set": id.Set, "slot": rfc3339(m.First), "last": rfc3339(m.Last), "count": m.Count, "reason": m.Why,
	}})
	return err
}

// overtake skips slots that wait while a newer one is due: it does their work.
func (t *tx) overtake(ctx context.Context, id retention.RuleSetID, newest time.Time) error {
	const which = " FROM slots WHERE ended = 0 AND policy = ? AND rule_set = ? AND slot < ? AND state = ?"
	args := []any{id.Policy, id.Set, micros(newest), string(retention.SlotOpen)}
	return t.skip(ctx, id, retention.MissedOvertaken, which, args)
}

// skip ends slots that nobody will run.
func (t *tx) skip(ctx context.Context, id retention.RuleSetID, why retention.MissedWhy, which string, args []any) error {
	var sum struct {
		First int64 `db:"first_slot"`
		Last  int64 `db:"last_slot"`
		Count int64 `db:"n"`
	}
	if _, err := t.get(ctx, &sum, "SELECT coalesce(min(slot), 0) AS first_slot, coalesce(max(slot), 0) AS last_slot, count(*) AS n"+which, args...); err != nil || sum.Count == 0 {
		return err
	}
	set := []any{string(retention.SlotSkipped), string(why), micros(t.now)}
	if _, err := t.exec(ctx, "UPDATE slots SET state = ?, reason = ?, ended = ? WHERE (policy, rule_set, slot) IN (SELECT policy, rule_set, slot"+which+")",
		append(set, args...)...); err != nil {
		return err
	}
	return t.missed(ctx, id, retention.MissedSlots{First: instant(sum.First), Last: instant(sum.Last), Count: sum.Count, Why: why})
}

// Retire notes which rule sets are no more. Once that is an hour ago, their open
// slots are skipped.
func (s *Store) Retire(ctx context.Context, inForce []retention.RuleSetID) error {
	have := make(map[retention.RuleSetID]bool, len(inForce))
	for _, id := range inForce {
		have[id] = true
	}
	var known map[retention.RuleSetID]scheduleRow
	var now time.Time
	err := s.read(ctx, func(t *tx) (err error) {
		now = t.now
		known, err = t.schedules(ctx)
		return err
	})
	for id, r := range known {
		since := instant(r.Retired)
		if err == nil && !have[id] && (since.IsZero() || now.Sub(since) >= flap) {
			err = s.retire(ctx, id, since)
		}
	}
	return wrap(err, "retire rule sets")
}

func (s *Store) retire(ctx context.Context, id retention.RuleSetID, since time.Time) error {
	return s.write(ctx, func(t *tx) error {
		if since.IsZero() {
			_, err := t.exec(ctx, "UPDATE schedules SET retired = ? WHERE policy = ? AND rule_set = ? AND retired = 0", micros(t.now), id.Policy, id.Set)
			return err
		}
		const which = " FROM slots WHERE ended = 0 AND policy = ? AND rule_set = ? AND state IN (?, ?)"
		args := []any{id.Policy, id.Set, string(retention.SlotOpen), string(retention.SlotPaused)}
		if err := t.skip(ctx, id, retention.MissedRetired, which, args); err != nil {
			return err
		}
		_, err := t.exec(ctx, "DELETE FROM schedules WHERE policy = ? AND rule_set = ? AND retired <> 0", id.Policy, id.Set)
		return err
	})
}
