package state

import (
	"context"
	"errors"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// ApprovalTime is how long an approval lasts by the store's clock.
const ApprovalTime = 7 * 24 * time.Hour

// SavePlan stores the plan with a plan.made entry.
func (s *Store) SavePlan(ctx context.Context, p retention.Plan) error {
	body, err := toJSON(p)
	if err != nil {
		return wrap(err, "save plan %s", p.ID)
	}
	err = s.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, "INSERT INTO plans (id, digest, made_at, state, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
			p.ID, p.Digest, micros(t.now), string(retention.PlanMade), body)
		if err != nil {
			return err
		}
		if n == 0 {
			return errors.New("a plan of that id is there already; plan again")
		}
		return t.recordBy(ctx, planMade(p), p.By, "")
	})
	return wrap(err, "save plan %s", p.ID)
}

func planMade(p retention.Plan) audit.Event {
	steps := make([]any, 0, len(p.Steps))
	for _, s := range p.Steps {
		steps = append(steps, map[string]any{"policy": s.Policy, "rule": s.Rule, "stage": s.Stage, "action": s.Action, "classes": counted(s.Classes)})
	}
	policies := make([]any, 0, len(p.Policies))
	for _, r := range p.Policies {
		policies = append(policies, r)
	}
	refusals := map[string]int{}
	for _, r := range p.Refusals {
		refusals[string(r.Code)]++
	}
	return audit.Event{Kind: audit.PlanMade, Data: map[string]any{
		"plan": p.ID, "digest": p.Digest, "as_of": rfc3339(p.AsOf), "preview": p.Preview, "holds_version": p.HoldsVersion,
		"policies": fit(policies), "steps": fit(steps), "step_count": len(p.Steps), "refusals": refusals,
	}}
}

// fit cuts a list to what an entry's line has room for (audit.MaxLine in all).
// The plan's digest covers everything in any case.
func fit(list []any) []any {
	room := 25_000
	for i, v := range list {
		b, err := toJSON(v)
		if room -= len(b) + 1; err != nil || room < 0 {
			return list[:i]
		}
	}
	return list
}

// counted is the classes that have rows, with the total.
func counted(c retention.Classes) map[string]int64 {
	out := map[string]int64{"total": c.Total}
	for _, k := range retention.ClassOrder() {
		if n := c.Of(k); n != nil && *n != 0 {
			out[string(k)] = *n
		}
	}
	return out
}

type planRow struct {
	Digest    string `db:"digest"`
	State     string `db:"state"`
	Body      []byte `db:"body"`
	By        string `db:"decided_by"`
	Reason    string `db:"reason"`
	DecidedAt int64  `db:"decided_at"`
	Until     int64  `db:"until"`
}

// Plan returns a saved plan; retention.ErrNotFound.
func (s *Store) Plan(ctx context.Context, id string) (p retention.SavedPlan, err error) {
	err = s.read(ctx, func(t *tx) error {
		p, err = t.plan(ctx, id)
		return err
	})
	return p, wrap(err, "plan %s", id)
}

func (t *tx) plan(ctx context.Context, id string) (p retention.SavedPlan, err error) {
	var r planRow
	ok, err := t.get(ctx, &r, "SELECT digest, state, body, decided_by, reason, decided_at, until FROM plans WHERE id = ?", id)
	if err == nil && !ok {
		err = retention.ErrNotFound
	}
	if err != nil {
		return p, err
	}
	p.State = retention.PlanState(r.State)
	if r.DecidedAt != 0 {
		p.Approval = &retention.Approval{Plan: id, Digest: r.Digest, By: r.By, Reason: r.Reason, At: instant(r.DecidedAt), Until: instant(r.Until)}
	}
	if p.Approvals, err = t.approvalsOf(ctx, id, r.Digest); err != nil {
		return p, err
	}
	if n := len(p.Approvals); n > 0 && p.Approval != nil && p.State != retention.PlanRejected {
		p.Approval.Visa = p.Approvals[n-1].Visa
	}
	return p, fromJSON("the plan", r.Body, &p.Plan)
}

type seenRow struct {
	Meaning     string `db:"meaning"`
	Fingerprint string `db:"fingerprint"`
	Approved    bool   `db:"approved"`
	RanAt       int64  `db:"ran_at"`
	Complete    bool   `db:"complete"`
}

// Seen returns what was approved or done for a rule before; ok = false: never.
func (s *Store) Seen(ctx context.Context, policy, rule string) (out retention.RuleSeen, ok bool, err error) {
	err = s.read(ctx, func(t *tx) error {
		out, ok, err = t.seen(ctx, policy, rule)
		return err
	})
	return out, ok, wrap(err, "what was seen of rule %s/%s", policy, rule)
}

func (t *tx) seen(ctx context.Context, policy, rule string) (out retention.RuleSeen, ok bool, err error) {
	var r seenRow
	out = retention.RuleSeen{Policy: policy, Rule: rule}
	ok, err = t.get(ctx, &r, "SELECT meaning, fingerprint, approved, ran_at, complete FROM seen WHERE policy = ? AND rule = ?", policy, rule)
	if ok {
		out.Meaning, out.Fingerprint, out.Approved, out.RanAt, out.Complete = r.Meaning, r.Fingerprint, r.Approved, instant(r.RanAt), r.Complete
	}
	return out, ok, err
}

// ChangeSeen changes it in one transaction, so that nothing that another process
// noted meanwhile is lost; change says whether there is anything to keep. It is done
// under a lease: retention.ErrFenced once that is over; attempt 0: under none.
func (s *Store) ChangeSeen(ctx context.Context, attempt int64, policy, rule string, change func(seen *retention.RuleSeen, known bool) bool) error {
	err := s.write(ctx, func(t *tx) error {
		if attempt != 0 {
			if err := t.current(ctx, attempt); err != nil {
				return err
			}
		}
		r, known, err := t.seen(ctx, policy, rule)
		if err != nil || !change(&r, known) {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO seen (policy, rule, meaning, fingerprint, approved, ran_at, complete) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (policy, rule) DO UPDATE SET meaning = excluded.meaning, fingerprint = excluded.fingerprint,
			approved = excluded.approved, ran_at = excluded.ran_at, complete = excluded.complete`,
			policy, rule, r.Meaning, r.Fingerprint, flag(r.Approved), micros(r.RanAt), flag(r.Complete))
		return err
	})
	return wrap(err, "remember rule %s/%s", policy, rule)
}
