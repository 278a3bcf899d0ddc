package main

import (
	"errors"
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/spf13/cobra"
)

func holdShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show one hold",
		Long:    `show prints one hold: what it covers, whom it was placed by, and where it is in force.`,
		Example: `  retentiond hold show h-wuykscveit`,
		Args:    oneArg("ID"),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			h, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer h.close()
			holds, err := h.store.ListHolds(cmd.Context(), args[0], "")
			if err == nil && len(holds) == 0 || errors.Is(err, retention.ErrNotFound) {
				return noHold(args[0])
			}
			if err != nil {
				return fmt.Errorf("hold %s: %w", args[0], err)
			}
			return a.showHold(cmd.Context(), h, holds[0])
		}),
	}
}
