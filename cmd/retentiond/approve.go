package main

import (
	"context"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

// byFlags are who decides, and why.
type byFlags struct{ by, reason string }

func (b *byFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&b.by, "by", "", "name of the person who decides")
	c.Flags().StringVar(&b.reason, "reason", "", "why, in a sentence; it stays in the state store, not in the log")
}

func approveCommand(a *app) *cobra.Command {
	return decideCommand(a, true, "approve", "Approve a saved plan, by its id or its digest",
		`approve says yes to exactly the plan that was shown: its rows, its cutoffs, its schema.
It then runs with `+"`run --plan`"+`, or at the next slot. It expires after 7 days, or when policy,
schema or holds change what it means.

Where a rule asks for several approvers, the plan is approved with the last of them, each
another person. With approvals.four_eyes who planned may not approve. Names are compared
trimmed and whatever their case. Where a rule asks for a visa (public archives), --visa names
the one that the list for destruction was signed under: see `+"`bordereau`"+`.`)
}

func decideCommand(a *app, yes bool, name, short, long string) *cobra.Command {
	var b byFlags
	var digest, visa string
	c := &cobra.Command{
		Use:     name + " PLAN --by NAME --reason TEXT",
		Short:   short,
		Long:    long,
		Example: "  retentiond " + name + ` p-5b0d6f3a9c1e4d70a1b2c3d4e5f60718 --by "A. Martin (DPO)" --reason "checked against the register"`,
		Args:    planArg(&digest),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			if err := need(cmd, "by", "reason"); err != nil {
				return err
			}
			d := engine.Decision{By: b.by, Reason: b.reason, Visa: visa, Digest: digest, Yes: yes}
			return a.decide(cmd, append(args, "")[0], d)
		}),
	}
	b.add(c)
	c.Flags().StringVar(&digest, "digest", "", "digest of the plan that was looked at: instead of its id, or to make sure")
	if yes {
		c.Flags().StringVar(&visa, "visa", "", "reference of the visa of the list for destruction, where a rule asks for one")
	}
	return c
}

// planArg asks for the plan's id, or for its digest.
func planArg(digest *string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 && *digest != "" {
			return nil
		}
		return oneArg("PLAN")(cmd, args)
	}
}

func (a *app) decide(cmd *cobra.Command, plan string, d engine.Decision) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	if plan == "" {
		if plan, err = h.planOfDigest(cmd.Context(), d.Digest); err != nil {
			return err
		}
	}
	saved, err := h.engine.Decide(cmd.Context(), plan, d)
	if err != nil {
		return h.planFault(cmd.Context(), plan, err)
	}
	if a.json() {
		return a.document(decisionView(saved))
	}
	p := a.printer()
	switch {
	case !d.Yes:
		p.line("Plan %s is rejected. It will not run.", plan)
	case saved.State == retention.PlanMade:
		p.line("Plan %s has %d of the %d approvals that it needs: somebody else approves it too, with:", plan, len(saved.Approvals), saved.Plan.Approvers())
		p.line("  %s", a.retry(`approve %s --by NAME --reason "…"%s`, plan, visaFlag(d.Visa)))
	default:
		p.line("Plan %s is approved: %s due in %s.", plan, rowsOf(due(saved.Plan)), plural(int64(len(saved.Plan.Steps)), "step", "steps"))
		p.line("The approval ends on %s, or earlier when policy, schema or holds change what it means.", instant(saved.Approval.Until))
		p.line("Run it with:  %s", a.retry("run --plan %s", plan))
	}
	return p.err
}

func visaFlag(ref string) string {
	if ref == "" {
		return ""
	}
	return " --visa " + quote(ref)
}

// planOfDigest is the one plan of that digest that can be decided.
func (h *house) planOfDigest(ctx context.Context, digest string) (string, error) {
	ids, err := h.store.PlansByDigest(ctx, digest)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", missing("plan of digest", digest, "`retentiond plan --output json` shows a plan's digest; plans that were rejected or have run are not looked for")
	case len(ids) > 1:
		return "", usage("name the one that is meant by its id", "%d plans have that digest: %s", len(ids), strings.Join(ids, ", "))
	}
	return ids[0], nil
}

type decisionDoc struct {
	Plan      string              `json:"plan"`
	Digest    string              `json:"digest"`
	State     retention.PlanState `json:"state"`
	By        string              `json:"by"`
	Reason    string              `json:"reason"`
	Visa      string              `json:"visa,omitempty"`
	At        *time.Time          `json:"at"`
	Until     *time.Time          `json:"until"`
	Approvals int                 `json:"approvals"`
	Needs     int                 `json:"needs"`
}

// decisionView shows the decision that was just made: the last one.
func decisionView(s retention.SavedPlan) decisionDoc {
	d := decisionDoc{Plan: s.Plan.ID, Digest: s.Plan.Digest, State: s.State, Approvals: len(s.Approvals), Needs: s.Plan.Approvers()}
	last := s.Approval
	if last == nil && len(s.Approvals) > 0 {
		last = &s.Approvals[len(s.Approvals)-1]
	}
	if last != nil {
		d.By, d.Reason, d.Visa, d.At, d.Until = last.By, last.Reason, last.Visa, moment(last.At), moment(last.Until)
	}
	return d
}
