package main

import (
	"time"

	"github.com/retentiond/retentiond/retention"
)

// planDoc is a plan as `plan --output json` prints it; its names are stable.
type planDoc struct {
	Plan     string                `json:"plan"`
	AsOf     time.Time             `json:"as_of"`
	MadeAt   time.Time             `json:"made_at"`
	Digest   string                `json:"digest"`
	By       string                `json:"by,omitempty"`
	Needs    needsDoc              `json:"needs"`
	Preview  bool                  `json:"preview"`
	Policies []retention.PolicyRef `json:"policies"`
	Steps    []stepDoc             `json:"steps"`
	Refusals []retention.Refusal   `json:"refusals"`
}

type stepDoc struct {
	Policy        string               `json:"policy"`
	Rule          string               `json:"rule"`
	Stage         int                  `json:"stage"`
	Dataset       string               `json:"dataset"`
	Source        string               `json:"source"`
	Table         string               `json:"table"`
	Archived      bool                 `json:"archived,omitempty"`
	Action        retention.ActionKind `json:"action"`
	Cutoff        *time.Time           `json:"cutoff"`
	Classes       retention.Classes    `json:"classes"`
	Children      map[string]int64     `json:"children"`
	OldestDue     *time.Time           `json:"oldest_due"`
	Whole         *retention.Whole     `json:"whole,omitempty"`
	NeverArchived int64                `json:"never_archived"`
	Limit         limitDoc             `json:"limit"`
	NeedsApproval bool                 `json:"needs_approval"`
	ReportOnly    bool                 `json:"report_only"`
	Why           string               `json:"why"`
}

// needsDoc is what an approval of the plan asks for.
type needsDoc struct {
	Approvers int  `json:"approvers"`
	Visa      bool `json:"visa"`
}

type limitDoc struct {
	Rows  int64   `json:"rows"`
	Share float64 `json:"share"`
}

func planView(p retention.Plan) planDoc {
	d := planDoc{Plan: p.ID, AsOf: p.AsOf, MadeAt: p.MadeAt, Preview: p.Preview,
		Digest: p.Digest, By: p.By, Needs: needsDoc{p.Approvers(), p.WantsVisa()},
		Policies: list(p.Policies), Steps: []stepDoc{}, Refusals: list(refusalsOf(p))}
	for _, s := range p.Steps {
		d.Steps = append(d.Steps, stepView(s))
	}
	return d
}

func stepView(s retention.Step) stepDoc {
	return stepDoc{
		Policy: s.Policy, Rule: s.Rule, Stage: s.Stage, Dataset: s.Dataset, Source: s.Source,
		Table: s.Table.String(), Archived: s.Archived, Action: s.Action, Cutoff: moment(s.Cutoff),
		Classes: s.Classes, Children: dict(s.Children), OldestDue: s.OldestDue, Whole: s.Whole,
		NeverArchived: s.NeverArchived, Limit: limitDoc{s.Limit.Rows, s.Limit.Share},
		NeedsApproval: s.NeedsApproval, ReportOnly: s.ReportOnly, Why: s.Why,
	}
}
