package engine

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// limits resolves a rule's ceilings: its own, the policy's, the defaults.
func limits(p *retention.Policy, r *retention.Rule) retention.Limits {
	out := retention.Limits{Rows: retention.DefaultLimitRows, Share: retention.DefaultLimitShare}
	for _, l := range []retention.Limits{p.Limits, r.Limits} {
		if l.Rows > 0 {
			out.Rows = l.Rows
		}
		if l.Share > 0 {
			out.Share = l.Share
		}
	}
	return out
}

// judge says what stands between a counted step and its action: all of it,
// before the first write (L12).
func (e *Engine) judge(ctx context.Context, v *view, b *bind.Step, s *retention.Step, src retention.Inspector) ([]retention.Refusal, error) {
	if why := idle(b, v); why != "" {
		s.ReportOnly, s.Why = true, why
		return nil, nil
	}
	if s.Classes.Due == 0 {
		s.Why = nothingDue(s.Classes)
		if s.LateSince != nil {
			s.Why += "; their segments stay whole, the first since " + s.LateSince.In(b.Policy.Zone).Format("2006-01-02")
		}
		if why := otherClock(b, s.Classes); why != "" {
			s.Why += "; " + why
		}
		return nil, nil
	}
	refusals := overLimit(s)
	if s.NeverArchived > 0 {
		refusals = append(refusals, *waits(retention.RefuseNeverArchived,
			"%d due rows were past every stage before the rule first archived them: approve the plan to delete them unarchived", s.NeverArchived))
	}
	if r, err := groups(ctx, v, b, src); err != nil {
		return nil, err
	} else if r != nil {
		refusals = append(refusals, *r)
	}
	drift, err := e.approval(ctx, b, s)
	if err != nil {
		return nil, err
	}
	if drift != nil {
		refusals = append(refusals, *drift)
	}
	return refusals, nil
}

// idle says why a rule only reports, if it does.
func idle(b *bind.Step, v *view) string {
	switch {
	case b.Rule.Disabled:
		return "the rule is disabled: it only reports"
	case v.asOf.Before(b.Rule.EffectiveFrom):
		return "effective from " + b.Rule.EffectiveFrom.Format("2006-01-02") + ": until then it only reports"
	case b.Act.Kind == retention.Report:
		return "the rule only reports"
	}
	return ""
}

// nothingDue gives zero rows their reason (L11).
func nothingDue(c retention.Classes) string {
	switch {
	case c.Total == 0:
		return "nothing due: the table is empty"
	case c.Excluded == c.Total:
		return "nothing due: no row matches the rule's condition"
	case c.Held+c.Protected+c.Blocked > 0:
		return fmt.Sprintf("nothing due: of the rows whose period is over, %d are held, %d protected, %d blocked", c.Held, c.Protected, c.Blocked)
	}
	return "nothing due: no period is over"
}

func overLimit(s *retention.Step) []retention.Refusal {
	rows := s.Classes.Due
	for _, n := range s.Children {
		rows += n
	}
	var out []retention.Refusal
	if rows > s.Limit.Rows {
		out = append(out, *waits(retention.RefuseLimitRows, "%d rows, children included, are over the limit of %d", rows, s.Limit.Rows))
	}
	if total := s.Classes.Total; total > retention.ShareFloor {
		if share := float64(s.Classes.Due) / float64(total); share > s.Limit.Share {
			out = append(out, *waits(retention.RefuseLimitShare, "%d of %d rows (%.1f %%) are over the limit of %.4g %% of the table",
				s.Classes.Due, total, 100*share, 100*s.Limit.Share))
		}
	}
	return out
}

// groups counts, before acting, the groups that an anonymisation would leave too
// small (k-anonymity: Samarati and Sweeney, 1998).
func groups(ctx context.Context, v *view, b *bind.Step, src retention.Inspector) (*retention.Refusal, error) {
	k := b.Rule.Stages[b.Stage-1].Action.Verify
	if k == nil || b.Act.Kind != retention.Anonymise {
		return nil, nil
	}
	small, all, err := src.SmallGroups(ctx, b.Selection, v.holdsFor(b), b.Act.Changes, *k)
	if err != nil {
		return nil, fmt.Errorf("counting small groups: %w", err)
	}
	if all == 0 || float64(small) <= k.Allow*float64(all) {
		return nil, nil
	}
	return refuse(retention.RefuseKAnonymity, "%d of %d rows would be in groups of fewer than %d alike in %q, over the allowed %.4g %%: coarsen these columns",
		small, all, k.K, k.Quasi, 100*k.Allow), nil
}

// approval says whether the step waits for a person, and refuses a schema that
// moved since the rule last acted or was approved.
func (e *Engine) approval(ctx context.Context, b *bind.Step, s *retention.Step) (*retention.Refusal, error) {
	seen, known, err := e.Store.Seen(ctx, s.Policy, retention.AtTenant(s.Rule, s.Source))
	if err != nil {
		return nil, fmt.Errorf("reading what was approved of rule %q: %w", s.Rule, err)
	}
	switch {
	case known && seen.Meaning == meaningAdopted:
		s.NeedsApproval, s.Why = true, "its source was adopted after it went back in time: rows that had gone may be back"
	case b.Rule.Approve == retention.ApproveAlways:
		s.NeedsApproval, s.Why = true, "the rule asks for an approval of each plan"
	case b.Rule.Approve == retention.ApproveNever:
	case !known || !seen.Approved:
		s.NeedsApproval, s.Why = true, "first run of this rule"
	case !within(seen.Meaning, s.Meaning) && sameRule(seen.Meaning, s.Meaning):
		s.NeedsApproval, s.Why = true, "a minimum that protected its rows is gone or changed since it was approved"
	case !within(seen.Meaning, s.Meaning):
		s.NeedsApproval, s.Why = true, "the rule's meaning changed since it was approved"
	}
	if known && seen.Fingerprint != "" && seen.Fingerprint != s.Fingerprint {
		return waits(retention.RefuseSchemaDrift,
			"table %q or a child of it changed since the rule last acted (columns, types, foreign keys or triggers): look at the plan, then approve it", s.Table), nil
	}
	return nil, nil
}
