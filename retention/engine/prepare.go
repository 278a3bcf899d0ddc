package engine

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// prepare makes or takes the plan, turns what it lacks into refusals, and
// installs gates where a step will act.
func (w *work) prepare(ctx context.Context) error {
	if err := w.extendCovers(ctx); err != nil {
		return err
	}
	if err := w.planOrTake(ctx); err != nil {
		return err
	}
	fresh, err := w.install(ctx)
	if err != nil || !fresh {
		return err
	}
	// A source got its identity only now: bind again, for two names of one
	// database are one set of holds and minimums.
	w.report.Refusals = w.report.Refusals[:0]
	return w.planOrTake(ctx)
}

func (w *work) planOrTake(ctx context.Context) error {
	if w.req.Plan != "" {
		return w.take(ctx)
	}
	now := w.now()
	var err error
	if w.plan, w.view, err = w.Engine.plan(w.stop, w.planRequest(), now); err != nil {
		return err
	}
	for _, p := range w.Policies {
		if err := w.Store.KeepPolicy(ctx, p); err != nil {
			return fmt.Errorf("keeping policy %q: %w", p.Name, err)
		}
	}
	if err := w.fits(); err != nil {
		return err
	}
	w.weigh(w.req.Approve && w.plan.Approvers() == 1)
	waiting, err := w.waiting(ctx)
	if err != nil {
		return err
	}
	if len(waiting) > 0 || w.waits() && !w.req.Unattended { // a person may approve this very plan: keep its rows
		if err := w.spool(ctx, &w.plan); err != nil {
			return err
		}
	}
	if err := w.Store.SavePlan(ctx, w.plan); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	if err := w.park(ctx, waiting); err != nil {
		return err
	}
	if w.req.Approve {
		if _, err := w.Decide(ctx, w.plan.ID, w.yes()); err != nil {
			return err
		}
	}
	return nil
}

// planRequest is what the run plans.
func (w *work) planRequest() PlanRequest {
	return PlanRequest{Policy: w.req.Policy, Rule: w.req.Rule, Rules: w.req.Rules, AsOf: w.req.AsOf, AcceptClock: w.req.AcceptClock, By: w.req.By, Archives: w.req.Archives}
}

// yes is the approval that comes with the run.
func (w *work) yes() Decision {
	return Decision{By: w.req.By, Reason: w.req.Reason, Visa: w.req.Visa, Yes: true}
}

// fits refuses an approval that comes with the run before the plan is saved.
func (w *work) fits() error {
	if !w.req.Approve {
		return nil
	}
	s := retention.SavedPlan{Plan: w.plan, State: retention.PlanMade}
	a, err := w.decision(&s, w.yes())
	if err != nil {
		return err
	}
	return s.Fits(a, w.FourEyes)
}

// waits reports whether some refusal of the run could be lifted by an approval.
func (w *work) waits() bool {
	for _, r := range w.report.Refusals {
		if r.Approvable {
			return true
		}
	}
	return false
}

// weigh turns the plan's refusals, and missing approvals, into the run's.
func (w *work) weigh(approved bool) {
	for _, r := range w.plan.Refusals {
		if !approved || !r.Approvable {
			w.report.Refusals = append(w.report.Refusals, r)
		}
	}
	if w.approved = approved; approved {
		return
	}
	for i := range w.plan.Steps {
		s := &w.plan.Steps[i]
		if s.NeedsApproval && !s.ReportOnly {
			r := waits(retention.RefuseApproval, "%s (%d due): look at the plan, then: retentiond approve %s --by NAME --reason TEXT%s", s.Why, s.Classes.Due, w.plan.ID, w.askedOf())
			r.Policy, r.Rule, r.Stage, r.Source = s.Policy, s.Rule, s.Stage, retention.Tenant(s.Source)
			w.report.Refusals = append(w.report.Refusals, *r)
		}
	}
}

// askedOf is what an approval of the plan asks for beside a name and a reason.
func (w *work) askedOf() string {
	text := ""
	if w.plan.WantsVisa() {
		text = " --visa REF"
	}
	if n := w.plan.Approvers(); n > 1 {
		given := 0
		if w.saved != nil {
			given = len(w.saved.Approvals)
		} else if w.req.Approve {
			given = 1
		}
		text += fmt.Sprintf(" (%d of %d approvals were given)", given, n)
	}
	return text
}

// take loads a saved plan and checks that it still means the same.
func (w *work) take(ctx context.Context) error {
	saved, err := w.Store.Plan(ctx, w.req.Plan)
	if err != nil {
		return fmt.Errorf("plan %q: %w", w.req.Plan, err)
	}
	if w.saved = &saved; saved.Plan.Preview {
		return refuse(retention.RefusePreview, "plan %s is a preview (as-of %s): it can be neither approved nor run", saved.Plan.ID, stamp(saved.Plan.AsOf))
	}
	now, err := w.Store.Now(ctx)
	if err != nil {
		return fmt.Errorf("reading the store's clock: %w", err)
	}
	if err := usable(&saved, now); err != nil {
		return err
	}
	if w.view, err = w.lookFor(w.stop, saved.Plan.AsOf, w.concernsOf(&saved.Plan)); err != nil {
		return err
	}
	w.plan = saved.Plan
	if w.secret, err = w.Store.SpoolKey(ctx, w.plan.ID); err != nil {
		return fmt.Errorf("reading the plan's secret: %w", err)
	}
	wall := w.now()
	clock := retention.Plan{}
	if err := w.guard(ctx, &clock, w.view, wall, w.req.AcceptClock); err != nil {
		return err
	}
	w.report.Refusals = append(w.report.Refusals, clock.Refusals...)
	if w.req.Approve && saved.State != retention.PlanApproved {
		if saved, err = w.Decide(ctx, w.plan.ID, w.yes()); err != nil {
			return err
		}
	}
	if saved.State == retention.PlanApproved && !saved.Enough(w.FourEyes) {
		return refuse(retention.RefuseApproval, "plan %s was approved by who planned it (approvals.four_eyes): plan again, and let somebody else approve", w.plan.ID)
	}
	w.weigh(saved.State == retention.PlanApproved)
	w.changed()
	return nil
}

// usable refuses a plan that was rejected, run, or is too old.
func usable(s *retention.SavedPlan, now timeNow) error {
	switch {
	case s.State == retention.PlanRejected:
		return refuse(retention.RefuseExpiredPlan, "plan %s was rejected by %s", s.Plan.ID, s.Approval.By)
	case s.State == retention.PlanRun:
		return refuse(retention.RefuseExpiredPlan, "plan %s has already run: plan again", s.Plan.ID)
	case now.After(s.Plan.MadeAt.Add(planLife)) && s.State != retention.PlanApproved,
		s.State == retention.PlanApproved && s.Approval != nil && now.After(s.Approval.Until):
		return refuse(retention.RefuseExpiredPlan, "plan %s is over %d days old: plan again", s.Plan.ID, int(planLife.Hours()/24))
	}
	return nil
}

// changed refuses the steps whose policy or tables moved since the plan.
func (w *work) changed() {
	digests := map[string]string{}
	for _, p := range w.Policies {
		digests[p.Name] = p.Digest
	}
	for _, p := range w.plan.Policies {
		if digests[p.Policy] != p.Digest {
			r := refuse(retention.RefuseExpiredPlan, "policy %q changed since the plan was made: plan again", p.Policy)
			r.Policy = p.Policy
			w.report.Refusals = append(w.report.Refusals, *r)
		}
	}
	for i := range w.plan.Steps {
		s := &w.plan.Steps[i]
		if w.refused(s) != nil || s.ReportOnly {
			continue
		}
		var r *retention.Refusal
		if down := w.view.down[s.Source]; down != nil {
			r = refuse(down.Code, "%s", down.Message)
		} else if b := w.view.find(s); b == nil {
			r = refuse(retention.RefuseSchemaDrift, "%s", w.view.whyUnbound(s))
		} else if r = w.view.uncovered(b, w.view.holdsFor(b)); r != nil {
			// refused: a hold no longer finds its rows
		} else if fingerprint(b) != s.Fingerprint {
			r = refuse(retention.RefuseSchemaDrift, "table %q or a child of it changed since the plan was made: plan again", s.Table)
		}
		if r != nil {
			r.Policy, r.Rule, r.Stage, r.Source = s.Policy, s.Rule, s.Stage, retention.Tenant(s.Source)
			w.report.Refusals = append(w.report.Refusals, *r)
		}
	}
}

func (v *view) whyUnbound(s *retention.Step) string {
	for _, p := range v.bound.Errors() {
		if p.Policy == s.Policy && p.Rule == s.Rule && p.Source == s.Source {
			return p.Message
		}
	}
	return "the rule cannot be bound to its table any more: plan again"
}

// install creates gates and vaults where a step will act, and registers the
// sources; fresh says that some source got its identity only now.
func (w *work) install(ctx context.Context) (fresh bool, err error) {
	for i := range w.plan.Steps {
		s := &w.plan.Steps[i]
		b := w.view.find(s)
		if s.ReportOnly || b == nil || w.refused(s) != nil || s.Classes.Due == 0 {
			continue
		}
		was := w.view.servers[s.Source].Gate.Installed
		if err := w.installFor(ctx, s, b.Act.Into, w.view); err != nil {
			r := downRefusal(err)
			w.report.Refusals = append(w.report.Refusals, retention.Refusal{Policy: s.Policy, Rule: s.Rule, Stage: s.Stage, Source: retention.Tenant(s.Source), Code: r.Code, Message: r.Message})
			continue
		}
		fresh = fresh || !was
	}
	return fresh, nil
}

func (w *work) installFor(ctx context.Context, s *retention.Step, into *retention.VaultTables, v *view) error {
	src, err := w.source(ctx, s.Source)
	if err != nil {
		return err
	}
	g, err := w.gate(ctx, s.Source, src)
	if err != nil {
		return err
	}
	srv := v.servers[s.Source]
	srv.Gate = g
	v.servers[s.Source] = srv
	if err := w.Store.RegisterSource(ctx, retention.SourceRecord{Name: s.Source, UUID: g.SourceUUID}); err != nil {
		return fmt.Errorf("registering source %q: %w", s.Source, err)
	}
	b := v.find(s)
	if err := w.installOwners(ctx, b.Act.Owns); err != nil {
		return err
	}
	if b.Act.Sealed {
		return w.checkVault(ctx, b.Vault)
	}
	if into == nil {
		return nil
	}
	if into.Source != "" {
		return w.installVault(ctx, src, b, into, v)
	}
	spec := retention.VaultSpec{From: []retention.TableName{b.Selection.Table.Name}, Into: []retention.TableName{into.Table}}
	for i, c := range b.Act.Children {
		if c.Then == retention.ChildDelete {
			spec.From, spec.Into = append(spec.From, c.Table), append(spec.Into, into.Children[i])
		}
	}
	return src.MakeVault(ctx, b.Selection.Schema, spec)
}
