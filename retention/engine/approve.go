package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// planLife is how long a plan can be approved and run.
const planLife = 7 * 24 * time.Hour

type timeNow = time.Time

// Decide approves (yes) or rejects a saved plan, by its digest. An approval
// counts for the plan's rules too: with `approve: first` their later runs, within
// limits and unchanged in meaning, wait no more.
func (e *Engine) Decide(ctx context.Context, plan, by, reason string, yes bool) (retention.SavedPlan, error) {
	saved, err := e.Store.Plan(ctx, plan)
	if err != nil {
		return saved, fmt.Errorf("plan %q: %w", plan, err)
	}
	now, err := e.Store.Now(ctx)
	if err != nil {
		return saved, fmt.Errorf("reading the store's clock: %w", err)
	}
	if saved.Plan.Preview {
		return saved, refuse(retention.RefusePreview, "plan %s is a preview (as-of %s): it can be neither approved nor run", plan, stamp(saved.Plan.AsOf))
	}
	if err := usable(&saved, now); err != nil && yes {
		return saved, err
	}
	a := retention.Approval{Plan: plan, Digest: saved.Plan.Digest, By: by, Reason: reason, At: now, Until: now.Add(planLife)}
	if err := e.Store.Decide(ctx, a, yes); err != nil {
		return saved, fmt.Errorf("plan %q: %w", plan, err)
	}
	if yes {
		if err := e.approveRules(ctx, &saved.Plan); err != nil {
			return saved, err
		}
	}
	if err := e.sign(ctx); err != nil {
		return saved, err
	}
	return e.Store.Plan(ctx, plan)
}

// approveRules remembers the meaning and the schema that a person looked at.
func (e *Engine) approveRules(ctx context.Context, p *retention.Plan) error {
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.ReportOnly || s.Classes.Due == 0 {
			continue
		}
		seen, _, err := e.Store.Seen(ctx, s.Policy, s.Rule)
		if err != nil {
			return fmt.Errorf("reading what was approved of rule %q: %w", s.Rule, err)
		}
		seen.Policy, seen.Rule, seen.Approved = s.Policy, s.Rule, true
		seen.Meaning, seen.Fingerprint = s.Meaning, s.Fingerprint
		if err := e.Store.SetSeen(ctx, seen); err != nil {
			return fmt.Errorf("keeping the approval of rule %q: %w", s.Rule, err)
		}
	}
	return nil
}
