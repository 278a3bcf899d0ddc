package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// Intend stores the intent with batch.intent; retention.ErrFenced under a stale
// attempt.
func (s *Store) Intend(ctx context.Context, i retention.Intent) error {
	err := s.write(ctx, func(t *tx) error {
		if err := t.current(ctx, i.Attempt); err != nil {
			return err
		}
		n, err := t.record(ctx, audit.Event{Kind: audit.BatchIntent, Run: i.Run, Policy: i.Policy, Rule: i.Rule, Data: intended(i)})
		if err != nil {
			return err
		}
		if i.At.IsZero() {
			i.At = t.now
		}
		// After its entry: an intent that opens now does not keep the old year open.
		_, err = t.exec(ctx, `INSERT INTO intents (id, run, attempt, source, source_uuid, policy, rule, stage, action, tab, part, planned, at, entry, vault, segment, vault_uuid)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, i.ID, i.Run, i.Attempt, i.Source, i.SourceUUID, i.Policy, i.Rule,
			i.Stage, string(i.Action), i.Table, i.Partition, i.Planned, micros(i.At), n, i.Vault, i.Segment, i.VaultUUID)
		return err
	})
	return wrap(err, "intend batch %s", i.ID)
}

type intentRow struct {
	ID         string `db:"id"`
	Run        string `db:"run"`
	Attempt    int64  `db:"attempt"`
	Source     string `db:"source"`
	SourceUUID string `db:"source_uuid"`
	Policy     string `db:"policy"`
	Rule       string `db:"rule"`
	Stage      int    `db:"stage"`
	Action     string `db:"action"`
	Table      string `db:"tab"`
	Part       string `db:"part"`
	Planned    int64  `db:"planned"`
	At         int64  `db:"at"`
	Concluded  int64  `db:"concluded"`
	Vault      string `db:"vault"`
	Segment    string `db:"segment"`
	VaultUUID  string `db:"vault_uuid"`
}

const intentColumns = "id, run, attempt, source, source_uuid, policy, rule, stage, action, tab, part, planned, at, concluded, vault, segment, vault_uuid"

func (r intentRow) intent() retention.Intent {
	return retention.Intent{ID: r.ID, Run: r.Run, Attempt: r.Attempt, Source: r.Source, SourceUUID: r.SourceUUID, Policy: r.Policy,
		Rule: r.Rule, Stage: r.Stage, Action: retention.ActionKind(r.Action), Table: r.Table, Partition: r.Part, Planned: r.Planned, At: instant(r.At),
		Vault: r.Vault, VaultUUID: r.VaultUUID, Segment: r.Segment}
}

// Conclude stores the outcome with batch.outcome, or batch.settled; an intent
// has at most one outcome: retention.ErrDecided.
func (s *Store) Conclude(ctx context.Context, intent string, o retention.Outcome, settled bool) error {
	body, err := toJSON(o)
	if err != nil {
		return wrap(err, "conclude batch %s", intent)
	}
	err = s.write(ctx, func(t *tx) error {
		t.pinned = true
		var r intentRow
		ok, err := t.get(ctx, &r, "SELECT "+intentColumns+" FROM intents WHERE id = ?", intent)
		if err != nil {
			return err
		}
		if !ok {
			return retention.ErrNotFound
		}
		n, err := t.exec(ctx, "UPDATE intents SET concluded = ?, settled = ?, outcome = ?, prune = ? WHERE id = ? AND concluded = 0",
			micros(t.now), flag(settled), body, flag(prunable(o, settled)), intent)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%w: its outcome is stored", retention.ErrDecided)
		}
		if _, err = t.record(ctx, concluded(r.intent(), o, settled)); err != nil {
			return err
		}
		return t.segments(ctx, r.intent(), o)
	})
	return wrap(err, "conclude batch %s", intent)
}

// prunable reports whether the source holds a done receipt for the outcome. A
// settled intent that did nothing has an abandoned one, which stays for good.
func prunable(o retention.Outcome, settled bool) bool {
	return !settled || o.Done > 0 || o.Digest != ""
}

// intended is what the log says of an intent; a range says what it planned once
// it is done.
func intended(i retention.Intent) map[string]any {
	data := map[string]any{"intent": i.ID, "source": i.Source, "table": i.Table, "stage": i.Stage, "action": i.Action}
	if i.Planned == retention.PlannedRange {
		data["range"] = true
	} else {
		data["planned"] = i.Planned
	}
	if i.Partition != "" {
		data["partition"] = i.Partition
	}
	if i.Vault != "" {
		data["vault"] = i.Vault
	}
	if i.Segment != "" {
		data["segment"] = i.Segment
	}
	return data
}

func concluded(i retention.Intent, o retention.Outcome, settled bool) audit.Event {
	kind := audit.BatchOutcome
	if settled {
		kind = audit.BatchSettled
	}
	data := intended(i)
	data["planned"], data["done"], data["spared"] = o.Done+o.Spared.Sum(), o.Done, o.Spared
	if len(o.Children) > 0 {
		data["children"] = o.Children
	}
	if o.Copied > 0 {
		data["copied_and_left"] = o.Copied
	}
	if o.Digest != "" {
		data["receipt"] = o.Digest
	}
	return audit.Event{Kind: kind, Run: i.Run, Policy: i.Policy, Rule: i.Rule, Data: data}
}

// StillOpen is nil while the intent has no outcome, else retention.ErrDecided.
func (s *Store) StillOpen(ctx context.Context, intent string) error {
	err := s.read(ctx, func(t *tx) error {
		var concluded int64
		ok, err := t.get(ctx, &concluded, "SELECT concluded FROM intents WHERE id = ?", intent)
		switch {
		case err != nil:
			return err
		case !ok || concluded != 0: // a run's intents go only once they are concluded
			return fmt.Errorf("%w: its outcome is stored", retention.ErrDecided)
		}
		return nil
	})
	return wrap(err, "look whether batch %s is open", intent)
}

// OpenIntents lists intents without outcome, oldest first.
func (s *Store) OpenIntents(ctx context.Context) (out []retention.Intent, err error) {
	err = s.read(ctx, func(t *tx) error {
		out, err = t.open(ctx, "")
		return err
	})
	return out, wrap(err, "list open intents")
}

// StrayIntents lists those whose lease is over, oldest first, and ends such leases
// for good: a run that comes back to one finds itself fenced. An open intent of a
// run that is at work is not settled by another.
func (s *Store) StrayIntents(ctx context.Context) (out []retention.Intent, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.bury(ctx); err != nil {
			return err
		}
		out, err = t.open(ctx, " AND attempt NOT IN (SELECT attempt FROM lease)")
		return err
	})
	return out, wrap(err, "list intents that a crash left open")
}

func (t *tx) open(ctx context.Context, and string) ([]retention.Intent, error) {
	var rows []intentRow
	err := t.all(ctx, &rows, "SELECT "+intentColumns+" FROM intents WHERE concluded = 0"+and+" ORDER BY at, id")
	out := make([]retention.Intent, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.intent())
	}
	return out, err
}

// Concluded lists intents of a source whose receipts may be pruned, oldest first.
func (s *Store) Concluded(ctx context.Context, sourceUUID string, limit int) (ids []string, err error) {
	err = s.read(ctx, func(t *tx) error {
		return t.all(ctx, &ids, "SELECT id FROM intents WHERE source_uuid = ? AND prune = 1 AND concluded <> 0 ORDER BY concluded, id LIMIT ?",
			sourceUUID, limit)
	})
	return ids, wrap(err, "list concluded intents of source %s", sourceUUID)
}

// Pruned forgets that they are to be pruned.
func (s *Store) Pruned(ctx context.Context, intents []string) error {
	err := s.write(ctx, func(t *tx) error {
		var errs []error
		for rest := intents; len(rest) > 0; rest = rest[min(500, len(rest)):] {
			query, args, err := sqlx.In("UPDATE intents SET prune = 0 WHERE id IN (?)", rest[:min(500, len(rest))])
			if err == nil {
				_, err = t.exec(ctx, query, args...)
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	return wrap(err, "note pruned receipts")
}
