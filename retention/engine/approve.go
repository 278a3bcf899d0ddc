package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// planLife is how long a plan can be approved and run.
const planLife = 7 * 24 * time.Hour

type timeNow = time.Time

// Decision is what a person says of a saved plan.
type Decision struct {
	By, Reason string
	Visa       string // reference of the visa of the list for destruction; empty: none
	Digest     string // of the plan that was looked at; empty: it is the plan's
	Yes        bool
}

// Decide approves or rejects a saved plan, by its digest. It is a yes to that plan
// and to nothing else: only once the plan runs does `approve: first` let a rule's
// later runs, within limits and unchanged in meaning, wait no more. A plan that
// needs several approvals stays undecided until the last.
func (e *Engine) Decide(ctx context.Context, plan string, d Decision) (retention.SavedPlan, error) {
	saved, err := e.Store.Plan(ctx, plan)
	if err != nil {
		return saved, fmt.Errorf("plan %q: %w", plan, err)
	}
	now, err := e.Store.Now(ctx)
	if err != nil {
		return saved, fmt.Errorf("reading the store's clock: %w", err)
	}
	a, err := e.decision(&saved, d)
	if err != nil {
		return saved, err
	}
	if err := usable(&saved, now); err != nil && d.Yes {
		return saved, err
	}
	a.At, a.Until = now, now.Add(planLife)
	if d.Yes && saved.State == retention.PlanMade {
		if err := saved.Fits(a, e.FourEyes); err != nil {
			return saved, err
		}
	}
	if err := e.Store.Decide(ctx, a, d.Yes); err != nil {
		return saved, fmt.Errorf("plan %q: %w", plan, err)
	}
	if err := e.sign(ctx); err != nil {
		return saved, err
	}
	return e.Store.Plan(ctx, plan)
}

// decision is the approval that a decision would be, if it is one that can be.
func (e *Engine) decision(s *retention.SavedPlan, d Decision) (retention.Approval, error) {
	a := retention.Approval{Plan: s.Plan.ID, Digest: s.Plan.Digest, By: strings.TrimSpace(d.By), Reason: d.Reason, Visa: d.Visa}
	if s.Plan.Preview {
		return a, refuse(retention.RefusePreview, "plan %s is a preview (as-of %s): it can be neither approved nor run", s.Plan.ID, stamp(s.Plan.AsOf))
	}
	if d.Digest != "" && d.Digest != s.Plan.Digest {
		return a, usage("look at the plan again", "the digest of plan %s is %s, not the one that was given", s.Plan.ID, s.Plan.Digest)
	}
	if d.Visa != "" {
		if err := retention.VisaRef(d.Visa); err != nil {
			return a, usage("it is kept in clear in the audit log: write the document's number, such as DITN/2026/0412", "%v", err)
		}
	}
	return a, nil
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
		if err := w.Store.ChangeSeen(ctx, w.lease.Attempt, s.Policy, retention.AtTenant(s.Rule, s.Source), func(seen *retention.RuleSeen, _ bool) bool {
			seen.Approved, seen.Meaning, seen.Fingerprint = true, s.Meaning, s.Fingerprint
			return true
		}); err != nil {
			return fmt.Errorf("keeping the approval of rule %q: %w", s.Rule, err)
		}
	}
	return nil
}
