package main

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

func explainCommand(a *app) *cobra.Command {
	var req engine.ExplainRequest
	var subject, asOf string
	c := &cobra.Command{
		Use:   "explain (--dataset POLICY/DATASET --key K | --subject T:ID)",
		Short: "Why a row is kept or due: by which rule, since which event, until when",
		Long: `explain looks at one row by its key, or at every row about a person, and says for each rule
which event started its clock, which day is the last one, and which class the row is in.
A composite key is written as a JSON array. Looking at a person is itself recorded in the
audit log, without the identifier. Rules that do not fit the live tables are listed with the
reason; where a whole table could not be looked into, the exit code is 3.`,
		Example: `  retentiond explain --dataset shop/orders --key 1042
  retentiond explain --dataset shop/lines --key '["1042", 3]'
  retentiond explain --subject person:42`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) (err error) {
			if req.AsOf, err = a.parseAsOf(asOf); err != nil {
				return err
			}
			if err := checkExplain(cmd, &req, subject); err != nil {
				return err
			}
			return a.explain(cmd, req)
		}),
	}
	f := c.Flags()
	f.StringVar(&req.Dataset, "dataset", "", "POLICY/DATASET of the row")
	f.StringVar(&req.Key, "key", "", "key of the row; a composite one as a JSON array")
	f.StringVar(&subject, "subject", "", "TYPE:ID of a person")
	f.StringVar(&asOf, "as-of", "", asOfHelp)
	return c
}

func checkExplain(cmd *cobra.Command, req *engine.ExplainRequest, subject string) error {
	if (subject == "") == (req.Dataset == "" && req.Key == "") {
		return usage("retentiond explain --help has both", "name either --dataset and --key, or --subject")
	}
	if subject == "" {
		return need(cmd, "dataset", "key")
	}
	id, err := subjectOf(subject, "--subject")
	if err != nil {
		return err
	}
	req.Subject = &id
	return nil
}

func (a *app) explain(cmd *cobra.Command, req engine.ExplainRequest) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.knownSubject(req.Subject); err != nil {
		return err
	}
	x, err := h.engine.Explain(cmd.Context(), req)
	h.progress.done()
	if err != nil {
		return err
	}
	for i := range x.Rows {
		x.Rows[i].Rules, x.Rows[i].Holds = list(x.Rows[i].Rules), list(x.Rows[i].Holds)
	}
	x.Rows, x.Refusals = list(x.Rows), list(x.Refusals)
	if a.json() {
		err = a.document(x)
	} else {
		err = a.explanation(h, x)
	}
	if err == nil && x.Partial {
		return verdict(exitPartial)
	}
	return err
}

func (a *app) explanation(h *house, x engine.Explanation) error {
	p := a.printer()
	for i, row := range x.Rows {
		if i > 0 {
			p.blank()
		}
		p.explained(h, row)
	}
	for _, s := range x.Archives {
		p.heading("%s/%s, sealed in %s", s.Policy, s.Dataset, s.Vault)
		p.line("  segment %s: %s with clocks from %s to %s; which of them are about the person, only an identity can tell.",
			s.Segment, rowsOf(s.Rows), h.dayOf(s.Policy, s.First), h.dayOf(s.Policy, s.Last))
		p.line("  %s: %s. %s", p.paint(bold, s.Rule), p.paint(bold, string(s.Class)), sentence(s.Because))
	}
	switch {
	case len(x.Rows) == 0 && x.Partial:
		p.line("No such row where it could be looked for.")
	case len(x.Rows)+len(x.Archives) == 0:
		p.line("No governed table has such a row.")
	}
	if len(x.Refusals) == 0 {
		return p.err
	}
	p.blank()
	p.heading("Not explained, and nothing acts by it")
	for _, r := range x.Refusals {
		name := r.Policy
		if r.Dataset != "" {
			name += "/" + r.Dataset
		}
		if r.Rule != "" {
			name += ", rule " + r.Rule
		}
		p.line("  %s %s: %s", p.paint(red, string(r.Code)), name, p.typed(inWords(r.Message)))
	}
	return p.err
}

func (p *printer) explained(h *house, row engine.ExplainedRow) {
	zone := h.zone(row.Policy)
	where := ""
	if row.Vault != "" {
		where = ", archived in " + row.Vault
	}
	p.heading("%s/%s, key %s%s", row.Policy, row.Dataset, row.Key, where)
	if len(row.Rules) == 0 {
		p.line("  No rule is about this row: undecided, never acted on.")
	}
	for _, r := range row.Rules {
		p.line("  %s: %s. %s", p.paint(bold, ruleName(r.Rule, r.Stage, r.Stage > 1)), classWord(p, r), sentence(r.Because))
		if r.Clock != nil {
			p.line("      clock %s, from %s%s", day(*r.Clock, zone), r.ClockFrom, untilText(r, zone))
		}
	}
	if len(row.Holds) > 0 {
		p.line("  held by %s", strings.Join(row.Holds, ", "))
	}
}

func classWord(p *printer, r engine.ExplainedRule) string {
	s := string(r.Class)
	if r.Action != "" && r.Class == retention.Due {
		s += " to " + r.Action
	}
	return p.paint(bold, s)
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(s[n:], ".") + "."
}

func untilText(r engine.ExplainedRule, zone *time.Location) string {
	s := ""
	if r.LastDay != "" {
		s += "; last day " + r.LastDay
	}
	if r.DueAt != nil {
		s += "; due from " + day(*r.DueAt, zone) + " on"
	}
	return s
}
