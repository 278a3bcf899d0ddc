package main

import (
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

func planCommand(a *app) *cobra.Command {
	var req engine.PlanRequest
	var asOf string
	c := &cobra.Command{
		Use:   "plan [--policy P] [--rule R] [--as-of T]",
		Short: "Dry run: what would go, what stays, and why; nothing is changed",
		Long: `plan counts every row of every governed table in exactly one class, under sessions that
the database itself holds read-only; it needs no privilege but SELECT. The plan is saved
under an id, for ` + "`approve`" + ` and ` + "`run --plan`" + `. A plan with an --as-of in the future is a
preview: it can be neither approved nor run.

Exit codes: 0, also where steps only wait for an approval; 4 where something is refused.`,
		Example: `  retentiond plan
  retentiond plan --policy shop --rule prospects
  retentiond plan --as-of 2027-01-01 --output json`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) (err error) {
			if req.AsOf, err = a.parseAsOf(asOf); err != nil {
				return err
			}
			return a.plan(cmd, req)
		}),
	}
	f := c.Flags()
	f.StringVar(&req.Policy, "policy", "", "only this policy")
	f.StringVar(&req.Rule, "rule", "", "only this rule")
	f.StringVar(&asOf, "as-of", "", asOfHelp)
	f.StringVar(&req.By, "by", "", "name of the person who plans (default the user of this machine)")
	f.BoolVar(&req.AcceptClock, "accept-clock", false, "go on after the clock guard refused")
	return c
}

// plan makes a dry run and shows it.
func (a *app) plan(cmd *cobra.Command, req engine.PlanRequest) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	h.tellFailed()
	p, err := h.engine.Plan(cmd.Context(), req)
	h.progress.done()
	if err != nil {
		return stopped(cmd.Context(), err)
	}
	a.planned = p.ID
	if err := a.showPlan(h, p); err != nil {
		return err
	}
	if len(refusalsOf(p)) > 0 {
		return verdict(exitRefused)
	}
	return nil
}

func (a *app) showPlan(h *house, p retention.Plan) error {
	if a.json() {
		return a.document(planView(p))
	}
	t := planText{app: a, printer: a.printer(), house: h, plan: p}
	t.write()
	return t.err
}

// refusalsOf are the plan's refusals that are not merely a wait for approval.
func refusalsOf(p retention.Plan) []retention.Refusal {
	var out []retention.Refusal
	for _, r := range p.Refusals {
		if r.Code != retention.RefuseApproval {
			out = append(out, r)
		}
	}
	return out
}
