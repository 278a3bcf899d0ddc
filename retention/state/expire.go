package state

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// Expire drops our own records whose time is over. A log goes whole, with its
// keys, salts and checkpoints, and never the open one; the open one gets an
// entry that says so. A run with an open intent stays. Plans and runs go in many
// small transactions: one that took longer than a lease would fence every run.
func (s *Store) Expire(ctx context.Context, k retention.KeepFrom) (e retention.Expired, err error) {
	quiet, err := s.piecewise(ctx, func(t *tx) (int64, error) { return t.expireQuiet(ctx, micros(k.Quiet)) })
	if err == nil {
		e.Plans, err = s.expirePlans(ctx, micros(k.Plans))
	}
	if err == nil {
		e.Runs, err = s.expireRuns(ctx, micros(k.Plans))
	}
	if err == nil {
		e.Plans, e.Runs = e.Plans+quiet, e.Runs+quiet
		err = s.write(ctx, func(t *tx) (err error) {
			if e.Holds, err = t.expireHolds(ctx, micros(k.Holds)); err != nil {
				return err
			}
			e.Logs, err = t.expireLogs(ctx, micros(k.Audit))
			return err
		})
	}
	if err == nil && len(e.Logs) > 0 {
		err = s.base.flush(ctx)
	}
	return e, wrap(err, "expire our own records")
}

// atOnce is how many records of ours go in one transaction.
const atOnce = 1000

// piecewise drops records in pieces until nothing is left to drop; other writers
// come in between.
func (s *Store) piecewise(ctx context.Context, drop func(*tx) (int64, error)) (sum int64, err error) {
	for {
		var n int64
		err := s.write(ctx, func(t *tx) (err error) {
			n, err = drop(t)
			return err
		})
		if sum += n; err != nil || n == 0 {
			return sum, err
		}
	}
}

// some is a DELETE of at most [atOnce] rows, by key.
func some(table, key, where string) string {
	return fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (SELECT %s FROM %s WHERE %s LIMIT %d)", table, key, key, table, where, atOnce)
}

// deletes drops in pieces what one condition names.
func (s *Store) deletes(ctx context.Context, table, key, where string, args ...any) (int64, error) {
	return s.piecewise(ctx, func(t *tx) (int64, error) { return t.exec(ctx, some(table, key, where), args...) })
}

func (s *Store) expirePlans(ctx context.Context, before int64) (n int64, err error) {
	err = s.read(ctx, func(t *tx) error { // what was approved, or may be, is looked at once
		n = t.now.UnixMicro()
		return nil
	})
	if err != nil {
		return 0, err
	}
	const gone = "plan NOT IN (SELECT id FROM plans)"
	if n, err = s.deletes(ctx, "plans", "id", "made_at < ? AND until < ?", before, n); err != nil {
		return n, err
	}
	for _, table := range []string{"parked", "approvals"} {
		if err := s.write(ctx, func(t *tx) error {
			_, err := t.exec(ctx, "DELETE FROM "+table+" WHERE "+gone)
			return err
		}); err != nil {
			return n, err
		}
	}
	// A spool without a plan is being filled, or its planning died.
	if _, err := s.deletes(ctx, "spool_keys", "plan", "at < ? AND "+gone, before); err != nil {
		return n, err
	}
	_, err = s.deletes(ctx, "spool", "plan, step, seq", "plan NOT IN (SELECT plan FROM spool_keys) AND "+gone)
	return n, err
}

func (s *Store) expireRuns(ctx context.Context, before int64) (int64, error) {
	const old = "ended <> 0 AND ended < ? AND id NOT IN (SELECT run FROM intents WHERE concluded = 0 OR prune = 1)"
	if _, err := s.deletes(ctx, "intents", "id", "run IN (SELECT id FROM runs WHERE "+old+")", before); err != nil {
		return 0, err
	}
	if _, err := s.deletes(ctx, "slots", "policy, rule_set, slot", "ended <> 0 AND ended < ?", before); err != nil {
		return 0, err
	}
	return s.deletes(ctx, "runs", "id", old, before)
}

// expireQuiet drops some runs of slots that had nothing to do, with what belongs to
// them; such runs have no intents.
func (t *tx) expireQuiet(ctx context.Context, before int64) (n int64, err error) {
	for _, which := range []string{
		"plans WHERE state = 'run' AND id IN (SELECT plan FROM",
		"slots WHERE ended <> 0 AND run IN (SELECT id FROM",
		"runs WHERE id IN (SELECT id FROM",
	} {
		if n, err = t.exec(ctx, fmt.Sprintf("DELETE FROM %s runs WHERE quiet = 1 AND ended < ? ORDER BY ended, id LIMIT %d)", which, atOnce), before); err != nil {
			return 0, err
		}
	}
	return n, nil
}

func (t *tx) expireHolds(ctx context.Context, before int64) (int64, error) {
	n, err := t.exec(ctx, "DELETE FROM holds WHERE state = ? AND grace_until < ? AND grace_until < ?", string(retention.HoldReleased), before, micros(t.now))
	if err != nil || n == 0 {
		return n, err
	}
	for _, table := range []string{"hold_subjects", "hold_sources"} {
		if _, err := t.exec(ctx, "DELETE FROM "+table+" WHERE hold NOT IN (SELECT id FROM holds)"); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (t *tx) expireLogs(ctx context.Context, before int64) (dropped []string, err error) {
	var old []headRow
	if err := t.all(ctx, &old, `SELECT log, base, size, last_at FROM audit_logs
		WHERE last_at < ? AND dropped = 0 AND log NOT IN (SELECT log FROM audit_head) ORDER BY log`, before); err != nil {
		return nil, err
	}
	if len(old) > 0 {
		if err := t.restate(ctx, old); err != nil {
			return nil, err
		}
	}
	for _, l := range old {
		root, err := audit.RootAt(ctx, t.log(), l.Log, l.Size)
		if err != nil {
			return nil, err
		}
		for _, table := range []string{"audit_entries", "audit_hashes", "audit_checkpoints", "audit_salts"} {
			if _, err := t.exec(ctx, "DELETE FROM "+table+" WHERE log = ?", l.Log); err != nil {
				return nil, err
			}
		}
		if _, err := t.exec(ctx, "UPDATE audit_logs SET dropped = 1, secret = NULL WHERE log = ?", l.Log); err != nil {
			return nil, err
		}
		data := map[string]any{"dropped": map[string]any{"log": l.Log, "size": l.Size, "root": root}}
		if _, err := t.record(ctx, audit.Event{Kind: audit.ConfigLoaded, Data: data}); err != nil {
			return nil, err
		}
		dropped = append(dropped, l.Log)
	}
	return dropped, nil
}
