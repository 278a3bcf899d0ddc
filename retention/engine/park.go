package engine

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// waiting are the steps of an unattended run that wait for an approval and that no
// plan before this one waits with: a person is asked once. Where all of them were
// asked for before, the run's refusals name the plan that waits.
func (w *work) waiting(ctx context.Context) ([]retention.Step, error) {
	w.asked = false
	if !w.req.Unattended || w.saved != nil || !w.waits() {
		return nil, nil
	}
	var all []retention.Step
	before, fresh := map[string]string{}, false
	for i := range w.plan.Steps {
		s := &w.plan.Steps[i]
		if s.ReportOnly || !w.asks(s) {
			continue
		}
		plan, state, err := w.Store.Parked(ctx, atTenant(*s), w.now().Add(-planLife))
		if err != nil {
			return nil, fmt.Errorf("looking for a plan that waits: %w", err)
		}
		fresh = fresh || plan == ""
		before[retention.AtTenant(s.Policy+"/"+s.Rule, s.Source)] = parkedText(plan, state)
		all = append(all, atTenant(*s))
	}
	if fresh {
		return all, nil
	}
	w.asked = true
	for i := range w.report.Refusals {
		r := &w.report.Refusals[i]
		if text := before[retention.AtTenant(r.Policy+"/"+r.Rule, r.Source)]; r.Approvable && text != "" {
			r.Message = text
		}
	}
	return nil, nil
}

func parkedText(plan string, state retention.PlanState) string {
	if state == retention.PlanRejected {
		return fmt.Sprintf("plan %s was rejected: change the rule, or look at a new plan (retentiond plan) and approve that", plan)
	}
	return fmt.Sprintf("waits for a person since plan %s: look at it, then: retentiond approve %s --by NAME --reason TEXT", plan, plan)
}

// asks reports whether an approval would lift a refusal of the step.
func (w *work) asks(s *retention.Step) bool {
	for i := range w.report.Refusals {
		r := &w.report.Refusals[i]
		if r.Approvable && r.Rule != "" && r.About(s) {
			return true
		}
	}
	return false
}

// park remembers in which plan the steps wait.
func (w *work) park(ctx context.Context, steps []retention.Step) error {
	if len(steps) == 0 {
		return nil
	}
	if err := w.Store.Park(ctx, w.plan.ID, steps); err != nil {
		return fmt.Errorf("parking the plan: %w", err)
	}
	w.report.Parked = w.plan.ID
	return nil
}

// newRefusals are those of the report that were not recorded before: what waits
// for an approval is in the log once, and not at every slot.
func (w *work) newRefusals() []retention.Refusal {
	if !w.asked || w.report.Parked != "" {
		return w.report.Refusals
	}
	var out []retention.Refusal
	for _, r := range w.report.Refusals {
		if !r.Approvable {
			out = append(out, r)
		}
	}
	return out
}

// atTenant is the step as it is remembered: a tenant's rule is its own.
func atTenant(s retention.Step) retention.Step {
	s.Rule = retention.AtTenant(s.Rule, s.Source)
	return s
}
