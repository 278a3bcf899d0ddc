package engine

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/bind"
	"github.com/retentiond/retentiond/retention/calendar"
)

// explainLimit is how many rows of one dataset an explanation shows.
const explainLimit = 1000

// Explain says why a row, or the rows about a person, are kept or due: by which
// rule, since which event, until when. The look itself is audited as an access.
func (e *Engine) Explain(ctx context.Context, req ExplainRequest) (Explanation, error) {
	out := Explanation{Rows: []ExplainedRow{}, Refusals: []Unexplained{}}
	find := retention.Find{Subject: req.Subject, Limit: explainLimit}
	if req.Subject == nil {
		if _, d := e.dataset(req.Dataset); d == nil {
			return out, usage("write POLICY/DATASET; "+list("the datasets are", e.datasetNames()), "there is no dataset %q", req.Dataset)
		}
		find.Key = &req.Key
	}
	now := e.now()
	if req.AsOf.IsZero() {
		req.AsOf = now
	}
	v, err := e.look(ctx, req.AsOf)
	if err != nil {
		return out, err
	}
	e.unbound(v, req, &out)
	err = e.eachDataset(ctx, v, func(p *retention.Policy, d *retention.Dataset, sel retention.Selection, src retention.Source) error {
		if !v.asked(p, d, req) {
			return nil
		}
		rows, err := e.explainDataset(ctx, v, p, d, sel, src, find, &out)
		out.Rows = append(out.Rows, rows...)
		if err != nil {
			return out.failed(ctx, p, d, "", err)
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	if err := e.sealedPlaces(ctx, v, req, &out); err != nil {
		return out, err
	}
	_, err = e.Store.Record(ctx, audit.Event{Kind: audit.Access, Data: map[string]any{"what": "explain", "rows": len(out.Rows)}})
	if err != nil {
		return out, fmt.Errorf("no audit, no access: %w", err)
	}
	if err := e.sign(ctx); err != nil {
		return out, err
	}
	if len(out.Rows)+len(out.Archives) == 0 && req.Subject == nil {
		return out, out.nothing(req)
	}
	return out, nil
}

// reachesAny follows parents too: a child row is about its parent's subject.
func reachesAny(r *retention.Reach, typ string, depth int) bool {
	if bind.Reaches(r, typ) {
		return true
	}
	for _, p := range r.Parents {
		if depth < 8 && reachesAny(p.Reach, typ, depth+1) {
			return true
		}
	}
	return false
}

// place is where rows of a dataset are: its table, or a vault's copy of it.
type place struct {
	policy  *retention.Policy
	dataset *retention.Dataset
	whole   retention.Selection
	steps   []*bind.Step
	vault   string
	source  string // that has them
}

// places lists a dataset's table and the vaults that have its rows.
func (v *view) places(p *retention.Policy, d *retention.Dataset, whole retention.Selection) []place {
	out := []place{{policy: p, dataset: d, whole: whole, source: d.Source}}
	for i := range v.bound.Steps {
		b := &v.bound.Steps[i]
		if b.Policy != p || b.Dataset.Name != d.Name {
			continue
		}
		if !b.Archived {
			out[0].steps = append(out[0].steps, b)
			continue
		}
		if b.Sealed {
			continue // see [Engine.sealedPlaces]
		}
		copied, table := *b, *b.Selection.Table
		table.Key = whole.Table.Key // people know the row by its own key, not by the vault's
		copied.Selection.Table = &table
		archive := retention.Selection{Schema: b.Selection.Schema, Table: &table, Where: b.Selection.Where, Clock: retention.ClockTest{Any: true}, Reach: b.Selection.Reach}
		out = append(out, place{policy: p, dataset: d, whole: archive, steps: []*bind.Step{&copied}, vault: b.Vault, source: b.Source})
	}
	return out
}

func (e *Engine) explainDataset(ctx context.Context, v *view, p *retention.Policy, d *retention.Dataset, whole retention.Selection, src retention.Source, find retention.Find, x *Explanation) ([]ExplainedRow, error) {
	var out []ExplainedRow
	for _, at := range v.places(p, d, whole) {
		if at.source != d.Source {
			other, err := e.source(ctx, at.source)
			if err != nil {
				return out, err
			}
			src = other
		}
		rows, err := e.explainPlace(ctx, v, &at, src, find, x)
		if err != nil {
			return out, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

func (e *Engine) explainPlace(ctx context.Context, v *view, at *place, src retention.Source, find retention.Find, x *Explanation) ([]ExplainedRow, error) {
	rows, index, err := e.rowsAt(ctx, v, at, src, find)
	if err != nil || len(rows) == 0 {
		return rows, err
	}
	why := reasons{Engine: e, view: v, place: at, source: src, find: find}
	for _, b := range at.steps {
		seen, err := src.Evidence(ctx, b.Selection, v.holdsFor(b), find)
		if err != nil {
			if err := x.failed(ctx, at.policy, at.dataset, b.Rule.ID, fmt.Errorf("explaining rule %s/%s: %w", at.policy.Name, b.Rule.ID, err)); err != nil {
				return nil, err
			}
			continue
		}
		for _, ev := range seen {
			if i, ok := index[ev.Key]; ok {
				r := explainRule(v, b, ev)
				r.Because += why.more(ctx, b, ev)
				rows[i].Rules = append(rows[i].Rules, r)
			}
		}
	}
	if err := why.minimums(ctx, rows, index, x); err != nil {
		return nil, err
	}
	return rows, e.explainHolds(ctx, v, at, src, find, rows, index, x)
}

// rowsAt finds the rows, before any rule is asked.
func (e *Engine) rowsAt(ctx context.Context, v *view, at *place, src retention.Source, find retention.Find) ([]ExplainedRow, map[string]int, error) {
	rows, index := []ExplainedRow{}, map[string]int{}
	base, err := src.Evidence(ctx, at.whole, v.holds[at.source], find)
	if err != nil {
		return nil, nil, fmt.Errorf("looking into table %q of dataset %s/%s: %w", at.whole.Table.Name, at.policy.Name, at.dataset.Name, err)
	}
	for _, ev := range base {
		if at.vault != "" && ev.Class == retention.Excluded { // archived by another rule
			continue
		}
		index[ev.Key] = len(rows)
		rows = append(rows, ExplainedRow{Policy: at.policy.Name, Dataset: at.dataset.Name, Source: retention.Tenant(at.dataset.Source), Table: at.whole.Table.Name.String(), Vault: at.vault,
			Key: ev.Key, Rules: []ExplainedRule{}, Holds: []string{}})
	}
	return rows, index, nil
}

// explainHolds names the holds that reach each row.
func (e *Engine) explainHolds(ctx context.Context, v *view, at *place, src retention.Source, find retention.Find, rows []ExplainedRow, index map[string]int, x *Explanation) error {
	holds, err := e.Store.ListHolds(ctx, "", "")
	if err != nil {
		return fmt.Errorf("reading holds: %w", err)
	}
	now, err := e.Store.Now(ctx)
	if err != nil {
		return fmt.Errorf("reading the store's clock: %w", err)
	}
	for _, h := range holds {
		if h.State == retention.HoldReleased && !h.GraceUntil.After(now) {
			continue
		}
		req := HoldRequest{Subjects: h.Subjects, Where: h.Where}
		set := withAliases(req.holdSet(h.Datasets, at.dataset.Source), v.aliases(at.policy, at.dataset))
		seen, err := src.Evidence(ctx, at.whole, set, find)
		if err != nil {
			err = refuse(retention.RefuseHoldUnreadable, "hold %s cannot be tested, so nothing acts on dataset %s/%s: %v", h.ID, at.policy.Name, at.dataset.Name, err)
			if err := x.failed(ctx, at.policy, at.dataset, "", err); err != nil {
				return err
			}
			continue
		}
		for _, ev := range seen {
			if i, ok := index[ev.Key]; ok && ev.Class == retention.Held {
				rows[i].Holds = append(rows[i].Holds, h.ID)
			}
		}
	}
	return nil
}

func explainRule(v *view, b *bind.Step, ev retention.Evidence) ExplainedRule {
	st := b.Rule.Stages[b.Stage-1]
	out := ExplainedRule{Rule: b.Rule.ID, Stage: b.Stage, Action: string(st.Action.Kind), Class: ev.Class, Clock: ev.Clock}
	if ev.Clock != nil {
		m, round := setBy(b, ev)
		last, due := calendar.Due(*ev.Clock, st.Keep, b.Policy.Zone, round)
		local := ev.Clock.In(b.Policy.Zone)
		due = due.In(b.Policy.Zone)
		out.ClockFrom, out.Clock, out.LastDay, out.DueAt = m, &local, last.String(), &due
	}
	out.Because = because(v, b, ev, &out)
	return out
}

// setBy finds the member that set the clock, and its rounding.
func setBy(b *bind.Step, ev retention.Evidence) (string, calendar.Round) {
	for i, m := range ev.Members {
		if m.At != nil && m.At.Equal(*ev.Clock) && i < len(b.Rule.Clock.Members) {
			return m.From, b.Rule.Clock.Members[i].Round
		}
	}
	return "", calendar.Round{}
}

func because(v *view, b *bind.Step, ev retention.Evidence, r *ExplainedRule) string {
	switch ev.Class {
	case retention.Excluded:
		if b.Selection.Later != nil && r.DueAt != nil && !r.DueAt.After(v.asOf) {
			return "the row is past the rule's next stage too, which takes it"
		}
		return "the rule's condition does not match"
	case retention.ClassDone:
		return "already " + done(b.Act.Kind)
	case retention.Open:
		return "the clock has not started (NULL): the period does not run"
	case retention.Unresolved:
		return "the clock is unreadable or implausible" + unreadable(ev) + ": never acted on"
	case retention.Active:
		return "the period runs until the end of " + r.LastDay
	case retention.Held:
		return "the period is over, a hold keeps the row"
	case retention.Protected:
		if b.Selection.Table.Locked != "" {
			return "the period is over, a legal minimum protects the object, or the store itself keeps it (Object Lock)"
		}
		return "the period is over, a legal minimum protects the row"
	case retention.Blocked:
		return "the period is over, but a child row is held or protected"
	}
	return "the period was over at the end of " + r.LastDay
}

func unreadable(ev retention.Evidence) string {
	for _, m := range ev.Members {
		if m.Unresolved {
			return " (" + m.From + ")"
		}
	}
	return ""
}

func done(k retention.ActionKind) string {
	if k == retention.Redact {
		return "redacted"
	}
	return "anonymised"
}
