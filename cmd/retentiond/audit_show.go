package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/retentiond/retentiond/retention"
	"github.com/spf13/cobra"
)

func auditShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show N|YEAR/N",
		Short: "Show one entry in full",
		Long:  `show prints one entry of the log with every field. N alone is of the open year's log.`,
		Example: `  retentiond audit show 12
  retentiond audit show 2026/12`,
		Args: oneArg("N"),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			if !regexp.MustCompile(`^([0-9]{4}/)?[1-9][0-9]{0,17}$`).MatchString(args[0]) {
				return usage("write N or YEAR/N", "%q is no number of an entry", args[0])
			}
			h, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer h.close()
			e, err := h.store.Entry(cmd.Context(), args[0])
			if errors.Is(err, retention.ErrNotFound) {
				return missing("audit entry", args[0], "`retentiond audit list` shows the entries and their numbers")
			}
			if err != nil {
				return err
			}
			if a.json() {
				return a.document(withYear(e))
			}
			var b bytes.Buffer
			if err := json.Indent(&b, e.Line, "", "  "); err != nil {
				return fmt.Errorf("audit entry %s: %w", e.ID(), err)
			}
			p := a.printer()
			p.heading("Entry %s", e.ID())
			p.line("%s", b.String())
			return p.err
		}),
	}
}
