package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

func holdPlaceCommand(a *app) *cobra.Command {
	var f holdFlags
	var b byFlags
	var matter string
	var wait time.Duration
	c := &cobra.Command{
		Use:   "place --matter M (--subject T:ID … | --subjects-file CSV) [--dataset POLICY/DATASET] --reason TEXT --by NAME",
		Short: "Place a hold; when it says in force, nothing held can go any more",
		Long: `place writes the hold, which every new batch sees from then on, and passes the gate of each
source, so that no batch begun before can still commit. With subjects and datasets it covers
the rows of those subjects in those datasets.

A subject that matches no row anywhere is refused, unless --allow-unmatched. Exit code 4:
the hold is placed, but a source did not pass within --wait; it completes by itself.`,
		Example: `  retentiond hold place --matter 2026-14 --subject person:42 --reason "claim of 3 May" --by "A. Martin"
  retentiond hold place --matter 2026-15 --dataset shop/orders --where '{"status": "disputed"}' --reason "audit" --by "A. Martin"
  retentiond hold place --matter 2026-16 --subjects-file people.csv --reason "class action" --by "A. Martin" --review 2027-06-30`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			if err := need(cmd, "matter", "reason", "by"); err != nil {
				return err
			}
			req, err := f.request()
			if err != nil {
				return err
			}
			req.Matter, req.Reason, req.By, req.Wait = matter, b.reason, b.by, wait
			return a.placing(cmd, wait, func(ctx context.Context, h *house) (retention.Hold, error) {
				if err := h.unknownTypes(req.Subjects, req.AllowUnmatched); err != nil {
					return retention.Hold{}, err
				}
				return h.engine.PlaceHold(ctx, req)
			})
		}),
	}
	c.Flags().StringVar(&matter, "matter", "", "the dispute the hold is for")
	f.scope(c)
	b.add(c)
	c.Flags().StringVar(&f.review, "review", "", "date on which to look at the hold again")
	c.Flags().DurationVar(&wait, "wait", time.Minute, "how long to wait for the gates of the sources")
	return c
}

// placing runs what puts a hold in force, says after a while what it waits
// for, and shows the hold, also where a gate did not pass in time.
func (a *app) placing(cmd *cobra.Command, wait time.Duration, do func(context.Context, *house) (retention.Hold, error)) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	patience := time.AfterFunc(2*time.Second, func() {
		a.printerTo(a.Err).line("waiting for a batch at work to end, in one of: %s (at most %s)", strings.Join(h.sourcesInWords(), ", "), wait)
	})
	hold, err := do(cmd.Context(), h)
	patience.Stop()
	h.progress.done()
	var gate *engine.GateError
	if errors.As(err, &gate) {
		hold = gate.Hold
	}
	if err != nil && gate == nil {
		return err
	}
	if shown := a.showHold(cmd.Context(), h, hold); shown != nil {
		return shown
	}
	return err
}

// showHold shows a hold, and of one that is placing each source that it waits for.
func (a *app) showHold(ctx context.Context, h *house, hold retention.Hold) error {
	gates, err := h.engine.Gates(ctx)
	if err != nil {
		return err
	}
	hold = waitsFor(hold, gates)
	if a.json() {
		return a.document(holdView(hold))
	}
	p := a.printer()
	p.hold(hold)
	return p.err
}
