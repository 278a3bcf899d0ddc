package engine

import (
	"context"
	"fmt"
	"sort"
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
	down    map[string]*retention.Refusal // sources on which nothing may act, and why
	holds   map[string]*retention.HoldSet // by source name
}

// look describes every used source and binds the policies to it.
func (e *Engine) look(ctx context.Context, asOf time.Time) (*view, error) {
	v := &view{
		asOf: asOf, schemas: map[string]*retention.Schema{}, servers: map[string]retention.Server{},
		down: map[string]*retention.Refusal{}, holds: map[string]*retention.HoldSet{},
	}
	vaults := e.bindVaults()
	ids := map[string]string{}
	for _, name := range e.usedSources() {
		if err := e.ask(ctx, v, name); err != nil {
			v.down[name] = downRefusal(err)
			continue
		}
		ids[name] = v.servers[name].Identity
	}
	for name := range ids {
		if err := e.lookAt(ctx, v, name, bind.Tables(e.allPolicies(), vaults, v.namesOf(name)...)); err != nil {
			v.down[name] = downRefusal(err)
			delete(ids, name)
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	v.bound = bind.Bind(bind.Input{
		Policies: e.Policies, Guards: e.Guards, Schemas: v.schemas, UUIDs: ids, Vaults: vaults, AsOf: asOf,
	})
	return v, nil
}

func (e *Engine) bindVaults() map[string]bind.Vault {
	out := map[string]bind.Vault{}
	for n, v := range e.Vaults {
		out[n] = bind.Vault{Source: v.Source, Schema: v.Schema, Prefix: v.Prefix, Sealed: v.Sealed}
	}
	return out
}

// namesOf lists the configured names of one database, in order: what one name's
// policies say of a table holds under the other name too.
func (v *view) namesOf(name string) []string {
	out := []string{}
	if v.servers[name].Identity == "" { // down
		return append(out, name)
	}
	for n, srv := range v.servers {
		if srv.Identity == v.servers[name].Identity {
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out
}

// ask makes the acquaintance of a source.
func (e *Engine) ask(ctx context.Context, v *view, name string) error {
	src, err := e.source(ctx, name)
	if err != nil {
		return err
	}
	srv, err := src.Server(ctx)
	if err != nil {
		return fmt.Errorf("source %q: %w", name, err)
	}
	v.servers[name] = srv
	return nil
}

func (e *Engine) lookAt(ctx context.Context, v *view, name string, tables []retention.TableName) error {
	src, err := e.source(ctx, name)
	if err != nil {
		return err
	}
	srv := v.servers[name]
	schema, err := src.Describe(ctx, tables)
	if err != nil {
		return fmt.Errorf("source %q: %w", name, err)
	}
	v.schemas[name] = schema
	srv, _, known := e.knowsNow(ctx, name, src, srv)
	v.servers[name] = srv
	if known != nil {
		v.down[name] = downRefusal(known)
	}
	set, err := e.Store.HoldSet(ctx, retention.SourceRecord{Name: name, UUID: srv.Gate.SourceUUID})
	if err != nil {
		return refuse(retention.RefuseHoldUnreadable, "holds cannot be read, so nothing acts: %v", err)
	}
	v.holds[name] = e.follow(v, name, set)
	return nil
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
	return withAliases(v.holds[s.Source], s.Aliases)
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
