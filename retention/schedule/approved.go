package schedule

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// tryAgain is how soon an approved plan is tried again that did not come to its
// end: not at every minute of a schedule.
const tryAgain = 15 * time.Minute

// approved runs the approved plans in which rules of the set have something to do.
// over: the slot ends with that, its own rules are not run now.
func (d *Daemon) approved(ctx context.Context, slot retention.Slot, set RuleSet) (end retention.SlotEnd, over bool) {
	plans, err := d.Store.ApprovedPlans(ctx)
	if err != nil {
		return d.outcome(ctx, slot, &retention.RunReport{}, err), true
	}
	for i := range plans {
		p := &plans[i].Plan
		if !concerns(p, set) || !d.mayTry(p.ID, slot.Claimed) {
			continue
		}
		report, err := d.Runner.RunPlan(ctx, p.ID)
		e := Event{Kind: RunEnded, At: report.Ended, Rules: set.Rules, Run: report.Run, Plan: p.ID, Report: &report, Err: err}
		e.Slot = retention.SlotID{Policy: set.Policy, Set: set.Set, Zone: set.Zone}
		d.tell(e)
		d.tellRefusals(retention.Slot{SlotID: e.Slot}, set, &report)
		end := d.outcome(ctx, slot, &report, err)
		if end.Reason == "failed" { // the slot's own rules are not the plan's
			end = retention.SlotEnd{State: retention.SlotDone}
		}
		if end.State != retention.SlotDone || errors.Is(err, retention.ErrFenced) {
			return end, true
		}
		if err != nil || !report.Finished() {
			d.tryLater(p.ID, slot.Claimed, &report, err)
		}
	}
	return end, false
}

// concerns reports whether a rule of the set has rows to do in the plan.
func concerns(p *retention.Plan, set RuleSet) bool {
	return slices.ContainsFunc(p.Steps, func(s retention.Step) bool {
		return s.Policy == set.Policy && !s.ReportOnly && s.Classes.Due > 0 && slices.Contains(set.Rules, s.Rule)
	})
}

func (d *Daemon) mayTry(plan string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !now.Before(d.tried[plan])
}

// tryLater puts a plan off, for good where what refused it will not pass.
func (d *Daemon) tryLater(plan string, now time.Time, r *retention.RunReport, err error) {
	again := now.Add(tryAgain)
	var f *retention.Refusal
	if errors.As(err, &f) && f.Code == retention.RefuseExpiredPlan || refused(r, retention.RefuseExpiredPlan) || refused(r, retention.RefuseSchemaDrift) {
		again = now.AddDate(1, 0, 0)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tried[plan] = again
}
