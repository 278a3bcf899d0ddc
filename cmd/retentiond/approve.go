package main

import (
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/spf13/cobra"
)

// byFlags are who decides, and why.
type byFlags struct{ by, reason string }

func (b *byFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&b.by, "by", "", "name of the person who decides")
	c.Flags().StringVar(&b.reason, "reason", "", "why, in a sentence; it stays in the state store, not in the log")
}

func approveCommand(a *app) *cobra.Command {
	return decideCommand(a, true, "approve", "Approve a saved plan, by its id",
		`approve says yes to exactly the plan that was shown: its rows, its cutoffs, its schema.
It then runs with `+"`run --plan`"+`, or at the next slot. It expires after 7 days, or when policy,
schema or holds change what it means.`)
}

func decideCommand(a *app, yes bool, name, short, long string) *cobra.Command {
	var b byFlags
	c := &cobra.Command{
		Use:     name + " PLAN --by NAME --reason TEXT",
		Short:   short,
		Long:    long,
		Example: "  retentiond " + name + ` p-5b0d6f3a9c1e4d70a1b2c3d4e5f60718 --by "A. Martin (DPO)" --reason "checked against the register"`,
		Args:    oneArg("PLAN"),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			if err := need(cmd, "by", "reason"); err != nil {
				return err
			}
			return a.decide(cmd, args[0], b, yes)
		}),
	}
	b.add(c)
	return c
}

func (a *app) decide(cmd *cobra.Command, plan string, b byFlags, yes bool) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	saved, err := h.engine.Decide(cmd.Context(), plan, b.by, b.reason, yes)
	if err != nil {
		return h.planFault(cmd.Context(), plan, err)
	}
	if a.json() {
		return a.document(decisionView(saved))
	}
	p := a.printer()
	if !yes {
		p.line("Plan %s is rejected. It will not run.", plan)
		return p.err
	}
	p.line("Plan %s is approved: %s due in %s.", plan, rowsOf(due(saved.Plan)), plural(int64(len(saved.Plan.Steps)), "step", "steps"))
	if saved.Approval != nil {
		p.line("The approval ends on %s, or earlier when policy, schema or holds change what it means.", instant(saved.Approval.Until))
	}
	p.line("Run it with:  %s", a.retry("run --plan %s", plan))
	return p.err
}

type decisionDoc struct {
	Plan   string              `json:"plan"`
	State  retention.PlanState `json:"state"`
	By     string              `json:"by"`
	Reason string              `json:"reason"`
	At     *time.Time          `json:"at"`
	Until  *time.Time          `json:"until"`
}

func decisionView(s retention.SavedPlan) decisionDoc {
	d := decisionDoc{Plan: s.Plan.ID, State: s.State}
	if s.Approval != nil {
		d.By, d.Reason, d.At, d.Until = s.Approval.By, s.Approval.Reason, moment(s.Approval.At), moment(s.Approval.Until)
	}
	return d
}
