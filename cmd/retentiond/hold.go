package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

func holdCommand(a *app) *cobra.Command {
	return a.parent("hold", "Litigation holds: place, preview, add, release, list, show",
		`A hold beats everything: no row it covers is deleted, redacted, anonymised or moved by
retentiond while it lasts, nor within the grace after its release. A hold covers subjects
(every dataset, present and future, that has that subject type), whole datasets, or the
rows of subjects in datasets.`,
		`  retentiond hold place --matter 2026-14 --subject person:42 --reason "claim of 3 May" --by "A. Martin"
  retentiond hold list`,
		holdPlaceCommand(a), holdPreviewCommand(a), holdAddCommand(a), holdReleaseCommand(a), holdListCommand(a), holdShowCommand(a))
}

// holdFlags are what a hold covers, as it is written on the command line.
type holdFlags struct {
	subjects, datasets  []string
	file, where, review string
	unmatched           bool
}

func (f *holdFlags) scope(c *cobra.Command) {
	f.people(c)
	c.Flags().StringArrayVar(&f.datasets, "dataset", nil, "POLICY/DATASET to hold; repeatable")
	c.Flags().StringVar(&f.where, "where", "", `condition on the rows of the datasets, as JSON: {"status": "open"}`)
}

func (f *holdFlags) people(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.subjects, "subject", nil, "TYPE:ID of a person; repeatable")
	c.Flags().StringVar(&f.file, "subjects-file", "", "CSV file of persons with a header type,id")
	c.Flags().BoolVar(&f.unmatched, "allow-unmatched", false, "also hold subjects that match no row anywhere")
}

// request reads the flags into what the engine is asked. Everything is read and
// checked before anything is placed.
func (f *holdFlags) request() (engine.HoldRequest, error) {
	req := engine.HoldRequest{Datasets: f.datasets, WhereText: f.where, AllowUnmatched: f.unmatched}
	for i, s := range f.subjects {
		id, err := subjectOf(s, fmt.Sprintf("--subject number %d", i+1))
		if err != nil {
			return req, err
		}
		req.Subjects = append(req.Subjects, id)
	}
	if f.file != "" {
		ids, err := readSubjects(f.file)
		if err != nil {
			return req, err
		}
		req.Subjects = append(req.Subjects, ids...)
	}
	if len(req.Subjects) == 0 && len(req.Datasets) == 0 {
		return req, usage("--subject TYPE:ID, --subjects-file CSV or --dataset POLICY/DATASET", "the hold covers nothing: name a subject or a dataset")
	}
	var err error
	if req.Review, err = parseDay("review", f.review); err != nil || f.where == "" {
		return req, err
	}
	if len(req.Datasets) == 0 {
		return req, usage("add --dataset POLICY/DATASET", "--where needs the datasets whose rows it tests")
	}
	var problems []policies.Problem
	if req.Where, problems = policies.DecodePredicateJSON(f.where); len(problems) > 0 {
		return req, usage(`a mapping of columns, such as {"status": "open"}`, "--where: %s", problems[0].Message)
	}
	return req, nil
}

// holdDoc is a hold as JSON; its names are stable.
type holdDoc struct {
	Hold       string              `json:"hold"`
	Matter     string              `json:"matter"`
	Subjects   []string            `json:"subjects"`
	Datasets   []string            `json:"datasets"`
	Where      *string             `json:"where"`
	Reason     string              `json:"reason"`
	PlacedBy   string              `json:"placed_by"`
	PlacedAt   time.Time           `json:"placed_at"`
	Review     *string             `json:"review"`
	State      retention.HoldState `json:"state"`
	InForce    map[string]bool     `json:"in_force"`
	NotCovered []string            `json:"not_covered"`
	AuditEntry int64               `json:"audit_entry"`
	ReleasedAt *time.Time          `json:"released_at"`
	ReleasedBy *string             `json:"released_by"`
	GraceUntil *time.Time          `json:"grace_until"`
}

func holdView(h retention.Hold) holdDoc {
	d := holdDoc{
		Hold: h.ID, Matter: h.Matter, Subjects: []string{}, Datasets: []string{}, Where: word(h.WhereText), Reason: h.Reason,
		PlacedBy: h.PlacedBy, PlacedAt: h.PlacedAt, Review: word(h.Review), State: h.State, InForce: dict(h.InForce),
		NotCovered: list(h.NotCovered), AuditEntry: h.AuditEntry,
		ReleasedAt: moment(h.ReleasedAt), ReleasedBy: word(h.ReleasedBy), GraceUntil: moment(h.GraceUntil),
	}
	for _, s := range h.Subjects {
		d.Subjects = append(d.Subjects, s.String())
	}
	for _, s := range h.Datasets {
		if slices.Contains(d.Datasets, s.Dataset) {
			continue // a second name of the same database
		}
		d.Datasets = append(d.Datasets, s.Dataset)
	}
	return d
}
