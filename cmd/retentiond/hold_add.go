package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/spf13/cobra"
)

func holdAddCommand(a *app) *cobra.Command {
	var f holdFlags
	var by string
	var wait time.Duration
	c := &cobra.Command{
		Use:   "add ID (--subject T:ID … | --subjects-file CSV) --by NAME",
		Short: "Add subjects to a hold",
		Long: `add extends a hold that is not released by further subjects. The hold is then placing again,
until every source has passed; what it held before stays held meanwhile.`,
		Example: `  retentiond hold add h-wuykscveit --subject person:43 --by "A. Martin"`,
		Args:    oneArg("ID"),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			if err := need(cmd, "by"); err != nil {
				return err
			}
			req, err := f.request()
			if err != nil {
				return err
			}
			req.By, req.Wait = by, wait
			return a.placing(cmd, wait, func(ctx context.Context, h *house) (retention.Hold, error) {
				if err := h.unknownTypes(req.Subjects, req.AllowUnmatched); err != nil {
					return retention.Hold{}, err
				}
				hold, err := h.engine.AddToHold(ctx, args[0], req)
				if errors.Is(err, retention.ErrNotFound) {
					return hold, noHold(args[0])
				}
				if err != nil {
					return hold, fmt.Errorf("hold %s: %w", args[0], err)
				}
				return hold, nil
			})
		}),
	}
	f.people(c)
	c.Flags().StringVar(&by, "by", "", "name of the person who decides")
	c.Flags().DurationVar(&wait, "wait", time.Minute, "how long to wait for the gates of the sources")
	return c
}
