package state

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

type approvalRow struct {
	By        string `db:"decided_by"`
	Reason    string `db:"reason"`
	Visa      string `db:"visa"`
	DecidedAt int64  `db:"decided_at"`
	Until     int64  `db:"until"`
}

func (t *tx) approvalsOf(ctx context.Context, plan, digest string) (out []retention.Approval, err error) {
	var rows []approvalRow
	err = t.all(ctx, &rows, "SELECT decided_by, reason, visa, decided_at, until FROM approvals WHERE plan = ? ORDER BY seq", plan)
	for _, r := range rows {
		out = append(out, retention.Approval{Plan: plan, Digest: digest, By: r.By, Reason: r.Reason, Visa: r.Visa, At: instant(r.DecidedAt), Until: instant(r.Until)})
	}
	return out, err
}

// Decide stores an approval (yes) or rejection at the store's time, with its
// entry. The plan is approved with the last approval that it needs; it then lasts
// [ApprovalTime] from the first one. Only a plan in state made can be decided:
// retention.ErrDecided. A preview is refused, so is a digest other than the
// plan's, and an approval that does not fit is a *[retention.UnfitApproval].
func (s *Store) Decide(ctx context.Context, a retention.Approval, yes bool) error {
	err := s.write(ctx, func(t *tx) error {
		p, err := t.plan(ctx, a.Plan)
		if err != nil {
			return err
		}
		if err := decidable(&p, a, yes); err != nil {
			return err
		}
		if yes {
			return t.approve(ctx, &p, a)
		}
		if err := t.decided(ctx, retention.PlanRejected, a, time.Time{}); err != nil {
			return err
		}
		data := map[string]any{"plan": a.Plan, "digest": p.Plan.Digest}
		return t.recordBy(ctx, audit.Event{Kind: audit.PlanRejected, Data: data}, a.By, a.Reason)
	})
	return wrap(err, "decide plan %s", a.Plan)
}

// approve adds an approval; the last one that is needed approves the plan.
func (t *tx) approve(ctx context.Context, p *retention.SavedPlan, a retention.Approval) error {
	until := t.now.Add(ApprovalTime)
	n, needs := len(p.Approvals)+1, p.Plan.Approvers()
	if _, err := t.exec(ctx, "INSERT INTO approvals (plan, seq, who, decided_by, reason, visa, decided_at, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		a.Plan, n, retention.PersonKey(a.By), a.By, a.Reason, a.Visa, micros(t.now), micros(until)); err != nil {
		return err
	}
	if n > 1 {
		until = p.Approvals[0].Until
	}
	if n >= needs {
		if err := t.decided(ctx, retention.PlanApproved, a, until); err != nil {
			return err
		}
	}
	data := map[string]any{"plan": a.Plan, "digest": p.Plan.Digest, "until": rfc3339(until), "approval": n, "needs": needs}
	if a.Visa != "" { // a document's number, which the archives' own register has too
		data["visa"] = a.Visa
	}
	return t.recordBy(ctx, audit.Event{Kind: audit.PlanApproved, Data: data}, a.By, a.Reason)
}

func (t *tx) decided(ctx context.Context, to retention.PlanState, a retention.Approval, until time.Time) error {
	_, err := t.exec(ctx, "UPDATE plans SET state = ?, decided_by = ?, reason = ?, decided_at = ?, until = ? WHERE id = ?",
		string(to), a.By, a.Reason, micros(t.now), micros(until), a.Plan)
	return err
}

func decidable(p *retention.SavedPlan, a retention.Approval, yes bool) error {
	if p.State != retention.PlanMade {
		return fmt.Errorf("%w: it is %s", retention.ErrDecided, p.State)
	}
	if a.Digest != p.Plan.Digest {
		return fmt.Errorf("the decision is of digest %s, the plan's is %s; look at the plan again", a.Digest, p.Plan.Digest)
	}
	if !yes {
		return nil
	}
	if p.Plan.Preview {
		return &retention.Refusal{Code: retention.RefusePreview, Message: "a plan with an as-of in the future is a preview and cannot be approved; plan again without --as-of"}
	}
	return p.Fits(a, false)
}

// PlansByDigest returns the ids of the plans of that digest that nobody rejected and
// that have not run, oldest first.
func (s *Store) PlansByDigest(ctx context.Context, digest string) (ids []string, err error) {
	err = s.read(ctx, func(t *tx) error {
		ids = nil
		return t.all(ctx, &ids, "SELECT id FROM plans WHERE digest = ? AND state IN (?, ?) ORDER BY made_at, id",
			digest, string(retention.PlanMade), string(retention.PlanApproved))
	})
	return ids, wrap(err, "look for plans of a digest")
}
