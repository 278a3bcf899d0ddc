package main

import (
	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
	"github.com/spf13/cobra"
)

func policyShowCommand(a *app) *cobra.Command {
	var lang, only string
	c := &cobra.Command{
		Use:   "show [--policy P] [--lang fr|en]",
		Short: "The policies as a table for people",
		Long: `show prints each policy as a table for people who do not read YAML: what is kept, from which
event, how long, what happens then, and which clause of the privacy policy says so.`,
		Example: `  retentiond policy show
  retentiond policy show --policy cartesia --lang fr`,
		Args: noArgs,
		RunE: a.do(func(*cobra.Command, []string) error {
			if err := oneOf("lang", lang, "en", "fr"); err != nil {
				return err
			}
			return a.showPolicies(only, lang)
		}),
	}
	c.Flags().StringVar(&lang, "lang", "en", "en or fr")
	c.Flags().StringVar(&only, "policy", "", "only this policy")
	return c
}

func (a *app) showPolicies(only, lang string) error {
	loaded, err := a.loadPolicies(nil)
	if err != nil {
		return err
	}
	var chosen []*retention.Policy
	for _, p := range loaded.Policies {
		if only == "" || p.Name == only {
			chosen = append(chosen, p)
		}
	}
	if only != "" && len(chosen) == 0 {
		return unknownPolicy(only, loaded)
	}
	for _, f := range loaded.Failed {
		a.printerTo(a.Err).failed(f.File, f.Problems)
	}
	if err := a.describe(chosen, lang); err != nil || len(chosen) > 0 || len(loaded.Failed) == 0 {
		return err
	}
	return verdict(exitUsage)
}

func unknownPolicy(name string, loaded policies.Loaded) error {
	hint := "policies that load:"
	for _, p := range loaded.Policies {
		hint += " " + p.Name
	}
	return usage(hint, "no policy %q is loaded", name)
}

// tableDoc is a policy for people, as data.
type tableDoc struct {
	Policy string     `json:"policy"`
	Title  string     `json:"title"`
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
}

// describe shows policies as tables for people.
func (a *app) describe(ps []*retention.Policy, lang string) error {
	docs := []tableDoc{}
	for _, p := range ps {
		t := policies.Describe(p, lang)
		docs = append(docs, tableDoc{p.Name, t.Title, t.Header, list(t.Rows)})
	}
	if a.json() {
		return a.document(map[string][]tableDoc{"policies": docs})
	}
	p := a.printer()
	for i, d := range docs {
		if i > 0 {
			p.blank()
		}
		p.heading("%s (%s)", d.Title, d.Policy)
		g := &grid{rows: d.Rows}
		for _, h := range d.Header {
			g.cols = append(g.cols, gridColumn{title: h, optional: true, wrap: 24})
		}
		p.grid(g)
	}
	if len(docs) == 0 {
		p.line("No policy is loaded.")
	}
	return p.err
}
