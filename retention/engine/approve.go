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

// Decide approves (yes) or rejects a saved plan, by its digest. It is a yes to
// that plan and to nothing else: only once the plan runs does `approve: first`
// let a rule's later runs, within limits and unchanged in meaning, wait no more.
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
	if err := e.sign(ctx); err != nil {
		return saved, err
	}
	return e.Store.Plan(ctx, plan)
}

// approvals remembers, as an approved plan begins to run, the meaning and the
// schema that a person looked at: a run that dies may be taken up by the next.
func (w *work) approvals(ctx context.Context) error {
	if !w.approved {
		return nil
	}
	for i := range w.plan.Steps {
		s := &w.plan.Steps[i]
		if s.ReportOnly || s.Classes.Due == 0 || w.refused(s) != nil {
			continue
		}
		seen, _, err := w.Store.Seen(ctx, s.Policy, s.Rule)
		if err != nil {
			return fmt.Errorf("reading what was approved of rule %q: %w", s.Rule, err)
		}
		seen.Policy, seen.Rule, seen.Approved = s.Policy, s.Rule, true
		seen.Meaning, seen.Fingerprint = s.Meaning, s.Fingerprint
		if err := w.Store.SetSeen(ctx, seen); err != nil {
			return fmt.Errorf("keeping the approval of rule %q: %w", s.Rule, err)
		}
	}
	return nil
}
