package main

import (
	"time"

	"github.com/spf13/cobra"
)

func inventoryCommand(a *app) *cobra.Command {
	var asOf string
	c := &cobra.Command{
		Use:   "inventory [--as-of T]",
		Short: "Every governed table: its rows by class, what is overdue, and why",
		Long: `inventory counts every row of every governed table in exactly one class, names the oldest
overdue one, and says why it is still there: held, protected, blocked, waiting for an
approval, a limit or a window, rule disabled or not yet effective, or fell due since the
rule's last slot.

Exit codes: 0; 3 where something overdue is not explained.`,
		Example: `  retentiond inventory
  retentiond inventory --output json`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			t, err := a.parseAsOf(asOf)
			if err != nil {
				return err
			}
			return a.inventory(cmd, t)
		}),
	}
	c.Flags().StringVar(&asOf, "as-of", "", asOfHelp)
	return c
}

func (a *app) inventory(cmd *cobra.Command, asOf time.Time) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	h.tellFailed()
	inv, err := h.engine.Inventory(cmd.Context(), asOf)
	h.progress.done()
	if err != nil {
		return stopped(cmd.Context(), err)
	}
	inv.Datasets = list(inv.Datasets)
	if a.json() {
		err = a.document(inv)
	} else {
		err = a.inventoryText(h, inv)
	}
	if err == nil && inv.Unexplained > 0 {
		return verdict(exitPartial)
	}
	return err
}
