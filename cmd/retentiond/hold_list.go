package main

import (
	"github.com/retentiond/retentiond/retention"
	"github.com/spf13/cobra"
)

func holdListCommand(a *app) *cobra.Command {
	var matter string
	var all bool
	c := &cobra.Command{
		Use:   "list [--matter M] [--all]",
		Short: "List the holds",
		Long: `list shows the holds that have not ended: placing, in force, or released within their grace;
with --all also those that have ended.`,
		Example: `  retentiond hold list
  retentiond hold list --all --output json`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			h, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer h.close()
			holds, err := h.store.ListHolds(cmd.Context(), "", matter)
			if err != nil {
				return err
			}
			if !all {
				holds = a.lasting(holds)
			}
			gates, err := h.engine.Gates(cmd.Context())
			if err != nil {
				return err
			}
			for i := range holds {
				holds[i] = waitsFor(holds[i], gates)
			}
			return a.showHolds(holds)
		}),
	}
	c.Flags().StringVar(&matter, "matter", "", "only the holds of this matter")
	c.Flags().BoolVar(&all, "all", false, "also the holds that have ended")
	return c
}

// lasting are the holds that have not ended; within its grace a hold lasts.
func (a *app) lasting(holds []retention.Hold) []retention.Hold {
	var out []retention.Hold
	for _, x := range holds {
		if x.State != retention.HoldReleased || x.GraceUntil.After(a.now()) {
			out = append(out, x)
		}
	}
	return out
}

func (a *app) showHolds(holds []retention.Hold) error {
	if a.json() {
		return a.document(holdsView(holds))
	}
	p := a.printer()
	if len(holds) == 0 {
		p.line("No hold. Place one with:  %s", a.retry("hold place --matter M --subject T:ID --reason TEXT --by NAME"))
		return p.err
	}
	g := &grid{cols: []gridColumn{col("hold"), col("matter"), col("state"), col("covers"), col("placed"), col("by"), colOpt("review"), colOpt("held until")}}
	for _, x := range holds {
		g.add(x.ID, x.Matter, string(x.State), holdScope(x), x.PlacedAt.UTC().Format("2006-01-02"), x.PlacedBy, x.Review, instant(x.GraceUntil))
	}
	p.grid(g)
	return p.err
}
