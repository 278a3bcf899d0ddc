package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// openedSource keeps what opening a source came to.
type openedSource struct {
	mu     sync.Mutex
	source retention.Source

	said  sync.Mutex // of what it said last
	is    string     // its identity
	since time.Time  // when it did not answer; zero: it did
}

// told keeps what asking the source came to.
func (o *openedSource) told(srv retention.Server, err error, now time.Time) {
	o.said.Lock()
	defer o.said.Unlock()
	switch {
	case err != nil:
		o.since = now
	default:
		o.is, o.since = srv.Identity, time.Time{}
	}
}

func (o *openedSource) silent() time.Time {
	o.said.Lock()
	defer o.said.Unlock()
	return o.since
}

func (o *openedSource) identity() string {
	o.said.Lock()
	defer o.said.Unlock()
	return o.is
}

// source opens a configured source on first use. A failed opening is tried
// again next time: the server may be back.
func (e *Engine) source(ctx context.Context, name string) (retention.Source, error) {
	ref := e.Sources[name]
	if ref == nil {
		return nil, fmt.Errorf("source %q is not configured", name)
	}
	ref.opened.mu.Lock()
	defer ref.opened.mu.Unlock()
	if ref.opened.source != nil {
		return ref.opened.source, nil
	}
	s, err := ref.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", name, err)
	}
	ref.opened.source = s
	return s, nil
}

// Close closes every source that was opened.
func (e *Engine) Close() error {
	var first error
	for _, ref := range e.Sources {
		if err := ref.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Retire closes a tenant that was taken out, once nobody uses it; what ends there may
// use it still, and it is closed after each use.
func (r *SourceRef) Retire() error {
	r.opened.mu.Lock()
	defer r.opened.mu.Unlock()
	if r.opened.source == nil {
		return nil
	}
	return r.opened.source.Close()
}

// Close closes the source where it was opened.
func (r *SourceRef) Close() error {
	r.opened.mu.Lock()
	defer r.opened.mu.Unlock()
	if r.opened.source == nil {
		return nil
	}
	err := r.opened.source.Close()
	r.opened.source = nil
	return err
}

// sourceNames lists the configured sources, in order.
func (e *Engine) sourceNames() []string {
	out := make([]string, 0, len(e.Sources))
	for n := range e.Sources {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// usedSources lists the sources that some policy names, and those of vaults to which
// rows of other sources go, in order.
func (e *Engine) usedSources() []string { return e.usedBy(e.allPolicies()) }

// usedBy is [Engine.usedSources] of some policies.
func (e *Engine) usedBy(ps []*retention.Policy) []string {
	out := append(sourcesOf(ps), bind.VaultSources(ps, e.bindVaults())...)
	slices.Sort(out)
	return slices.Compact(out)
}

// sourcesOf lists the sources of the policies' datasets, in order.
func sourcesOf(ps []*retention.Policy) []string {
	set := map[string]bool{}
	for _, p := range ps {
		for i := range p.Datasets {
			set[p.Datasets[i].Source] = true
			for _, c := range p.Datasets[i].FileChildren {
				set[c.Source] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// allPolicies are those that run and those that only protect, those of each tenant
// apart.
func (e *Engine) allPolicies() []*retention.Policy {
	return append(slices.Clone(e.spread(e.Policies)), e.spread(e.Guards)...)
}

// asWritten are those that run and those that only protect.
func (e *Engine) asWritten() []*retention.Policy {
	return append(slices.Clone(e.Policies), e.Guards...)
}

// Status tells of every configured source whether it answers, what it knows, and
// whether anything may act there: a source that knows another state store, or a
// newer one, is in error. Tenants are asked side by side.
func (e *Engine) Status(ctx context.Context) []SourceStatus { return e.statusOf(ctx, nil) }

// statusOf asks those sources of which nothing is known yet.
func (e *Engine) statusOf(ctx context.Context, known map[string]SourceStatus) []SourceStatus {
	names := e.sourceNames()
	out := make([]SourceStatus, len(names))
	e.eachSource(names, func(name string) {
		st, ok := known[name]
		if !ok {
			st = SourceStatus{Name: name, Driver: e.driver(name)}
			e.tells(ctx, &st)
		}
		out[sort.SearchStrings(names, name)] = st
	})
	return out
}

// driver is that of a configured source.
func (e *Engine) driver(name string) string {
	if ref := e.Sources[name]; ref != nil {
		return ref.Driver
	}
	return ""
}

// tells fills in what one source says.
func (e *Engine) tells(ctx context.Context, st *SourceStatus) {
	down := func(err error) { st.Error, st.Code = err.Error(), downRefusal(err).Code }
	s, err := e.source(ctx, st.Name)
	if err != nil {
		down(err)
		return
	}
	srv, err := s.Server(ctx)
	if err != nil {
		down(err)
		return
	}
	st.UUID, st.Installed, st.Server = srv.Gate.SourceUUID, srv.Gate.Installed, srv.Name
	srv, back, err := e.knowsNow(ctx, st.Name, s, srv)
	if err == nil {
		return
	}
	st.Error, st.Code, st.Forgotten = err.Error(), retention.RefuseSourceDown, back
	if r := refusalOf(err); r != nil {
		st.Code = r.Code
	}
}

// knowsTries is how often a gate is read again that does not fit: a run may have
// moved it on, and the store with it, since it was read.
const knowsTries = 3

// elsewhere refuses a place that belongs to another daemon, though no gate of ours there
// says so yet: an install is refused before it leaves a gate.
func (e *Engine) elsewhere(ctx context.Context, name string, srv retention.Server) error {
	g := srv.Gate
	switch {
	case srv.Bound != "" && srv.Bound != g.SourceUUID:
		return refuse(retention.RefuseStateMismatch,
			"source %q is bound to the gate of another daemon or source, or to one that was lost, by its object .retentiond-gate: holds here would not stop the other. Remove that object only if nothing else acts there", name)
	case !g.Installed && g.StoreUUID != "":
		g.Installed = true
		if err := e.knowsStore(name, g); err != nil {
			return err
		}
		return e.Store.Fits(ctx, g)
	}
	return nil
}

// knowsNow compares the store with a source's gate as [Engine.Knows] does. Of a
// source that went back in time it says what the source forgot.
func (e *Engine) knowsNow(ctx context.Context, name string, src retention.Source, srv retention.Server) (retention.Server, *retention.Forgotten, error) {
	known := e.Knows(ctx, name, srv.Gate)
	for try := 1; try < knowsTries && refusalOf(known) != nil; try++ {
		again, err := src.Server(ctx)
		if err != nil {
			return srv, nil, fmt.Errorf("source %q: %w", name, err)
		}
		srv = again
		known = e.Knows(ctx, name, srv.Gate)
	}
	if known == nil {
		known = e.elsewhere(ctx, name, srv)
	}
	r := refusalOf(known)
	if r == nil {
		return srv, nil, known
	}
	f, err := e.Store.Forgotten(ctx, name, srv.Gate)
	if err != nil || f.Batches == 0 {
		return srv, nil, known // the refusal stands without it
	}
	return srv, &f, refuse(r.Code, "%s; %s. Adopting accepts the source as it is: every rule there then plans anew and waits for an approval", r.Message, forgot(f))
}

// forgot says what a source forgot: without a moment where it knows none of ours.
func forgot(f retention.Forgotten) string {
	since, batches, rows, they := "", "batches", "rows", "they"
	if !f.Since.IsZero() && f.Since.Unix() != 0 {
		since = "since " + stamp(f.Since) + ", "
	}
	if f.Batches == 1 {
		batches = "batch"
	}
	if f.Rows == 1 {
		rows, they = "row", "it"
	}
	return fmt.Sprintf("%s%d %s did %d %s there that it forgot: %s may be back", since, f.Batches, batches, f.Rows, rows, they)
}
