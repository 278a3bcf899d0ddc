package main

import (
	"github.com/spf13/cobra"
)

func stopAllCommand(a *app) *cobra.Command {
	return switchCommand(a, true, "stop-all", "Kill switch: stop everything, in every process, between batches",
		`stop-all makes every process that shares this state store stop between batches, and every
later run refuse (exit 4), until resume. It waits for nothing.`)
}

func switchCommand(a *app, on bool, name, short, long string) *cobra.Command {
	var b byFlags
	c := &cobra.Command{
		Use:     name + " --by NAME --reason TEXT",
		Short:   short,
		Long:    long,
		Example: "  retentiond " + name + ` --by "A. Martin" --reason "incident 12"`,
		Args:    noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			if err := need(cmd, "by", "reason"); err != nil {
				return err
			}
			return a.setKillSwitch(cmd, on, b)
		}),
	}
	b.add(c)
	return c
}

func (a *app) setKillSwitch(cmd *cobra.Command, on bool, b byFlags) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.engine.SetKillSwitch(cmd.Context(), on, b.by, b.reason); err != nil {
		return err
	}
	if a.json() {
		return a.document(map[string]switchDoc{"kill_switch": {On: on, By: b.by, Reason: b.reason}})
	}
	p := a.printer()
	if on {
		p.line("Everything is stopped: batches at work end, no new one begins. Go on with:  %s", a.retry("resume --by NAME --reason TEXT"))
	} else {
		p.line("The kill switch is off: runs act again.")
	}
	return p.err
}
