package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/spf13/cobra"
)

func runsCommand(a *app) *cobra.Command {
	return a.parent("runs", "What ran: list, show",
		`runs shows what was run, when, and with which verdict.`,
		`  retentiond runs list
  retentiond runs show r-5b0d6f3a9c1e4d70a1b2c3d4e5f60718`,
		runsListCommand(a), runsShowCommand(a))
}

func runsListCommand(a *app) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "list [--limit N]",
		Short: "List the runs, newest first",
		Long: `list shows the newest runs first. A run that has not
ended is at work, or its process died and the next run settles what it left. One that died is
shown with what its batches did.`,
		Example: `  retentiond runs list
  retentiond runs list --limit 100 --output json`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return usage("such as --limit 20", "--limit is a number from 1 on")
			}
			h, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer h.close()
			runs, err := h.store.ListRuns(cmd.Context(), "", limit)
			if err != nil {
				return err
			}
			return a.showRuns(runs)
		}),
	}
	c.Flags().IntVar(&limit, "limit", 20, "how many")
	return c
}

func runsShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "show RUN",
		Short:   "Show the report of one run",
		Long:    `show prints the report of a run, in the same form as ` + "`run`" + ` did.`,
		Example: `  retentiond runs show r-5b0d6f3a9c1e4d70a1b2c3d4e5f60718`,
		Args:    oneArg("RUN"),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			h, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer h.close()
			runs, err := h.store.ListRuns(cmd.Context(), args[0], 1)
			if err == nil && len(runs) == 0 || errors.Is(err, retention.ErrNotFound) {
				return noRun(args[0])
			}
			if err != nil {
				return fmt.Errorf("run %s: %w", args[0], err)
			}
			return a.showRun(h, runs[0])
		}),
	}
}

// runDoc is a run in a list.
type runDoc struct {
	Run     string     `json:"run"`
	Plan    string     `json:"plan"`
	AsOf    time.Time  `json:"as_of"`
	Started time.Time  `json:"started"`
	Ended   *time.Time `json:"ended"`
	Verdict *string    `json:"verdict"` // null: at work, or it died and is not settled yet
	Planned int64      `json:"planned"` // of a run without an end: by its batches so far
	Done    int64      `json:"done"`
	Spared  int64      `json:"spared"`
	// NotReached: of the planned, those that are neither done nor spared.
	NotReached int64    `json:"not_reached"`
	By         string   `json:"by"`
	Slot       *slotDoc `json:"slot"` // null: by hand, or of an approved plan
}

// slotDoc is the slot that a run is of.
type slotDoc struct {
	Policy  string    `json:"policy"`
	RuleSet string    `json:"rule_set"` // the schedule that its rules share
	At      time.Time `json:"at"`
	Attempt int64     `json:"attempt"`
}

func slotView(s *retention.SlotRun) *slotDoc {
	if s == nil {
		return nil
	}
	at := s.At
	if zone, err := time.LoadLocation(s.Zone); err == nil {
		at = at.In(zone)
	}
	return &slotDoc{s.Policy, s.Set, at, s.Attempt}
}

func runView(r retention.Run) runDoc {
	d := runDoc{Run: r.ID, Plan: r.Plan, AsOf: r.AsOf, Started: r.Started, Ended: moment(r.Ended), By: r.By, Slot: slotView(r.Slot)}
	if s := r.SoFar; s != nil {
		d.Done, d.Spared, d.Planned = s.Done, s.Spared.Sum(), s.Done+s.Spared.Sum()
		if s.Died {
			d.Verdict = word(string(retention.VerdictDied))
		}
	}
	if r.Report == nil {
		return d
	}
	d.Verdict = word(string(r.Report.Verdict))
	for _, s := range r.Report.Steps {
		d.Planned += s.Planned
		d.Done += s.Done
		d.Spared += s.Spared.Sum() - s.Spared.NotReached
		d.NotReached += s.Spared.NotReached
	}
	return d
}

func (a *app) showRuns(runs []retention.Run) error {
	docs := []runDoc{}
	for _, r := range runs {
		docs = append(docs, runView(r))
	}
	if a.json() {
		return a.document(map[string][]runDoc{"runs": docs})
	}
	p := a.printer()
	if len(docs) == 0 {
		p.line("Nothing ran yet. See what would happen with:  %s", a.retry("plan"))
		return p.err
	}
	g := &grid{cols: []gridColumn{col("run"), col("started"), col("verdict"), num("planned"), num("done"), num("spared"), numOpt("not reached"), colOpt("by"), colOpt("slot")}}
	for i, d := range docs {
		g.add(d.Run, instant(d.Started), verdictWord(d.Verdict), count(d.Planned), count(d.Done), count(d.Spared), count(d.NotReached), d.By, slotText(runs[i].Slot))
	}
	p.grid(g)
	return p.err
}

func verdictWord(v *string) string {
	if v == nil {
		return "not ended"
	}
	return *v
}

// slotText is a slot in a list.
func slotText(s *retention.SlotRun) string {
	if s == nil {
		return ""
	}
	return s.Policy + " " + s.Time()
}

func (a *app) showRun(h *house, r retention.Run) error {
	if r.Slot != nil && !a.json() {
		p := a.printer()
		p.line("Run of the %s (schedule %s, attempt %d)", r.Slot, r.Slot.Set, r.Slot.Attempt)
		if p.err != nil {
			return p.err
		}
	}
	if r.Report != nil {
		return a.showReport(h, *r.Report, true)
	}
	if a.json() {
		return a.document(runView(r))
	}
	p := a.printer()
	p.line("%s", diedText(r))
	return p.err
}

// diedText is what is known of a run without a report.
func diedText(r retention.Run) string {
	s := r.SoFar
	if s == nil {
		s = &retention.RunSoFar{}
	}
	did := fmt.Sprintf("%s with an outcome: %s done, %s spared", plural(s.Batches, "batch", "batches"), rowsOf(s.Done), count(s.Spared.Sum()))
	if s.Died {
		return fmt.Sprintf("Run %s, started %s, died: its process ended without a report. %s. Each batch is settled and audited; another run does the rest.", r.ID, instant(r.Started), did)
	}
	return fmt.Sprintf("Run %s, started %s, has not ended: it is at work, or it died. %s, %d open. The next run settles what it left.", r.ID, instant(r.Started), did, s.Open)
}
