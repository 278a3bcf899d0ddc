package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
)

// destructionDoc is a list for destruction; its names are stable.
type destructionDoc struct {
	Plan        string          `json:"plan"`
	Digest      string          `json:"digest"`
	AsOf        time.Time       `json:"as_of"`
	PlannedBy   string          `json:"planned_by"`
	PlannedAt   time.Time       `json:"planned_at"`
	State       string          `json:"state"`
	Visa        string          `json:"visa"`
	VisaNeeded  bool            `json:"visa_needed"`
	Approvers   int             `json:"approvers_needed"`
	Controllers []string        `json:"controllers"`
	Lines       []destroyedDoc  `json:"lines"`
	Rows        int64           `json:"rows"`     // of all lines
	Children    int64           `json:"children"` // that go along
	Archived    int64           `json:"archived"` // rows that move to an archive: not on the list
	Refused     int64           `json:"refused"`  // rows of steps that are refused: not on the list
	Approvals   []approvedByDoc `json:"approvals"`
}

// destroyedDoc is a line: what one stage of one rule destroys.
type destroyedDoc struct {
	Policy    string     `json:"policy"`
	Rule      string     `json:"rule"`
	Stage     int        `json:"stage"`
	Title     string     `json:"title"`
	Dataset   string     `json:"dataset"`
	Source    string     `json:"source"`
	Table     string     `json:"table"`
	Reference string     `json:"reference"` // the clause, as the policy quotes it
	Basis     string     `json:"basis"`
	Period    string     `json:"period"`
	Cutoff    *time.Time `json:"cutoff"`
	Oldest    *time.Time `json:"oldest"`
	Newest    *time.Time `json:"newest"` // null: before the cutoff
	Rows      int64      `json:"rows"`
	Children  int64      `json:"children"`
	Action    string     `json:"action"`

	zone *time.Location
}

type approvedByDoc struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Visa string    `json:"visa,omitempty"`
}

// destruction makes the list of what a saved plan would destroy.
func (h *house) destruction(ctx context.Context, s *retention.SavedPlan, lang string) (*destructionDoc, error) {
	p := &s.Plan
	named, err := h.policiesOf(ctx, p)
	if err != nil {
		return nil, err
	}
	d := &destructionDoc{Plan: p.ID, Digest: p.Digest, AsOf: p.AsOf, PlannedBy: p.By, PlannedAt: p.MadeAt, State: string(s.State),
		VisaNeeded: p.WantsVisa(), Approvers: p.Approvers(), Lines: []destroyedDoc{}, Controllers: []string{}, Approvals: []approvedByDoc{}}
	for i := range p.Steps {
		if err := d.add(p, &p.Steps[i], named, lang); err != nil {
			return nil, err
		}
	}
	for _, a := range s.Approvals {
		d.Visa = a.Visa
		d.Approvals = append(d.Approvals, approvedByDoc{a.By, a.At, a.Visa})
	}
	return d, nil
}

// add adds a step that destroys rows as a line, and counts the others.
func (d *destructionDoc) add(p *retention.Plan, s *retention.Step, named map[string]*retention.Policy, lang string) error {
	switch {
	case s.ReportOnly || s.Classes.Due == 0 || s.Action == "":
		return nil
	case broken(p, s):
		d.Refused += s.Classes.Due
		return nil
	case s.Action == retention.Archive:
		d.Archived += s.Classes.Due
		return nil
	}
	pol := named[s.Policy]
	if pol == nil {
		return fmt.Errorf("plan %s does not say which text of policy %q it is of: plan again", p.ID, s.Policy)
	}
	line := destroyedDoc{Policy: s.Policy, Rule: s.Rule, Stage: s.Stage, Dataset: s.Dataset, Source: s.Source, Table: lineTable(s), Cutoff: moment(s.Cutoff),
		Oldest: s.OldestDue, Newest: s.NewestDue, Rows: s.Classes.Due, Action: string(s.Action), zone: pol.Zone}
	for _, n := range s.Children {
		line.Children += n
	}
	for i := range pol.Rules {
		if r := &pol.Rules[i]; r.ID == s.Rule {
			line.Title, line.Reference = r.Title, r.Cite
			line.Period, line.Action, line.Basis = policies.StageText(r, s.Stage, lang)
		}
	}
	d.Lines = append(d.Lines, line)
	d.Rows, d.Children = d.Rows+line.Rows, d.Children+line.Children
	if !slices.Contains(d.Controllers, pol.Controller) {
		d.Controllers = append(d.Controllers, pol.Controller)
	}
	return nil
}

// broken reports whether a step is refused, and no approval lifts it.
func broken(p *retention.Plan, s *retention.Step) bool {
	for i := range p.Refusals {
		if r := &p.Refusals[i]; !r.Approvable && r.About(s) {
			return true
		}
	}
	return false
}

// lineTable is a line's table; its source is beside it.
func lineTable(s *retention.Step) string {
	if s.Archived {
		return s.Table.String() + " (archive)"
	}
	return s.Table.String()
}
