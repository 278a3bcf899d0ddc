package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/bind"
)

// Plan is the dry run: it counts every row of every governed table in one class,
// and says what a run would do and what stands in its way. It writes to no
// source. Unless NoSave is set, the plan, its due keys and its audit entry are
// durable on return.
func (e *Engine) Plan(ctx context.Context, req PlanRequest) (retention.Plan, error) {
	now := e.now()
	p, v, err := e.plan(ctx, req, now)
	if err == nil {
		err = e.foretell(ctx, &p, v)
	}
	if err != nil {
		return p, err
	}
	if !req.NoSave {
		err = e.save(ctx, p)
	}
	return p, err
}

// now is the one reading of the clock that a request makes, in whole seconds.
func (e *Engine) now() time.Time { return e.Now().Truncate(time.Second) }

func (e *Engine) plan(ctx context.Context, req PlanRequest, now time.Time) (retention.Plan, *view, error) {
	for _, rule := range append([]string{req.Rule}, req.Rules...) {
		if err := e.knownNames(req.Policy, rule); err != nil {
			return retention.Plan{}, nil, err
		}
	}
	asOf := req.AsOf
	if asOf.IsZero() {
		asOf = now
	}
	asOf = asOf.Truncate(time.Second)
	if err := e.Store.HoldsFitLog(ctx); err != nil {
		return retention.Plan{}, nil, err
	}
	v, err := e.lookFor(ctx, asOf, e.concerns(req))
	if err != nil {
		return retention.Plan{}, nil, err
	}
	p := retention.Plan{ID: "p-" + randomID(), AsOf: asOf, MadeAt: now, Preview: asOf.After(now), By: cmp.Or(strings.TrimSpace(req.By), e.User), Steps: []retention.Step{}, Refusals: []retention.Refusal{}}
	for _, pol := range e.Policies {
		if req.Policy == "" || req.Policy == pol.Name {
			p.Policies = append(p.Policies, retention.PolicyRef{Policy: pol.Name, Digest: pol.Digest})
		}
	}
	e.tellLeftBehind(ctx)
	if err := e.guard(ctx, &p, v, now, req.AcceptClock); err != nil {
		return p, v, err
	}
	e.refuseFailed(&p, req)
	e.refuseBound(&p, v, req)
	if err := e.count(ctx, &p, v, req); err != nil {
		return p, v, err
	}
	for _, h := range v.holds {
		p.HoldsVersion = max(p.HoldsVersion, h.Version)
	}
	p.Digest = digest(p)
	return p, v, nil
}

// knownNames refuses a policy or rule that does not exist, so that a typo does
// not plan nothing in silence.
func (e *Engine) knownNames(policy, rule string) error {
	var policies, rules []string
	for _, p := range e.Policies {
		policies = append(policies, p.Name)
		if policy != "" && p.Name != policy {
			continue
		}
		for i := range p.Rules {
			rules = append(rules, p.Rules[i].ID)
		}
	}
	for _, f := range e.Failed {
		policies = append(policies, f.Policy)
	}
	if policy != "" && !has(policies, policy) {
		return usage(list("the policies are", policies), "there is no policy %q", policy)
	}
	if rule != "" && !has(rules, rule) {
		return usage(list("the rules are", rules), "there is no rule %q", rule)
	}
	return nil
}

// list names at most a few, for a hint.
func list(what string, names []string) string {
	const few = 12
	if len(names) > few {
		return fmt.Sprintf("%s %q and %d more", what, names[:few], len(names)-few)
	}
	return fmt.Sprintf("%s %q", what, names)
}

func has(names []string, n string) bool {
	for _, have := range names {
		if have == n {
			return true
		}
	}
	return false
}

// refuseFailed makes policies that do not load refusals of the plan.
func (e *Engine) refuseFailed(p *retention.Plan, req PlanRequest) {
	for _, f := range e.Failed {
		if req.Policy != "" && f.Policy != req.Policy || req.Rule != "" && req.Policy == "" {
			continue
		}
		name := f.Policy
		if name == "" {
			name = f.File
		}
		p.Refusals = append(p.Refusals, retention.Refusal{Policy: name, Code: retention.RefusePolicyError, Message: f.Message})
	}
}

// refuseBound makes binding errors and dead sources refusals of their rules.
func (e *Engine) refuseBound(p *retention.Plan, v *view, req PlanRequest) {
	for _, pol := range v.acting {
		for i := range pol.Rules {
			r := &pol.Rules[i]
			d := pol.Dataset(r.Dataset)
			if !req.wants(pol.Name, r.ID) || d == nil || len(r.Stages) == 0 {
				continue
			}
			if down := v.down[d.Source]; down != nil {
				p.Refusals = append(p.Refusals, retention.Refusal{Policy: pol.Name, Rule: r.ID, Source: retention.Tenant(d.Source), Code: down.Code, Message: down.Message})
			}
		}
	}
	for i := range v.bound.Steps {
		b := &v.bound.Steps[i]
		if down := v.down[b.Source]; b.Home != "" && down != nil && req.wants(b.Policy.Name, b.Rule.ID) {
			p.Refusals = append(p.Refusals, retention.Refusal{Policy: b.Policy.Name, Rule: b.Rule.ID, Stage: b.Stage, Code: down.Code, Message: down.Message})
		}
	}
	for _, b := range v.bound.Errors() {
		if !req.wants(b.Policy, b.Rule) || v.down[b.Source] != nil {
			continue
		}
		p.Refusals = append(p.Refusals, retention.Refusal{Policy: b.Policy, Rule: b.Rule, Source: retention.Tenant(b.Source), Code: b.Code, Message: remedied(b)})
	}
}

func (r PlanRequest) wants(policy, rule string) bool {
	return (r.Policy == "" || r.Policy == policy) && (r.Rule == "" || r.Rule == rule) && (len(r.Rules) == 0 || has(r.Rules, rule))
}

// count makes the steps, in the order of the policies. One step that cannot be
// counted is refused; the others go on (L13). Tenants are counted side by side.
func (e *Engine) count(ctx context.Context, p *retention.Plan, v *view, req PlanRequest) error {
	found := make([]counted, len(v.bound.Steps))
	var mu sync.Mutex
	done := 0
	by, order := v.stepsBySource(func(b *bind.Step) bool {
		return req.wants(b.Policy.Name, b.Rule.ID) && v.down[b.Source] == nil && (!req.Archives || b.Archived)
	})
	e.eachSource(order, func(source string) {
		for _, i := range by[source] {
			b := &v.bound.Steps[i]
			locked(&mu, func() {
				e.progress(Progress{Phase: "plan", Policy: b.Policy.Name, Rule: b.Rule.ID, Done: int64(done), Total: int64(len(v.bound.Steps))})
				done++
			})
			s, refusals, err := e.step(ctx, v, b)
			if err != nil {
				refusals = append(refusals, *downRefusal(err))
			}
			found[i] = counted{&s, refusals, err}
		}
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i, f := range found {
		if f.step == nil {
			continue
		}
		if f.err == nil {
			p.Steps = append(p.Steps, *f.step)
		}
		b := &v.bound.Steps[i]
		for _, r := range f.refusals {
			r.Policy, r.Rule, r.Stage, r.Source = b.Policy.Name, b.Rule.ID, b.Stage, retention.Tenant(b.Source)
			p.Refusals = append(p.Refusals, r)
		}
	}
	e.progress(Progress{Phase: "plan", Done: int64(len(v.bound.Steps)), Total: int64(len(v.bound.Steps))})
	return nil
}

// counted is what counting one bound step came to; step nil: it was not wanted.
type counted struct {
	step     *retention.Step
	refusals []retention.Refusal
	err      error
}

// stepsBySource are the indexes of the bound steps, by source, and the sources in
// order.
func (v *view) stepsBySource(wanted func(*bind.Step) bool) (by map[string][]int, order []string) {
	by = map[string][]int{}
	for i := range v.bound.Steps {
		b := &v.bound.Steps[i]
		if !wanted(b) {
			continue
		}
		if by[b.Source] == nil {
			order = append(order, b.Source)
		}
		by[b.Source] = append(by[b.Source], i)
	}
	return by, order
}

func (e *Engine) step(ctx context.Context, v *view, b *bind.Step) (retention.Step, []retention.Refusal, error) {
	src, err := e.source(ctx, b.Source)
	if err != nil {
		return retention.Step{}, nil, err
	}
	if r := v.uncovered(b, v.holdsFor(b)); r != nil {
		return retention.Step{}, nil, r
	}
	if into := b.Act.Into; into != nil && into.Source != "" && v.down[into.Source] != nil {
		return retention.Step{}, nil, v.down[into.Source]
	}
	counted := *b
	counted.Selection.Newest = b.Rule.Visa // a list for destruction tells both ends of its dates
	c, late, err := e.tally(ctx, v, &counted, v.holdsFor(b), b.Act.Children)
	if err != nil {
		return retention.Step{}, nil, err
	}
	if c.Classes.Sum() != c.Classes.Total {
		return retention.Step{}, nil, fmt.Errorf("table %q: classes add up to %d of %d rows (L11)", b.Selection.Table.Name, c.Classes.Sum(), c.Classes.Total)
	}
	s := retention.Step{
		Policy: b.Policy.Name, Rule: b.Rule.ID, Stage: b.Stage, Dataset: b.Dataset.Name, Source: b.Source,
		Table: b.Selection.Table.Name, Archived: b.Archived, Action: b.Act.Kind, Vault: b.Vault, Cutoff: b.Cutoff,
		Classes: c.Classes, Children: c.Children, OldestDue: c.OldestDue,
		Limit: limits(b.Policy, b.Rule), Fingerprint: fingerprint(b), Meaning: meaningOf(b), LateSince: late,
		NewestDue: c.NewestDue, Visa: b.Rule.Visa && destroys(b.Act.Kind),
	}
	if b.Rule.Approvers > 1 {
		s.Approvers = b.Rule.Approvers
	}
	if b.Late {
		s.NeverArchived = c.Classes.Due
	}
	refusals, err := e.judge(ctx, v, b, &s, src)
	return s, refusals, err
}

// destroys reports whether an action ends what a visa is about: a move to an archive
// does not.
func destroys(k retention.ActionKind) bool { return k != retention.Archive && k != retention.Report }

// fingerprint joins those of the live tables that the rule changes.
func fingerprint(b *bind.Step) string {
	h := sha256.New()
	tables := []retention.TableName{b.Dataset.Table}
	for _, c := range b.Dataset.Children {
		tables = append(tables, c.Table)
	}
	schema := cmp.Or(b.Live, b.Selection.Schema)
	for _, t := range tables {
		fp := ""
		if live := schema.Table(t); live != nil {
			fp = live.Fingerprint
		}
		h.Write(fmt.Appendf(nil, "%s=%s\n", t, fp))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// digest is over everything in the plan but its name, and who made it when.
func digest(p retention.Plan) string {
	p.ID, p.Digest, p.By, p.MadeAt = "", "", "", time.Time{}
	p.Steps = append([]retention.Step{}, p.Steps...)
	for i := range p.Steps {
		p.Steps[i].Whole = nil
		p.Steps[i].Spooled = false // whether its keys are kept says nothing of what it means
	}
	b, err := json.Marshal(p)
	if err != nil { // a plan is plain data
		b = []byte(err.Error())
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// randomID is 128 random bits.
func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the process instead
	return hex.EncodeToString(b[:])
}

func (e *Engine) progress(p Progress) {
	if e.Progress != nil {
		e.Progress(p)
	}
}

// save keeps the plan, the policies that it is of, and its due keys.
func (e *Engine) save(ctx context.Context, p retention.Plan) error {
	for _, pol := range e.Policies {
		if err := e.Store.KeepPolicy(ctx, pol); err != nil {
			return fmt.Errorf("keeping policy %q: %w", pol.Name, err)
		}
	}
	if !p.Preview {
		if err := e.spool(ctx, &p); err != nil {
			return err
		}
	}
	if err := e.Store.SavePlan(ctx, p); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	if err := e.recordRefusals(ctx, "", p.Refusals); err != nil {
		return err
	}
	return e.sign(ctx)
}

func (e *Engine) recordRefusals(ctx context.Context, run string, refusals []retention.Refusal) error {
	for _, r := range refusals {
		ev := audit.Event{Kind: audit.RefusalMade, Run: run, Policy: r.Policy, Rule: r.Rule, Data: map[string]any{"code": r.Code}}
		if r.Source != "" {
			ev.Data["source"] = r.Source
		}
		if _, err := e.Store.Record(ctx, ev); err != nil {
			return fmt.Errorf("recording a refusal: %w", err)
		}
	}
	return nil
}
