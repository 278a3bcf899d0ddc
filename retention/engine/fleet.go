package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/retentiond/retentiond/retention"
	"go.uber.org/zap"
)

// Fleet is many databases of one schema under one name: a policy that names the
// fleet binds to each of its tenants.
type Fleet struct {
	Tenants []string // names of sources, sorted
	AtOnce  int      // databases at work at once; 0: [DefaultAtOnce]
}

// DefaultAtOnce is how many databases of a fleet are open, and at work, at once.
const DefaultAtOnce = 8

// tenants are the sources that a name in a policy means: the fleet's tenants, or the
// source itself.
func (e *Engine) tenants(name string) []string {
	if f, ok := e.Fleets[name]; ok {
		return f.Tenants
	}
	return []string{name}
}

// spread gives each tenant its own copy of the policies that name its fleet, with
// the datasets there and their rules; what is left of them is a policy too.
func (e *Engine) spread(ps []*retention.Policy) []*retention.Policy {
	if len(e.Fleets) == 0 {
		return ps
	}
	var out []*retention.Policy
	for _, p := range ps {
		var fleets []string
		for i := range p.Datasets {
			if s := p.Datasets[i].Source; len(e.Fleets[s].Tenants) > 0 && !slices.Contains(fleets, s) {
				fleets = append(fleets, s)
			}
		}
		if len(fleets) == 0 {
			out = append(out, p)
			continue
		}
		if rest := portion(p, func(s string) string { return unless(slices.Contains(fleets, s), s) }); len(rest.Datasets) > 0 {
			out = append(out, rest)
		}
		for _, f := range fleets {
			for _, tenant := range e.Fleets[f].Tenants {
				out = append(out, portion(p, func(s string) string { return unless(s != f, tenant) }))
			}
		}
	}
	return out
}

func unless(not bool, s string) string {
	if not {
		return ""
	}
	return s
}

// portion is the policy with those datasets, and their rules, for which at names a
// source, there.
func portion(p *retention.Policy, at func(source string) string) *retention.Policy {
	out := *p
	out.Datasets, out.Rules = nil, nil
	for _, d := range p.Datasets {
		if s := at(d.Source); s != "" {
			d.Source = s
			out.Datasets = append(out.Datasets, d)
		}
	}
	for _, r := range p.Rules {
		if out.Dataset(r.Dataset) != nil {
			out.Rules = append(out.Rules, r)
		}
	}
	return &out
}

// takenOut reports whether a source is a tenant that its fleet no longer has.
func (e *Engine) takenOut(source string) bool {
	_, fleet := e.Fleets[retention.FleetOf(source)]
	return fleet && e.Sources[source] == nil
}

// eachSource does the tenants among the sources side by side, as many as their fleets
// allow, and the others before, one by one.
func (e *Engine) eachSource(names []string, do func(name string)) {
	var tenants []string
	most := 0
	for _, name := range names {
		if f, ok := e.Fleets[retention.FleetOf(name)]; ok {
			tenants, most = append(tenants, name), max(most, f.atOnce())
		} else {
			do(name)
		}
	}
	next := make(chan string)
	var side sync.WaitGroup
	for range min(most, len(tenants)) {
		side.Go(func() {
			for name := range next {
				do(name)
			}
		})
	}
	for _, name := range tenants {
		next <- name
	}
	close(next)
	side.Wait()
}

// sideBySide is [Engine.eachSource] with the others side by side too: one that does not
// answer does not keep them waiting.
func (e *Engine) sideBySide(names []string, do func(name string)) {
	var tenants []string
	var side sync.WaitGroup
	for _, name := range names {
		if _, ok := e.Fleets[retention.FleetOf(name)]; ok {
			tenants = append(tenants, name)
		} else {
			side.Go(func() { do(name) })
		}
	}
	e.eachSource(tenants, do)
	side.Wait()
}

func (f Fleet) atOnce() int {
	if f.AtOnce > 0 {
		return f.AtOnce
	}
	return DefaultAtOnce
}

// locked calls f with the lock held.
func locked(mu *sync.Mutex, f func()) {
	mu.Lock()
	defer mu.Unlock()
	f()
}

// strays refuses to call a tenant passed that was taken out while a batch there may
// still commit.
func strays(name string, open []retention.Intent) error {
	n := 0
	for _, in := range open {
		if in.Source == name {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("source %q was taken out of its fleet with %d open batches: put it back until they are settled", name, n)
}

// oneOf is a source that stands for a name: a fleet's tenants have the same throttle
// and window.
func (e *Engine) oneOf(name string) string {
	if of := e.tenants(name); len(of) > 0 {
		return of[0]
	}
	return name
}

// leftBehind says of each tenant that was taken out of its fleet, and still has holds
// or open batches, which: nobody can settle or release them there.
func (e *Engine) leftBehind(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	known, err := e.Store.RegisteredSources(ctx)
	if err != nil {
		return out, fmt.Errorf("reading the registered sources: %w", err)
	}
	if known = slices.DeleteFunc(known, func(r retention.SourceRecord) bool { return !e.takenOut(r.Name) }); len(known) == 0 {
		return out, nil
	}
	open, err := e.Store.OpenIntents(ctx)
	if err != nil {
		return out, fmt.Errorf("reading open intents: %w", err)
	}
	holds, err := e.Store.ListHolds(ctx, "", "")
	if err != nil {
		return out, fmt.Errorf("reading holds: %w", err)
	}
	for _, r := range known {
		var batches, held int
		for _, in := range open {
			if in.Source == r.Name {
				batches++
			}
		}
		for i := range holds {
			if heldAt(&holds[i], r.Name) {
				held++
			}
		}
		if batches+held > 0 {
			out[r.Name] = fmt.Sprintf("source %q was taken out of its fleet with %d open batches and %d holds that have not ended: put it back, or see to both", r.Name, batches, held)
		}
	}
	return out, nil
}

// tellLeftBehind warns of them.
func (e *Engine) tellLeftBehind(ctx context.Context) {
	gone, err := e.leftBehind(ctx)
	if err != nil {
		e.Log.Warn("tenants that were taken out cannot be told", zap.Error(err))
	}
	for name, text := range gone {
		e.Log.Warn(text, zap.String("source", name))
	}
}

func (e *Engine) checkTakenOut(ctx context.Context) (out []Finding, err error) {
	gone, err := e.leftBehind(ctx)
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		out = append(out, Finding{Level: LevelWarning, Source: name, Code: "taken_out", Message: gone[name]})
	}
	return out, err
}

// heldAt reports whether a hold that is not over was in force at a source, or names
// a dataset there.
func heldAt(h *retention.Hold, source string) bool {
	return h.State != retention.HoldReleased && (h.InForce[source] ||
		slices.ContainsFunc(h.Covers, func(c retention.HoldCover) bool { return c.Source == source }) ||
		slices.ContainsFunc(h.Datasets, func(d retention.HoldScope) bool { return d.Source == source }))
}
