package main

import (
	"errors"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

func runCommand(a *app) *cobra.Command {
	var req engine.RunRequest
	var asOf string
	var dry bool
	c := &cobra.Command{
		Use:   "run [--policy P] [--rule R] [--plan PLAN] [--as-of T]",
		Short: "Act: delete, redact, anonymise or archive the rows that are due",
		Long: `run acts on the rows whose time is over, batch by batch, each in one transaction that tests
clock, condition, minimum and hold again. Without --plan it plans first. The first run of a
rule, and a run over its limits, wait for an approval: of a saved plan (approve, then
run --plan), or with --approve --by NAME of what this very run plans.

A first interrupt stops between batches; run again to go on.

Exit codes: 0 done; 3 some step was refused or failed while another was not; 4 every step that
had something to do was refused; 1 error; 130 interrupted.`,
		Example: `  retentiond run --policy shop
  retentiond run --plan p-5b0d6f3a9c1e4d70a1b2c3d4e5f60718
  retentiond run --approve --by "A. Martin (DPO)" --reason "first run, checked"`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) (err error) {
			if req.AsOf, err = a.parseAsOf(asOf); err != nil {
				return err
			}
			if dry {
				return a.dryRun(cmd, req)
			}
			if err := checkRun(cmd, req); err != nil {
				return err
			}
			return a.run(cmd, req)
		}),
	}
	f := c.Flags()
	f.StringVar(&req.Policy, "policy", "", "only this policy")
	f.StringVar(&req.Rule, "rule", "", "only this rule")
	f.StringVar(&req.Plan, "plan", "", "run this saved plan, and only its rows")
	f.StringVar(&asOf, "as-of", "", asOfHelp+"; never the future")
	f.BoolVar(&dry, "dry-run", false, "the same as the command plan: nothing is changed")
	f.BoolVar(&req.Approve, "approve", false, "approve what this very run plans, or the --plan it runs; needs --by")
	f.StringVar(&req.By, "by", "", "name of the person who approves")
	f.StringVar(&req.Reason, "reason", "", "why it is approved")
	f.StringVar(&req.Visa, "visa", "", "reference of the visa of the list for destruction, where a rule asks for one")
	f.BoolVar(&req.AcceptClock, "accept-clock", false, "go on after the clock guard refused")
	return c
}

func checkRun(cmd *cobra.Command, req engine.RunRequest) error {
	if req.Plan != "" && (req.Policy != "" || req.Rule != "" || !req.AsOf.IsZero()) {
		return usage("a saved plan says itself which rules, and as of when", "--plan goes with none of --policy, --rule, --as-of")
	}
	if req.Approve {
		return need(cmd, "by")
	}
	if req.By != "" || req.Reason != "" || req.Visa != "" {
		return usage("add --approve, or leave them out", "--by, --reason and --visa belong to --approve")
	}
	return nil
}

func (a *app) dryRun(cmd *cobra.Command, req engine.RunRequest) error {
	if req.Plan != "" || req.Approve {
		return usage("a dry run approves nothing and makes its own plan", "--dry-run goes with neither --plan nor --approve")
	}
	return a.plan(cmd, engine.PlanRequest{Policy: req.Policy, Rule: req.Rule, AsOf: req.AsOf, AcceptClock: req.AcceptClock})
}

// run acts, shows the report (also beside an error), and ends with its verdict.
func (a *app) run(cmd *cobra.Command, req engine.RunRequest) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	h.tellFailed()
	report, err := h.engine.Run(cmd.Context(), req)
	h.progress.done()
	if report.Started.IsZero() {
		return a.neverBegan(report, stopped(cmd.Context(), h.planFault(cmd.Context(), req.Plan, err)))
	}
	if shown := a.showReport(h, report, false); shown != nil {
		return shown
	}
	switch {
	case report.Interrupted || errors.Is(err, cmd.Context().Err()) && cmd.Context().Err() != nil:
		return verdict(exitInterrupted)
	case err != nil:
		return err
	}
	return verdictOf(report)
}

// neverBegan is the answer of a run that did not begin: to a program a refusal
// is a report as any other.
func (a *app) neverBegan(report retention.RunReport, err error) error {
	if err == nil {
		return errors.New("the run ended without a report: see `retentiond runs list`")
	}
	if !a.json() || report.Verdict != retention.VerdictRefused {
		return err
	}
	now := a.now().UTC().Truncate(time.Second)
	report.Started, report.Ended = now, now
	if report.AsOf.IsZero() {
		report.AsOf = now
	}
	if shown := a.document(reportView(report)); shown != nil {
		return shown
	}
	return verdictOf(report)
}

func (a *app) showReport(h *house, r retention.RunReport, past bool) error {
	if a.json() {
		return a.document(reportView(r))
	}
	t := reportText{app: a, printer: a.printer(), house: h, report: r, past: past}
	t.write()
	return t.err
}

// verdictOf is the exit code of a report (cli.md).
func verdictOf(r retention.RunReport) error {
	switch r.Verdict {
	case retention.VerdictOK:
		return nil
	case retention.VerdictPartial:
		return verdict(exitPartial)
	case retention.VerdictRefused:
		return verdict(exitRefused)
	}
	return verdict(exitError)
}
