package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
	"github.com/retentiond/retentiond/retention/schedule"
)

// Inventory counts every governed table by class and says of every overdue row
// why it is still there, or that nothing explains it (L11).
func (e *Engine) Inventory(ctx context.Context, asOf time.Time) (Inventory, error) {
	now := e.now()
	plan, v, err := e.plan(ctx, PlanRequest{AsOf: asOf, NoSave: true}, now)
	if err != nil {
		return Inventory{}, err
	}
	out := Inventory{AsOf: plan.AsOf, Datasets: []InventoryItem{}}
	for i := range plan.Steps {
		item, err := e.item(ctx, v, &plan, &plan.Steps[i])
		if err != nil {
			return out, err
		}
		out.Datasets = append(out.Datasets, item)
	}
	out.Datasets = append(out.Datasets, e.refusedItems(&plan)...)
	rest, err := e.undecided(ctx, v)
	if err != nil {
		return out, err
	}
	out.Datasets = append(out.Datasets, rest...)
	lost, err := e.orphans(ctx, v)
	if err != nil {
		return out, err
	}
	out.Datasets = append(out.Datasets, lost...)
	out.Datasets = append(out.Datasets, e.abandoned(ctx, v)...)
	if lost, err = e.strayed(ctx, v); err != nil {
		return out, err
	}
	out.Datasets = append(out.Datasets, lost...)
	out.Datasets = append(out.Datasets, e.waiting(ctx)...)
	for i := range out.Datasets {
		if !out.Datasets[i].Explained {
			out.Unexplained++
		}
	}
	return out, nil
}

// orphans lists vault tables with rows whose rule is no more: their archive
// would never end (L9).
func (e *Engine) orphans(ctx context.Context, v *view) ([]InventoryItem, error) {
	var out []InventoryItem
	for _, o := range v.bound.Orphans {
		if v.down[o.Source] != nil {
			continue
		}
		src, err := e.source(ctx, o.Source)
		if err != nil {
			return out, err
		}
		c, err := src.Count(ctx, o.Selection, v.holds[o.Source], nil)
		if err != nil {
			return out, fmt.Errorf("counting vault table %q: %w", o.Selection.Table.Name, err)
		}
		if c.Classes.Excluded == c.Classes.Total {
			continue
		}
		out = append(out, InventoryItem{Source: o.Source, Table: o.Selection.Table.Name.String(), Classes: c.Classes,
			Because: "archived under a rule that no policy has any more, or that archives elsewhere by now: nothing will ever end it; give the rule its name and archive stage back, or decide by hand"})
	}
	return out, nil
}

func (e *Engine) item(ctx context.Context, v *view, p *retention.Plan, s *retention.Step) (InventoryItem, error) {
	out := InventoryItem{
		Policy: s.Policy, Dataset: s.Dataset, Rule: s.Rule, Stage: s.Stage, Source: s.Source, Table: s.Table.String(),
		Action: string(s.Action), Classes: s.Classes, OldestDue: s.OldestDue, Explained: true, Because: s.Why,
		LateSince: s.LateSince, Vault: s.Vault,
	}
	if why := otherClock(v.find(s), s.Classes); why != "" { // no run will ever end them
		out.Explained, out.Because = false, why
		return out, nil
	}
	if s.Classes.Due == 0 || s.ReportOnly {
		return out, nil
	}
	for _, r := range p.Refusals {
		if r.Rule != "" && r.About(s) {
			out.Because = string(r.Code) + ": " + r.Message
			out.Explained = r.Approvable
			return out, nil
		}
	}
	if s.NeedsApproval {
		out.Because = "waiting for approval: " + s.Why
		return out, nil
	}
	return out, e.sinceSlot(ctx, v, s, &out)
}

// minute is how a time is written for people.
const minute = "2006-01-02 15:04 MST"

// sinceSlot explains rows that fell due since the rule's last slot, or, for a
// rule run by hand, since its last run.
func (e *Engine) sinceSlot(ctx context.Context, v *view, s *retention.Step, out *InventoryItem) error {
	b := v.find(s)
	slot, what, err := e.lastSlot(ctx, b, v.asOf)
	if err != nil {
		return err
	}
	seen, _, err := e.Store.Seen(ctx, s.Policy, retention.AtTenant(s.Rule, s.Source))
	if err != nil {
		return fmt.Errorf("reading when rule %q ran: %w", s.Rule, err)
	}
	if seen.Complete && !seen.RanAt.Truncate(time.Second).Before(slot) {
		out.Because = "fell due since the last run at " + seen.RanAt.In(b.Policy.Zone).Format(minute) + ", which left nothing behind"
		return nil
	}
	if slot.IsZero() {
		out.Explained, out.Because = false, "overdue, and the rule never ran"
		return nil
	}
	then := v.past[slot]
	if then == nil {
		if then, err = e.look(ctx, slot); err != nil {
			return err
		}
		if v.past == nil {
			v.past = map[time.Time]*view{}
		}
		v.past[slot] = then
	}
	old := then.find(s)
	if old == nil {
		out.Explained, out.Because = false, "overdue"
		return nil
	}
	c, _, err := e.tally(ctx, then, old, then.holdsFor(old), nil)
	if err != nil {
		return fmt.Errorf("as of %s: %w", stamp(slot), err)
	}
	if c.Classes.Due == 0 {
		out.Because = "fell due since the " + what + " at " + slot.In(b.Policy.Zone).Format(minute)
		return nil
	}
	out.Explained = false
	out.Because = fmt.Sprintf("%d rows were due at the %s at %s and are still there", c.Classes.Due, what, slot.In(b.Policy.Zone).Format(minute))
	return nil
}

func (e *Engine) lastSlot(ctx context.Context, b *bind.Step, now time.Time) (time.Time, string, error) {
	expr := b.Rule.Schedule
	if expr == "" {
		expr = b.Policy.Schedule
	}
	if expr == "" {
		seen, _, err := e.Store.Seen(ctx, b.Policy.Name, retention.AtTenant(b.Rule.ID, b.Source))
		return seen.RanAt.Truncate(time.Second), "last run", err
	}
	times, err := schedule.Parse(expr, b.Policy.Zone)
	if err != nil {
		return time.Time{}, "", fmt.Errorf("schedule of rule %q: %w", b.Rule.ID, err)
	}
	return times.Prev(now), "last slot", nil
}

// refusedItems lists rules that could not even be counted, and policies that do not
// load: a table of theirs is governed by nobody (L11).
func (e *Engine) refusedItems(p *retention.Plan) []InventoryItem {
	var out []InventoryItem
	for _, r := range p.Refusals {
		if inPlan(p, r) || r.Rule == "" && r.Code != retention.RefusePolicyError {
			continue
		}
		out = append(out, InventoryItem{Policy: r.Policy, Dataset: e.datasetOf(r.Policy, r.Rule), Rule: r.Rule, Source: r.Source,
			Because: "not counted", Error: string(r.Code) + ": " + r.Message, NotCounted: true})
	}
	return out
}

func inPlan(p *retention.Plan, r retention.Refusal) bool {
	for i := range p.Steps {
		if r.Rule != "" && r.About(&p.Steps[i]) {
			return true
		}
	}
	return false
}

func (e *Engine) datasetOf(policy, rule string) string {
	for _, p := range e.Policies {
		for i := range p.Rules {
			if p.Name == policy && p.Rules[i].ID == rule {
				return p.Rules[i].Dataset
			}
		}
	}
	return ""
}

// undecided lists the datasets without an acting rule, and the rules that only
// protect.
func (e *Engine) undecided(ctx context.Context, v *view) ([]InventoryItem, error) {
	var out []InventoryItem
	err := e.eachDataset(ctx, v, func(p *retention.Policy, d *retention.Dataset, sel retention.Selection, src retention.Source) error {
		rules := 0
		for i := range p.Rules {
			r := &p.Rules[i]
			if r.Dataset != d.Name {
				continue
			}
			rules++
			if only, ok := v.bound.Protects[bind.RuleKey(p, r)]; ok && len(r.Stages) == 0 {
				item, err := e.passive(ctx, v, p, d, r, only, src)
				if err != nil {
					return err
				}
				out = append(out, item)
			}
		}
		if rules > 0 {
			return nil
		}
		item, err := e.passive(ctx, v, p, d, nil, sel, src)
		out = append(out, item)
		return err
	})
	return out, err
}

// passive counts a table on which nothing acts: no row of it is ever due.
func (e *Engine) passive(ctx context.Context, v *view, p *retention.Policy, d *retention.Dataset, r *retention.Rule, sel retention.Selection, src retention.Source) (InventoryItem, error) {
	out := InventoryItem{Policy: p.Name, Dataset: d.Name, Source: d.Source, Table: d.Table.String(), Explained: true}
	c, err := src.Count(ctx, sel, v.holds[d.Source], nil)
	if err != nil {
		return out, fmt.Errorf("counting dataset %s/%s: %w", p.Name, d.Name, err)
	}
	out.Classes = c.Classes
	out.Classes.Excluded += out.Classes.Due
	out.Classes.Due = 0
	out.Because = "undecided: a purpose (" + d.Purpose + ") and no rule"
	if r != nil {
		out.Rule, out.Because = r.ID, "only protects: at least "+r.AtLeast.String()
	}
	if down := v.down[d.Source]; down != nil { // counted, but nobody may act there
		out.Explained, out.Error = false, down.Error()
	}
	return out, nil
}
