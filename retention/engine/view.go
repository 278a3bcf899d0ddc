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

// view is what planning sees: every policy bound to the live schemas, and the
// holds of each source. It writes to no source (L5).
type view struct {
	asOf    time.Time
	bound   bind.Result
	schemas map[string]*retention.Schema
	servers map[string]retention.Server
	off     map[string]time.Duration      // how far each source's clock is from ours
	down    map[string]*retention.Refusal // sources on which nothing may act, and why
	holds   map[string]*retention.HoldSet // by source name

	about concern // what the request is about

	acting []*retention.Policy // that run, those of each tenant apart
	all    []*retention.Policy // and those that only protect
	names  map[string][]string // by source: see namesOf
	past   map[time.Time]*view // what earlier times looked like
}

// look describes every used source and binds the policies to it.
func (e *Engine) look(ctx context.Context, asOf time.Time) (*view, error) {
	return e.lookFor(ctx, asOf, nil)
}

// lookFor is [Engine.look] for a request about some of them: it does not wait long
// for the others.
func (e *Engine) lookFor(ctx context.Context, asOf time.Time, about concern) (*view, error) {
	v := &view{about: about, off: map[string]time.Duration{},
		asOf: asOf, schemas: map[string]*retention.Schema{}, servers: map[string]retention.Server{},
		down: map[string]*retention.Refusal{}, holds: map[string]*retention.HoldSet{},
	}
	v.acting = e.spread(e.Policies)
	v.all = append(slices.Clone(v.acting), e.spread(e.Guards)...)
	vaults := e.bindVaults()
	var mu sync.Mutex
	used := e.usedBy(v.all)
	e.sideBySide(used, func(name string) {
		a, err := e.ask(ctx, name, about)
		locked(&mu, func() {
			if err != nil {
				v.down[name] = downRefusal(err)
				return
			}
			v.servers[name], v.off[name] = a.server, a.off
		})
	})
	v.known()
	v.apart()
	servers := maps.Clone(v.servers)
	up := slices.DeleteFunc(used, func(name string) bool { return v.down[name] != nil })
	ids := map[string]string{}
	e.eachSource(up, func(name string) {
		seen, err := inTime(ctx, name, e.describing(name, about), func(ctx context.Context) (seen, error) {
			return e.lookAt(ctx, servers[name], name, v.namesOf(name), v.all, vaults)
		})
		locked(&mu, func() { v.take(name, seen, err) })
		if err == nil {
			locked(&mu, func() { ids[name] = v.servers[name].Identity })
		}
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := e.otherNames(ctx, v); err != nil {
		return nil, err
	}
	for _, name := range up { // once every schema is known: names follow tables
		if set := v.holds[name]; set != nil {
			v.holds[name] = e.follow(v, name, set)
		}
	}
	v.bound = bind.Bind(bind.Input{
		Policies: v.acting, Guards: v.all[len(v.acting):], Schemas: v.schemas, UUIDs: ids, Vaults: vaults, Drivers: e.drivers(), AsOf: asOf,
	})
	return v, nil
}

// seen is what looking at one source came to.
type seen struct {
	server retention.Server
	schema *retention.Schema
	holds  *retention.HoldSet
	down   *retention.Refusal
}

func (v *view) take(name string, s seen, err error) {
	if s.schema != nil {
		v.schemas[name], v.servers[name] = s.schema, s.server
	}
	if s.down != nil {
		v.down[name] = s.down
	}
	if err != nil {
		v.down[name] = downRefusal(err)
		return
	}
	v.holds[name] = s.holds
}

func (e *Engine) bindVaults() map[string]bind.Vault {
	out := map[string]bind.Vault{}
	for n, v := range e.Vaults {
		out[n] = bind.Vault{Source: v.Source, Schema: v.Schema, Prefix: v.Prefix, Sealed: v.Sealed, Refused: v.refused()}
	}
	return out
}

// known finds the names of each database among the sources that answered.
func (v *view) known() {
	by := map[string][]string{}
	for n, srv := range v.servers {
		by[srv.Identity] = append(by[srv.Identity], n)
	}
	v.names = map[string][]string{}
	for id, names := range by {
		sort.Strings(names)
		for _, n := range names {
			if v.names[n] = names; id == "" {
				v.names[n] = []string{n}
			}
		}
	}
}

// apart takes down the sources that are one place with several gates, as one bucket
// under two spellings of its endpoint is: holds and minimums of the one would not
// protect what the other acts on (L3, L4).
func (v *view) apart() {
	for n, srv := range v.servers {
		for other, o := range v.servers {
			if srv.Bound == "" || srv.Bound != o.Bound || srv.Identity == o.Identity {
				continue
			}
			if r := v.down[n]; r == nil {
				v.down[n] = refuse(retention.RefuseStateMismatch, "source %q is the place of source %q, by another name of it, and with a gate of its own: holds and minimums of the one would not protect the other's: write the place alike in both", n, other)
			}
		}
	}
}

// namesOf lists the configured names of one database, in order: what one name's
// policies say of a table holds under the other name too.
func (v *view) namesOf(name string) []string {
	if names := v.names[name]; names != nil {
		return names
	}
	return []string{name} // down
}

func (e *Engine) lookAt(ctx context.Context, srv retention.Server, name string, names []string, all []*retention.Policy, vaults map[string]bind.Vault) (out seen, err error) {
	src, err := e.source(ctx, name)
	if err != nil {
		return out, err
	}
	if err := e.declare(src, names, all); err != nil {
		return out, fmt.Errorf("source %q: %w", name, err)
	}
	schema, err := src.Describe(ctx, bind.Tables(all, vaults, names...))
	if err != nil {
		return out, fmt.Errorf("source %q: %w", name, err)
	}
	srv, _, known := e.knowsNow(ctx, name, src, srv)
	out.schema, out.server = schema, srv
	if known != nil {
		out.down = downRefusal(known)
	}
	if out.holds, err = e.Store.HoldSet(ctx, retention.SourceRecord{Name: name, UUID: srv.Gate.SourceUUID}); err != nil {
		return out, refuse(retention.RefuseHoldUnreadable, "holds cannot be read, so nothing acts: %v", err)
	}
	return out, nil
}

// Knows refuses a source that knows another state store, or a newer one, and a
// source that this store knows otherwise (L3).
func (e *Engine) Knows(ctx context.Context, name string, g retention.Gate) error {
	if err := e.knowsStore(name, g); err != nil {
		return err
	}
	return e.Store.Knows(ctx, name, g)
}

func (e *Engine) knowsStore(name string, g retention.Gate) error {
	if g.Installed && g.StoreUUID != e.Store.UUID() {
		return refuse(retention.RefuseStateMismatch,
			"source %q knows another state store (%s): a lost volume, a second installation or a restored source; "+
				"if this store is the right one, a person adopts it: retentiond check --adopt --by NAME --reason TEXT", name, g.StoreUUID)
	}
	return nil
}

func downRefusal(err error) *retention.Refusal {
	if r := refusalOf(err); r != nil {
		return r
	}
	return refuse(retention.RefuseSourceDown, "%v", err)
}

// selection returns the step's holds, extended to the vault's copies it acts on.
func (v *view) holdsFor(s *bind.Step) *retention.HoldSet {
	return withAliases(atHome(v.holds[s.Source], s), s.Aliases)
}

// atHome adds, for copies in another source than their rows were, the dataset holds
// there. They are told apart by the names of datasets and tables alone: one too many
// keeps a copy.
func atHome(h *retention.HoldSet, b *bind.Step) *retention.HoldSet {
	if h == nil || b.Home == "" || len(h.Named) == 0 {
		return h
	}
	out := *h
	out.Scoped = slices.Clone(h.Scoped)
	for _, s := range h.Named {
		if s.Dataset == b.Policy.Name+"/"+b.Dataset.Name {
			s.Table = b.Selection.Table.Name
			out.Scoped = append(out.Scoped, s)
		} else if to, ok := b.Aliases[s.Table]; ok {
			s.Table = to
			out.Scoped = append(out.Scoped, s)
		}
	}
	return &out
}

// drivers are those of the sources, by name.
func (e *Engine) drivers() map[string]string {
	out := map[string]string{}
	for n, ref := range e.Sources {
		out[n] = ref.Driver
	}
	return out
}

// withAliases makes dataset holds on live tables cover the vault's copies too.
func withAliases(h *retention.HoldSet, aliases map[retention.TableName]retention.TableName) *retention.HoldSet {
	if h == nil || len(aliases) == 0 || len(h.Scoped) == 0 {
		return h
	}
	out := *h
	out.Scoped = append([]retention.ScopedHold{}, h.Scoped...)
	for _, s := range h.Scoped {
		if to, ok := aliases[s.Table]; ok {
			s.Table = to
			out.Scoped = append(out.Scoped, s)
		}
	}
	return &out
}
