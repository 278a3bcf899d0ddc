package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/spf13/cobra"
)

func holdReleaseCommand(a *app) *cobra.Command {
	var b byFlags
	var matter string
	c := &cobra.Command{
		Use:   "release ID|--matter M --reason TEXT --by NAME",
		Short: "Release a hold, or every hold of a matter",
		Long: `release ends a hold. Its rows stay held for the configured grace (default 30 days), so that
a mistaken release deletes nothing at once.`,
		Example: `  retentiond hold release h-wuykscveit --reason "settled" --by "A. Martin"
  retentiond hold release --matter 2026-14 --reason "settled" --by "A. Martin"`,
		Args: cobra.MaximumNArgs(1),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			id := ""
			if len(args) == 1 {
				id = args[0]
			}
			if (id == "") == (matter == "") {
				return usage("retentiond hold list shows both", "name either the hold's ID or --matter M")
			}
			if err := need(cmd, "reason", "by"); err != nil {
				return err
			}
			return a.release(cmd, id, matter, b)
		}),
	}
	c.Flags().StringVar(&matter, "matter", "", "release every hold of this matter")
	b.add(c)
	return c
}

func (a *app) release(cmd *cobra.Command, id, matter string, b byFlags) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	holds, err := h.engine.ReleaseHolds(cmd.Context(), id, matter, b.reason, b.by)
	if errors.Is(err, retention.ErrNotFound) {
		return h.noRelease(cmd.Context(), id, matter)
	}
	if err != nil {
		return fmt.Errorf("release %s%s: %w", id, matter, err)
	}
	if a.json() {
		return a.document(holdsView(holds))
	}
	p := a.printer()
	for _, x := range holds {
		p.line("Hold %s for %s is released. Its rows stay held until %s.", x.ID, x.Matter, instant(x.GraceUntil))
	}
	return p.err
}

// noRelease says why nothing was released: there is no such hold, or it is
// released already.
func (h *house) noRelease(ctx context.Context, id, matter string) error {
	holds, err := h.store.ListHolds(ctx, id, matter)
	switch {
	case err == nil && len(holds) > 0:
		return missing("hold that is not released yet:", holds[0].ID+" was released on "+instant(holds[0].ReleasedAt),
			"`retentiond hold list` shows the holds and their states")
	case id != "":
		return noHold(id)
	}
	return missing("hold for the matter", matter, "`retentiond hold list` shows the holds and their matters")
}

func holdsView(holds []retention.Hold) map[string][]holdDoc {
	docs := []holdDoc{}
	for _, x := range holds {
		docs = append(docs, holdView(x))
	}
	return map[string][]holdDoc{"holds": docs}
}
