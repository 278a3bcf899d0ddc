package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// unbound gathers what an explanation has to leave out, before any row is looked
// at: rules that do not bind, datasets that nobody can look into, policies that
// do not load (L11).
func (e *Engine) unbound(v *view, req ExplainRequest, out *Explanation) {
	for _, p := range v.acting {
		for i := range p.Datasets {
			if d := &p.Datasets[i]; v.asked(p, d, req) {
				out.leaveOut(v, p, d)
			}
		}
	}
	if req.Subject == nil {
		return
	}
	for _, f := range e.Failed {
		name := f.Policy
		if name == "" {
			name = f.File
		}
		out.Refusals = append(out.Refusals, Unexplained{Policy: name, Code: retention.RefusePolicyError, Message: f.Message})
		out.Partial = true
	}
}

// asked reports whether the request is about the dataset. Of one that nobody can
// look into, what it declares itself must do.
func (v *view) asked(p *retention.Policy, d *retention.Dataset, req ExplainRequest) bool {
	if req.Subject == nil {
		return req.Dataset == p.Name+"/"+d.Name
	}
	if whole, ok := v.bound.Whole[bind.DatasetKey(p, d)]; ok {
		return reachesAny(whole.Reach, req.Subject.Type, 0)
	}
	for _, s := range d.Subjects {
		if s.Type == req.Subject.Type {
			return d.Exempt == ""
		}
	}
	return false
}

// leaveOut says what of the dataset does not bind, and why.
func (x *Explanation) leaveOut(v *view, p *retention.Policy, d *retention.Dataset) {
	_, whole := v.bound.Whole[bind.DatasetKey(p, d)]
	had := len(x.Refusals)
	for _, b := range v.bound.Errors() {
		if b.Policy == p.Name && b.Dataset == d.Name && b.Source == d.Source {
			x.Refusals = append(x.Refusals, Unexplained{Policy: p.Name, Dataset: d.Name, Rule: b.Rule, Code: b.Code, Message: remedied(b)})
		}
	}
	if whole {
		return
	}
	x.Partial = true
	if len(x.Refusals) > had {
		return
	}
	r := Unexplained{Policy: p.Name, Dataset: d.Name, Code: retention.RefuseSchemaDrift, Message: fmt.Sprintf("table %q of source %q cannot be looked into: retentiond check says more", d.Table, d.Source)}
	if down := v.down[d.Source]; down != nil {
		r.Code, r.Message = down.Code, down.Message
	}
	x.Refusals = append(x.Refusals, r)
}

// remedied is a problem with its remedy.
func remedied(b bind.Problem) string {
	if b.Hint == "" {
		return b.Message
	}
	return b.Message + "; " + b.Hint
}

// failed leaves out what the database refused to say; the rest is explained.
func (x *Explanation) failed(ctx context.Context, p *retention.Policy, d *retention.Dataset, rule string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r := downRefusal(err)
	x.Refusals = append(x.Refusals, Unexplained{Policy: p.Name, Dataset: d.Name, Rule: rule, Code: r.Code, Message: r.Message})
	x.Partial = x.Partial || rule == ""
	return nil
}

// nothing is the error where the one row that was asked for was not found.
func (x *Explanation) nothing(req ExplainRequest) error {
	if !x.Partial {
		return fmt.Errorf("dataset %q has no row with key %q: %w", req.Dataset, req.Key, retention.ErrNotFound)
	}
	var why []string
	for _, r := range x.Refusals {
		why = append(why, r.Message)
	}
	return fmt.Errorf("dataset %q cannot be looked into: %s", req.Dataset, strings.Join(why, "; "))
}
