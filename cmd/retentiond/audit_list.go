package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/state"
	"github.com/spf13/cobra"
)

func auditListCommand(a *app) *cobra.Command {
	var f state.Filter
	var kind, since string
	c := &cobra.Command{
		Use:   "list [--run R] [--kind K] [--since T] [--limit N]",
		Short: "List the entries, oldest first",
		Long: `list shows the entries of the log, oldest first; as JSON each exactly as it was signed, with
the year of its log beside it.`,
		Example: `  retentiond audit list --since 2026-01-01
  retentiond audit list --kind batch.outcome --output json`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) (err error) {
			if f.Since, err = parseSince(since); err != nil {
				return err
			}
			if f.Limit < 0 {
				return usage("0 is all of them", "--limit is a number from 0 on")
			}
			f.Kind = audit.Kind(kind)
			return a.listAudit(cmd, f)
		}),
	}
	c.Flags().StringVar(&f.Run, "run", "", "only entries of this run")
	c.Flags().StringVar(&kind, "kind", "", "only entries of this kind, such as batch.outcome")
	c.Flags().StringVar(&since, "since", "", "only entries from this instant on: RFC 3339, or a date in UTC")
	c.Flags().IntVar(&f.Limit, "limit", 0, "only the newest so many; 0: all")
	return c
}

func parseSince(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage("write 2026-01-31 or 2026-01-31T12:00:00+01:00", "--since is neither a date nor an RFC 3339 instant")
}

func (a *app) listAudit(cmd *cobra.Command, f state.Filter) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	if a.json() {
		entries := []json.RawMessage{}
		err := h.store.Entries(cmd.Context(), f, func(e audit.Entry) error {
			entries = append(entries, withYear(e))
			return nil
		})
		return then(err, func() error { return a.document(map[string][]json.RawMessage{"entries": entries}) })
	}
	p := a.printer()
	n := 0
	err = h.store.Entries(cmd.Context(), f, func(e audit.Entry) error {
		n++
		return p.entry(e)
	})
	if err == nil && n == 0 {
		p.line("No entry there.")
	}
	return orElse(err, p.err)
}

// withYear is the exact line, with the year of its log as a first field.
func withYear(e audit.Entry) json.RawMessage {
	rest := strings.TrimPrefix(string(e.Line), "{")
	return json.RawMessage(`{"log":` + strconv.Quote(e.Log) + "," + rest)
}

// entry writes one entry on one line.
func (p *printer) entry(e audit.Entry) error {
	head, err := audit.ParseHead(e.Line)
	if err != nil {
		return fmt.Errorf("audit entry %s: %w", e.ID(), err)
	}
	more, err := further(e.Line)
	if err != nil {
		return fmt.Errorf("audit entry %s: %w", e.ID(), err)
	}
	p.line("%s", strings.TrimRight(fmt.Sprintf("%-10s %s  %-15s %s", e.ID(), head.Time.UTC().Format("2006-01-02 15:04:05 UTC"), head.Kind,
		joined(" ", joined("/", head.Policy, head.Rule), p.paint(dim, strings.Join(more, " ")))), " "))
	return p.err
}

// further are the fields of an entry beside its head, as name=value; names of
// intents, and what is nested, are left to `audit show`.
func further(line []byte) ([]string, error) {
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		return nil, err
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if slices.Contains([]string{"n", "time", "kind", "policy", "rule", "intent", "receipt"}, k) {
			continue
		}
		if s := brief(fields[k]); s != "" {
			out = append(out, k+"="+s)
		}
	}
	return out, nil
}

func brief(v any) string {
	switch x := v.(type) {
	case string:
		if len(x) <= 36 {
			return x
		}
		return x[:12] + "…"
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}
