package state

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// Expire drops our own records whose time is over. A log goes whole, with its
// keys, salts and checkpoints, and never the open one; the open one gets an
// entry that says so. A run with an open intent stays. Where there is much to drop,
// it goes in several transactions: one that took longer than a lease would fence
// every run.
func (s *Store) Expire(ctx context.Context, k retention.KeepFrom) (e retention.Expired, err error) {
	for more := true; more && err == nil; {
		var d drop
		err = s.write(ctx, func(t *tx) error {
			d = drop{tx: t}
			return d.all(ctx, k)
		})
		if err == nil {
			e.Plans, e.Runs, e.Holds = e.Plans+d.gone.Plans, e.Runs+d.gone.Runs, e.Holds+d.gone.Holds
			e.Logs = append(e.Logs, d.gone.Logs...)
		}
		more = d.more
	}
	if err == nil && len(e.Logs) > 0 {
		err = s.base.flush(ctx)
	}
	return e, wrap(err, "expire our own records")
}

// atOnce is how many records of one kind go in one transaction.
const atOnce = 1000

// drop is one transaction in which records of ours go.
type drop struct {
	*tx
	gone retention.Expired
	more bool // a kind has more of them
}

func (d *drop) all(ctx context.Context, k retention.KeepFrom) error {
	quiet, err := d.quiet(ctx, micros(k.Quiet))
	if err != nil {
		return err
	}
	if d.gone.Plans, err = d.plans(ctx, micros(k.Plans)); err != nil {
		return err
	}
	if d.gone.Runs, err = d.runs(ctx, micros(k.Plans)); err != nil {
		return err
	}
	d.gone.Plans, d.gone.Runs = d.gone.Plans+quiet, d.gone.Runs+quiet
	if d.gone.Holds, err = d.expireHolds(ctx, micros(k.Holds)); err != nil {
		return err
	}
	d.gone.Logs, err = d.expireLogs(ctx, micros(k.Audit))
	return err
}

// some drops at most [atOnce] rows, which it finds by their key.
func (d *drop) some(ctx context.Context, table, key, where string, args ...any) (int64, error) {
	n, err := d.exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (SELECT %s FROM %s WHERE %s LIMIT %d)", table, key, key, table, where, atOnce), args...)
	d.more = d.more || n >= atOnce
	return n, err
}

func (d *drop) plans(ctx context.Context, before int64) (int64, error) {
	const gone = "plan NOT IN (SELECT id FROM plans)"
	n, err := d.some(ctx, "plans", "id", "made_at < ? AND until < ?", before, micros(d.now))
	if err != nil {
		return n, err
	}
	for _, table := range []string{"parked", "approvals"} {
		if _, err := d.exec(ctx, "DELETE FROM "+table+" WHERE "+gone); err != nil {
			return n, err
		}
	}
	// A spool without a plan is being filled, or its planning died.
	if _, err := d.some(ctx, "spool_keys", "plan", "at < ? AND "+gone, before); err != nil {
		return n, err
	}
	_, err = d.some(ctx, "spool", "plan, step, seq", "plan NOT IN (SELECT plan FROM spool_keys) AND "+gone)
	return n, err
}

// runs drops runs with their intents: a run stays until the last of them is gone.
func (d *drop) runs(ctx context.Context, before int64) (int64, error) {
	const old = "ended <> 0 AND ended < ? AND id NOT IN (SELECT run FROM intents WHERE concluded = 0 OR prune = 1)"
	if _, err := d.some(ctx, "intents", "id", "run IN (SELECT id FROM runs WHERE "+old+")", before); err != nil {
		return 0, err
	}
	if _, err := d.some(ctx, "slots", "policy, rule_set, slot", "ended <> 0 AND ended < ?", before); err != nil {
		return 0, err
	}
	return d.some(ctx, "runs", "id", "ended <> 0 AND ended < ? AND NOT EXISTS (SELECT 1 FROM intents i WHERE i.run = runs.id)", before)
}

// quiet drops some runs of slots that had nothing to do, with what belongs to them;
// such runs have no intents.
func (d *drop) quiet(ctx context.Context, before int64) (n int64, err error) {
	for _, which := range []string{
		"plans WHERE state = 'run' AND id IN (SELECT plan FROM",
		"slots WHERE ended <> 0 AND run IN (SELECT id FROM",
		"runs WHERE id IN (SELECT id FROM",
	} {
		if n, err = d.exec(ctx, fmt.Sprintf("DELETE FROM %s runs WHERE quiet = 1 AND ended < ? ORDER BY ended, id LIMIT %d)", which, atOnce), before); err != nil {
			return 0, err
		}
	}
	d.more = d.more || n >= atOnce
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
