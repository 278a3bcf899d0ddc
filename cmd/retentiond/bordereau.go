package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
)

func bordereauCommand(a *app) *cobra.Command {
	var lang, format, visa string
	c := &cobra.Command{
		Use:   "bordereau PLAN [--lang fr|en] [--format md|html|csv|json] [--visa REF]",
		Short: "The list for destruction of a saved plan, to be signed",
		Long: `bordereau writes what a plan would destroy, rule by rule: the data, the legal reference, the
period, the cutoff, the oldest and the newest date, the number of rows and the action, with
fields to sign: the list for destruction (bordereau d'élimination) that public archives put
to a visa before anything goes. It shows no data of a person.

Rows that move to an archive are not destroyed, and steps that are refused destroy nothing:
neither is on the list, and it says so. --visa fills the visa's reference in; a plan that was
approved under one shows that. The visa itself comes with the approval:
approve PLAN --visa REF.`,
		Example: `  retentiond bordereau p-5b0d6f3a9c1e4d70a1b2c3d4e5f60718 --lang fr > bordereau.md
  retentiond bordereau p-5b0d6f3a9c1e4d70a1b2c3d4e5f60718 --format html --visa DITN/2026/0412`,
		Args: oneArg("PLAN"),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			if err := oneOf("lang", lang, "en", "fr"); err != nil {
				return err
			}
			if err := oneOf("format", format, "md", "html", "csv", "json"); err != nil {
				return err
			}
			if visa != "" {
				if err := retention.VisaRef(visa); err != nil {
					return usage("write the document's number, such as DITN/2026/0412", "%v", err)
				}
			}
			return a.bordereau(cmd.Context(), args[0], lang, format, visa)
		}),
	}
	c.Flags().StringVar(&lang, "lang", "en", "en or fr")
	c.Flags().StringVar(&format, "format", "md", "md, html, csv or json")
	c.Flags().StringVar(&visa, "visa", "", "reference of the visa, to fill in")
	return c
}

func (a *app) bordereau(ctx context.Context, plan, lang, format, visa string) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	saved, err := h.store.Plan(ctx, plan)
	if err != nil {
		return h.planFault(ctx, plan, err)
	}
	if saved.Plan.Preview {
		return usage("make a plan without a future --as-of", "plan %s is a preview: nothing will be destroyed by it", plan)
	}
	doc, err := h.destruction(ctx, &saved, lang)
	if err != nil {
		return err
	}
	if visa != "" && doc.Visa != "" && visa != doc.Visa {
		return usage("leave --visa out", "plan %s was approved under the visa %q", plan, doc.Visa)
	}
	if visa != "" {
		doc.Visa = visa
	}
	if a.json() || format == "json" {
		return a.document(doc)
	}
	p := a.printer()
	p.retype = nil
	text, err := doc.write(format, lang)
	p.write(text)
	if err != nil {
		return err
	}
	return p.err
}

// policiesOf are the policies that a plan is of, as they were when it was made.
func (h *house) policiesOf(ctx context.Context, p *retention.Plan) (map[string]*retention.Policy, error) {
	out := map[string]*retention.Policy{}
	var texts map[string][]byte
	for _, ref := range p.Policies {
		if now := h.policy(ref.Policy); now != nil && now.Digest == ref.Digest {
			out[ref.Policy] = now
			continue
		}
		if texts == nil {
			var err error
			if texts, err = h.store.PolicyTexts(ctx); err != nil {
				return nil, err
			}
		}
		was, problems := policies.Decode(ref.Policy, texts[ref.Digest], policies.Env{})
		if len(problems) > 0 {
			return nil, fmt.Errorf("policy %q as it was when plan %s was made (%s) is not kept any more: plan again", ref.Policy, p.ID, ref.Digest)
		}
		out[ref.Policy] = was
	}
	return out, nil
}
