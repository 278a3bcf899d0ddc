package main

import (
	"strings"

	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

func holdPreviewCommand(a *app) *cobra.Command {
	var f holdFlags
	c := &cobra.Command{
		Use:   "preview (--subject T:ID … | --subjects-file CSV) [--dataset POLICY/DATASET] [--where JSON]",
		Short: "What a hold would freeze; places nothing",
		Long: `preview counts, for each dataset, the rows that a hold would cover and how many of them some
rule would act on now. It places nothing and changes nothing.`,
		Example: `  retentiond hold preview --subject person:42
  retentiond hold preview --dataset shop/orders --where '{"status": "disputed"}'`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			req, err := f.request()
			if err != nil {
				return err
			}
			h, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer h.close()
			if err := h.unknownTypes(req.Subjects, true); err != nil {
				return err
			}
			v, err := h.engine.PreviewHold(cmd.Context(), req)
			h.progress.done()
			if err != nil {
				return err
			}
			return a.showPreview(v)
		}),
	}
	f.scope(c)
	return c
}

func (a *app) showPreview(v engine.HoldPreview) error {
	v.Datasets, v.Unmatched, v.NotCovered = list(v.Datasets), list(v.Unmatched), list(v.NotCovered)
	if a.json() {
		return a.document(v)
	}
	p := a.printer()
	g := &grid{cols: []gridColumn{col("dataset"), num("rows held"), num("of them due now")}}
	for _, d := range v.Datasets {
		g.add(d.Policy+"/"+d.Dataset, count(d.Rows), count(d.Due))
	}
	if len(g.rows) > 0 {
		p.grid(g)
	} else {
		p.line("No dataset has such rows.")
	}
	if len(v.Unmatched) > 0 {
		p.line("Matching no row anywhere: %s. `hold place` refuses them, unless --allow-unmatched.", strings.Join(v.Unmatched, ", "))
	}
	if len(v.NotCovered) > 0 {
		p.line("A hold on a subject cannot reach %s: they have no subject. Hold them with --dataset.", strings.Join(v.NotCovered, ", "))
	}
	p.line("Nothing was placed.")
	return p.err
}
