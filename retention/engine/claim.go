package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// DefaultRuns is how many runs may work on a source at once.
const DefaultRuns = 2

// Claim is what a run needs for itself: its rules, and a seat in each source.
type Claim struct {
	Rules   []string // names of leases
	Sources []string // by configured name
}

// ClaimOf says what a run of a policy, a rule or some rules claims (empty: of all):
// every rule that it will plan, and the sources of their datasets and vaults.
func (e *Engine) ClaimOf(policy, rule string, rules ...string) Claim {
	var c Claim
	want := PlanRequest{Policy: policy, Rule: rule, Rules: rules}
	for _, p := range e.Policies {
		for i := range p.Rules {
			if want.wants(p.Name, p.Rules[i].ID) {
				c.add(e, p.Name, p.Rules[i].ID)
			}
		}
	}
	return c
}

// claimOfPlan is what a run of a saved plan claims.
func (e *Engine) claimOfPlan(p *retention.Plan) Claim {
	var c Claim
	for i := range p.Steps {
		c.add(e, p.Steps[i].Policy, p.Steps[i].Rule)
		c.source(p.Steps[i].Source)
	}
	return c
}

// add adds a rule, and where it is in force the sources that it works on.
func (c *Claim) add(e *Engine, policy, rule string) {
	if name := retention.RuleLease(policy, rule); !slices.Contains(c.Rules, name) {
		c.Rules = append(c.Rules, name)
	}
	for _, p := range e.Policies {
		if p.Name != policy {
			continue
		}
		for i := range p.Rules {
			r := &p.Rules[i]
			if d := p.Dataset(r.Dataset); r.ID == rule && d != nil {
				c.source(d.Source)
				for _, s := range r.Stages {
					c.source(e.Vaults[s.Action.Vault].Source)
				}
			}
		}
	}
}

// source adds a source. Of a fleet it is the fleet itself that has seats.
func (c *Claim) source(name string) {
	name = cmp.Or(retention.FleetOf(name), name)
	if name != "" && !slices.Contains(c.Sources, name) {
		c.Sources = append(c.Sources, name)
	}
}

// names are the leases to ask for, rules first: who finds both taken is told of
// the rule, which is no use waiting for.
func (c *Claim) names(seats map[string]int) []string {
	names := slices.Clone(c.Rules)
	for _, s := range c.Sources {
		names = append(names, retention.SeatLease(s, seats[s]))
	}
	return names
}

// claim takes the lease of what the run will do: its rules, and in each source the
// first seat that is free. A *retention.BusyError says what is taken.
func (w *work) claim(ctx context.Context) (retention.Lease, error) {
	c := w.ClaimOf(w.req.Policy, w.req.Rule, w.req.Rules...)
	if w.req.Plan != "" {
		saved, err := w.Store.Plan(ctx, w.req.Plan)
		if err != nil {
			return retention.Lease{}, fmt.Errorf("plan %q: %w", w.req.Plan, err)
		}
		c = w.claimOfPlan(&saved.Plan)
	}
	if len(c.Rules) == 0 { // no policy loads: the run says so, one at a time
		c.Rules = []string{retention.RuleLease("", "")}
	}
	seats := map[string]int{}
	for {
		l, err := w.Store.Lease(ctx, w.Owner, c.names(seats))
		var busy *retention.BusyError
		if !errors.As(err, &busy) {
			return l, err
		}
		source, seat, ok := busy.Seat()
		if !ok || seat+1 >= w.runsOn(source) {
			return l, err
		}
		seats[source] = seat + 1
	}
}

func (e *Engine) runsOn(source string) int {
	if ref := e.Sources[e.oneOf(source)]; ref != nil && ref.Runs > 0 {
		return ref.Runs
	}
	return DefaultRuns
}
