package main

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

func archiveExpireCommand(a *app) *cobra.Command {
	req := engine.RunRequest{Archives: true}
	c := &cobra.Command{
		Use:   "expire [--policy P] [--rule R]",
		Short: "End the archives whose time is over, and remove what failed batches left",
		Long: `expire is a run of the stages that end archives, and of nothing else, with the same limits,
approvals, holds and audit; the daemon does the same at each rule's slot. Before that it removes
from the sealed vaults what batches left that never committed.`,
		Example: `  retentiond archive expire
  retentiond archive expire --policy shop --approve --by "A. Martin (DPO)" --reason "first end of an archive, checked"`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			if err := checkRun(cmd, req); err != nil {
				return err
			}
			if err := a.sweepArchives(cmd.Context()); err != nil {
				return err
			}
			return a.run(cmd, req)
		}),
	}
	f := c.Flags()
	f.StringVar(&req.Policy, "policy", "", "only this policy")
	f.StringVar(&req.Rule, "rule", "", "only this rule")
	f.BoolVar(&req.Approve, "approve", false, "approve what this very run plans; needs --by")
	f.StringVar(&req.By, "by", "", "name of the person who approves")
	f.StringVar(&req.Reason, "reason", "", "why it is approved")
	return c
}

// sweepArchives removes what batches left that never committed: those whose outcome
// the state store has, and does not name the segment. What is removed is audited first.
func (a *app) sweepArchives(ctx context.Context) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if k, err := h.store.KillSwitch(ctx); err != nil || k.On {
		return err // the run says that everything is stopped
	}
	if err := h.engine.Settle(ctx); err != nil {
		return err
	}
	for _, name := range h.sealedNames() {
		told := map[string]bool{} // a segment is two files
		removed, err := h.sealed[name].Sweep(ctx, func(segment, intent string) (bool, error) {
			left, err := h.left(ctx, segment, intent)
			if err != nil || !left || told[segment] {
				return left, err
			}
			told[segment] = true
			_, err = h.store.Record(ctx, audit.Event{Kind: audit.ArchiveSwept, Data: map[string]any{"vault": name, "segment": segment, "intent": intent}})
			return err == nil, err
		})
		if err != nil {
			return err
		}
		for _, f := range removed {
			_, _ = fmt.Fprintf(a.Err, "removed %s from vault %s: its batch never committed\n", f, name) // only a word to people
		}
	}
	return nil
}

// left reports whether a segment is of a batch that has its outcome, and that no outcome
// names, in whichever vault: a vault that has another name since still has its segments.
// They are read after the outcome: one that came with it is there.
func (h *house) left(ctx context.Context, segment, intent string) (bool, error) {
	known, ended, err := h.store.IntentEnded(ctx, intent)
	if err != nil || !known || !ended {
		return false, err
	}
	sealed, err := h.store.SealedAnywhere(ctx, segment)
	return err == nil && !sealed, err
}
