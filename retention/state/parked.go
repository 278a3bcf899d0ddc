package state

import (
	"context"
	"errors"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// ApprovedPlans lists, oldest approval first, the plans that were approved, have
// not run to their end, and whose approval is not over.
func (s *Store) ApprovedPlans(ctx context.Context) (out []retention.SavedPlan, err error) {
	err = s.read(ctx, func(t *tx) error {
		out = nil
		var ids []string
		err := t.all(ctx, &ids, "SELECT id FROM plans WHERE state = ? AND until > ? ORDER BY decided_at, id", string(retention.PlanApproved), micros(t.now))
		for _, id := range ids {
			p, bad := t.plan(ctx, id)
			out, err = append(out, p), errors.Join(err, bad)
		}
		return err
	})
	return out, wrap(err, "list approved plans")
}

// WaitingPlans lists, oldest first, the parked plans that nobody decided and that
// can still be approved.
func (s *Store) WaitingPlans(ctx context.Context) (out []retention.SavedPlan, err error) {
	err = s.read(ctx, func(t *tx) error {
		out = nil
		var ids []string
		err := t.all(ctx, &ids, "SELECT id FROM plans WHERE state = ? AND made_at > ? AND id IN (SELECT plan FROM parked) ORDER BY made_at, id",
			string(retention.PlanMade), micros(t.now.Add(-ApprovalTime)))
		for _, id := range ids {
			p, bad := t.plan(ctx, id)
			out, err = append(out, p), errors.Join(err, bad)
		}
		return err
	})
	return out, wrap(err, "list plans that wait")
}

// Park remembers that steps of a saved plan wait for an approval.
func (s *Store) Park(ctx context.Context, plan string, steps []retention.Step) error {
	err := s.write(ctx, func(t *tx) error {
		for _, x := range steps {
			if _, err := t.exec(ctx, `INSERT INTO parked (policy, rule, stage, archived, meaning, fingerprint, plan) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (policy, rule, stage, archived) DO UPDATE SET meaning = excluded.meaning, fingerprint = excluded.fingerprint, plan = excluded.plan`,
				x.Policy, x.Rule, x.Stage, flag(x.Archived), x.Meaning, x.Fingerprint, plan); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "park plan %s", plan)
}

// Parked returns the plan, made since that instant, in which that very step (same
// meaning, same tables) waits for an approval or was rejected; "": none.
func (s *Store) Parked(ctx context.Context, x retention.Step, since time.Time) (plan string, state retention.PlanState, err error) {
	err = s.read(ctx, func(t *tx) error {
		var r struct{ ID, State string }
		_, err := t.get(ctx, &r, `SELECT p.id, p.state FROM parked k JOIN plans p ON p.id = k.plan WHERE k.policy = ? AND k.rule = ? AND k.stage = ? AND k.archived = ?
			AND k.meaning = ? AND k.fingerprint = ? AND p.state IN (?, ?) AND p.made_at >= ?`,
			x.Policy, x.Rule, x.Stage, flag(x.Archived), x.Meaning, x.Fingerprint, string(retention.PlanMade), string(retention.PlanRejected), micros(since))
		plan, state = r.ID, retention.PlanState(r.State)
		return err
	})
	return plan, state, wrap(err, "look for a parked plan of rule %s/%s", x.Policy, x.Rule)
}
