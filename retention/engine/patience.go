package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// How long a source may take to say who it is: where the request is about it, and
// where it only may be another name of one that is. One that did not answer is not
// asked again for a while by requests that are not about it.
const (
	patience      = 30 * time.Second
	otherPatience = 10 * time.Second
	describing    = 4 // times as long, for the catalogue
	silence       = time.Minute
	slow          = time.Second // a source that fails sooner keeps nobody waiting
)

// concern is the sources that a request is about; nil: all.
type concern map[string]bool

func (c concern) has(name string) bool { return c == nil || c[name] }

func (c concern) patience(name string) time.Duration {
	if c.has(name) {
		return patience
	}
	return otherPatience
}

// concerns are the sources of the rules that a request wants.
func (e *Engine) concerns(req PlanRequest) concern {
	out := concern{}
	for _, p := range e.spread(e.Policies) {
		for i := range p.Rules {
			r := &p.Rules[i]
			d := p.Dataset(r.Dataset)
			if d == nil || !req.wants(p.Name, r.ID) {
				continue
			}
			out[d.Source] = true
			for j := range r.Stages {
				out.vault(e.Vaults, r.Stages[j].Action.Vault, d.Source)
			}
		}
	}
	return out
}

// concernsOf are the sources of a saved plan's steps.
func (e *Engine) concernsOf(p *retention.Plan) concern {
	out := concern{}
	for i := range p.Steps {
		out[p.Steps[i].Source] = true
		out.vault(e.Vaults, p.Steps[i].Vault, p.Steps[i].Source)
	}
	return out
}

// vault adds the source in which rows of another are archived; a fleet's vault is in
// each tenant itself.
func (c concern) vault(vaults map[string]Vault, name, source string) {
	v, ok := vaults[name]
	if !ok || v.Source == "" || v.Source == retention.FleetOf(source) {
		return
	}
	c[v.Source] = true
}

// errLate is of a source that did not answer in time; its refusal says which.
var errLate = errors.New("the source did not answer in time")

type lateError struct{ *retention.Refusal }

// Unwrap gives the refusal, and what it is.
func (e *lateError) Unwrap() []error { return []error{e.Refusal, errLate} }

// about is what a run is about.
func (w *work) about(ctx context.Context) (concern, error) {
	if w.req.Plan == "" {
		return w.concerns(w.planRequest()), nil
	}
	saved, err := w.Store.Plan(ctx, w.req.Plan)
	if err != nil {
		return nil, fmt.Errorf("plan %q: %w", w.req.Plan, err)
	}
	return w.concernsOf(&saved.Plan), nil
}

// passWait is how long a run waits for holds on their way: not long where none of its
// own sources waits for one.
func (w *work) passWait(ctx context.Context, about concern) time.Duration {
	for name := range about {
		if placing, err := w.Store.Placing(ctx, name); err != nil || placing {
			return 10 * time.Second
		}
	}
	return time.Second
}

// inTime calls f, which may be done again, and does not wait for it longer than that: a driver may
// wait for a network that lost the packets, whatever its context says.
func inTime[T any](ctx context.Context, name string, most time.Duration, f func(context.Context) (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	type answer struct {
		is  T
		err error
	}
	came := make(chan answer, 1)
	go func() {
		is, err := f(limited)
		came <- answer{is, err}
	}()
	var a answer
	select {
	case a = <-came:
	case <-limited.Done():
		a.err = limited.Err()
	}
	if a.err != nil && limited.Err() != nil && ctx.Err() == nil {
		a.err = &lateError{refuse(retention.RefuseSourceDown, "source %q did not answer within %s", name, most)}
	}
	return a.is, a.err
}

// asked is what asking a source came to: its words, and how far its clock lies outside
// of the time in which it was asked.
type asked struct {
	server retention.Server
	off    time.Duration
}

// ask makes the acquaintance of a source.
func (e *Engine) ask(ctx context.Context, name string, about concern) (asked, error) {
	ref := e.Sources[name]
	if ref != nil && !about.has(name) && e.Now().Sub(ref.opened.silent()) < silence {
		return asked{}, refuse(retention.RefuseSourceDown, "source %q did not answer a moment ago", name)
	}
	begun := e.Now()
	a, err := inTime(ctx, name, about.patience(name), func(ctx context.Context) (out asked, err error) {
		src, err := e.source(ctx, name)
		if err != nil {
			return out, err
		}
		before := e.Now()
		if out.server, err = src.Server(ctx); err != nil {
			return out, fmt.Errorf("source %q: %w", name, err)
		}
		out.off = outside(out.server.Now, before, e.Now())
		return out, nil
	})
	if now := e.Now(); ref != nil && (err == nil || ctx.Err() == nil && now.Sub(begun) > slow) {
		ref.opened.told(a.server, err, now)
	}
	return a, err
}

// outside is how far an instant lies before or after a span of time; one that is not
// known lies nowhere.
func outside(at, from, to time.Time) time.Duration {
	switch {
	case at.IsZero():
		return 0
	case at.Before(from):
		return from.Sub(at)
	case at.After(to):
		return at.Sub(to)
	}
	return 0
}

// otherNames takes down the sources of which another name does not answer: what the
// policies say of the database under that name cannot be seen.
func (e *Engine) otherNames(ctx context.Context, v *view) error {
	if len(v.down) == 0 {
		return nil
	}
	registered, err := e.Store.RegisteredSources(ctx)
	if err != nil {
		return fmt.Errorf("reading the registered sources: %w", err)
	}
	was := map[string]string{}
	for _, r := range registered {
		was[r.Name] = r.UUID
	}
	silent := map[string]string{} // a name by identity
	for name, r := range v.down {
		if r.Code != retention.RefuseSourceDown && r.Code != retention.RefusePrivilege {
			continue
		}
		silent[was[name]], silent[v.servers[name].Identity] = name, name
		if ref := e.Sources[name]; ref != nil {
			silent[ref.opened.identity()] = name
		}
	}
	delete(silent, "")
	for name, srv := range v.servers {
		if other := silent[srv.Identity]; other != "" && v.down[name] == nil {
			v.down[name] = refuse(retention.RefuseSourceDown, "source %q is another name of this database, and does not answer: what its policies protect here cannot be seen", other)
		}
	}
	return nil
}
