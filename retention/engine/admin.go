package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// Check compares the policies with the live schemas and the sources with what
// acting needs. It writes nothing.
func (e *Engine) Check(ctx context.Context) ([]Finding, error) {
	out := []Finding{}
	for _, f := range e.Failed {
		out = append(out, Finding{Level: LevelError, Policy: f.Policy, Code: string(retention.RefusePolicyError), Message: f.Message})
	}
	now := e.now()
	v, err := e.look(ctx, now)
	if err != nil {
		return out, err
	}
	for _, name := range e.usedSources() {
		out = append(out, e.checkSource(v, name)...)
		if v.schemas[name] != nil {
			out = append(out, e.advise(ctx, v, name)...)
		}
	}
	for _, p := range v.bound.Problems {
		level := []Level{LevelError, LevelWarning, LevelInfo}[p.Level]
		code := string(p.Code)
		if code == "" {
			code = p.Name
		}
		out = append(out, Finding{Level: level, Policy: p.Policy, Rule: p.Rule, Dataset: p.Dataset, Source: p.Source, Code: code, Message: p.Message, Hint: e.indexSQL(ctx, p)})
	}
	gone, err := e.checkTakenOut(ctx)
	if err != nil {
		return out, err
	}
	return append(append(out, gone...), e.checkSteps(ctx, v)...), nil
}

func (e *Engine) checkSource(v *view, name string) []Finding {
	if down := v.down[name]; down != nil {
		return []Finding{{Level: LevelError, Source: name, Code: string(down.Code), Message: down.Message}}
	}
	if !v.servers[name].Gate.Installed {
		return []Finding{{Level: LevelInfo, Source: name, Code: "not_installed",
			Message: fmt.Sprintf("source %q has no gate and receipt tables yet", name),
			Hint:    "retentiond check --install creates them, or the first run that acts"}}
	}
	return nil
}

// checkSteps asks each source for one due row: what the database itself would
// refuse shows here, and not at night.
func (e *Engine) checkSteps(ctx context.Context, v *view) []Finding {
	var out []Finding
	for i := range v.bound.Steps {
		b := &v.bound.Steps[i]
		if v.down[b.Source] != nil {
			continue
		}
		if r := v.uncovered(b, v.holdsFor(b)); r != nil {
			out = append(out, Finding{Level: LevelError, Policy: b.Policy.Name, Rule: b.Rule.ID, Dataset: b.Dataset.Name, Source: b.Source,
				Code: string(r.Code), Message: r.Message})
			continue
		}
		src, err := e.source(ctx, b.Source)
		if err == nil && b.Act.Sealed {
			err = e.checkVault(ctx, b.Vault)
		}
		if err == nil && b.Sealed {
			err = e.vaultFits(ctx, b.Vault)
		}
		if err == nil && !b.Sealed {
			_, err = src.Page(ctx, b.Selection, v.holdsFor(b), retention.Cursor{}, 1)
		}
		var parts []retention.Partition
		if err == nil && b.Act.Whole {
			if parts, err = src.Partitions(ctx, b.Selection, v.holdsFor(b)); err == nil {
				out = append(out, partitionsFinding(b, parts))
			}
		}
		if err != nil {
			f := Finding{Level: LevelError, Policy: b.Policy.Name, Rule: b.Rule.ID, Dataset: b.Dataset.Name, Source: b.Source,
				Code: string(retention.RefusePolicyError), Message: err.Error()}
			if r := refusalOf(err); r != nil {
				f.Code, f.Message = string(r.Code), r.Message
			}
			out = append(out, f)
		}
	}
	return out
}

// Install creates gate and receipt tables in every source that a policy uses,
// and registers the sources. Tenants are done side by side, and one that fails leaves
// the others alone: its status says so. Of other sources the first failure is
// returned, once all were tried.
func (e *Engine) Install(ctx context.Context) ([]SourceStatus, error) {
	var mu sync.Mutex
	var first error
	out := map[string]SourceStatus{}
	e.eachSource(e.usedSources(), func(name string) {
		st, err := e.install(ctx, name)
		locked(&mu, func() {
			if out[name] = st; err != nil && first == nil && retention.FleetOf(name) == "" {
				first = err
			}
		})
	})
	return e.statusOf(ctx, out), first
}

// install does one source, and says what it is then, while it is open.
func (e *Engine) install(ctx context.Context, name string) (SourceStatus, error) {
	st := SourceStatus{Name: name, Driver: e.driver(name)}
	src, err := e.source(ctx, name)
	var g retention.Gate
	if err == nil {
		g, err = e.gate(ctx, name, src)
	}
	if err == nil {
		if err = e.Store.RegisterSource(ctx, retention.SourceRecord{Name: name, UUID: g.SourceUUID}); err != nil {
			err = fmt.Errorf("registering source %q: %w", name, err)
		}
	}
	e.tells(ctx, &st)
	if err != nil && st.Error == "" {
		st.Error, st.Code = err.Error(), downRefusal(err).Code
	}
	return st, err
}

// gate installs the gate of a source that is the one the store knows, or a new one.
func (e *Engine) gate(ctx context.Context, name string, src retention.Source) (retention.Gate, error) {
	srv, err := src.Server(ctx)
	if err != nil {
		return srv.Gate, fmt.Errorf("source %q: %w", name, err)
	}
	if err := e.Knows(ctx, name, srv.Gate); err != nil {
		return srv.Gate, err
	}
	if err := e.elsewhere(ctx, name, srv); err != nil {
		return srv.Gate, err
	}
	g, err := src.Install(ctx, e.Store.UUID())
	if err != nil {
		return g, fmt.Errorf("installing in source %q: %w", name, err)
	}
	return g, e.knowsStore(name, g)
}

// InstallSQL is what Install would run, by source.
func (e *Engine) InstallSQL(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range e.usedSources() {
		src, err := e.source(ctx, name)
		if err != nil {
			return out, err
		}
		if _, err := src.Server(ctx); err != nil && retention.FleetOf(name) != "" { // a tenant is open once it was asked
			return out, fmt.Errorf("source %q: %w", name, err)
		}
		out[name] = src.InstallSQL()
	}
	return out, nil
}

// Adopt makes every source that knows another state store, or a newer one, know
// this one. The decision is a person's, and is audited before it takes effect.
func (e *Engine) Adopt(ctx context.Context, by, reason string) ([]SourceStatus, error) {
	for _, name := range e.usedSources() {
		src, err := e.source(ctx, name)
		if err != nil {
			return e.Status(ctx), err
		}
		srv, err := src.Server(ctx)
		if err != nil {
			return e.Status(ctx), fmt.Errorf("source %q: %w", name, err)
		}
		if !srv.Gate.Installed {
			if !e.registered(ctx, name) && e.elsewhere(ctx, name, srv) == nil {
				continue
			}
			if srv.Gate, err = src.Install(ctx, e.Store.UUID()); err != nil {
				return e.Status(ctx), fmt.Errorf("installing in source %q: %w", name, err)
			}
		}
		if err := e.adopt(ctx, name, src, srv.Gate, by, reason); err != nil {
			return e.Status(ctx), err
		}
	}
	if err := e.adoptVaults(ctx, by, reason); err != nil {
		return e.Status(ctx), err
	}
	return e.Status(ctx), nil
}

func (e *Engine) adopt(ctx context.Context, name string, src retention.Source, g retention.Gate, by, reason string) error {
	if err := e.Store.AdoptLog(ctx, by, reason); err != nil {
		return fmt.Errorf("no audit, no action: %w", err)
	}
	who, err := e.Store.Keyed(ctx, "by:"+by)
	if err == nil {
		_, err = e.Store.Record(ctx, audit.Event{Kind: audit.ConfigLoaded, Data: map[string]any{
			"what": "adopt", "source": name, "source_uuid": g.SourceUUID, "was": g.StoreUUID, "by": who}})
	}
	if err != nil {
		return fmt.Errorf("no audit, no action: %w", err)
	}
	if err := e.askAnew(ctx, name, g); err != nil {
		return err
	}
	if err := e.letGo(ctx, name, src, g); err != nil {
		return err
	}
	rec := retention.SourceRecord{Name: name, UUID: g.SourceUUID}
	if err := e.Store.RegisterSource(ctx, rec); err != nil {
		return fmt.Errorf("registering source %q: %w", name, err)
	}
	set, err := e.Store.HoldSet(ctx, rec)
	if err != nil {
		return fmt.Errorf("reading holds: %w", err)
	}
	cp, err := e.Store.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("signing the audit log: %w", err)
	}
	if err := src.Adopt(ctx, e.Store.UUID(), set.Version, cp.Total, cp.Root); err != nil {
		return fmt.Errorf("source %q: %w", name, err)
	}
	return e.Store.Witnessed(ctx, g.SourceUUID, cp.Total)
}

// letGo ends the intents that a store has open as it is adopted. Of one that has no
// receipt nobody knows whether it was done and pruned after this store was copied:
// nothing that its batch may have archived is taken for what came to nothing.
func (e *Engine) letGo(ctx context.Context, name string, src retention.Source, g retention.Gate) error {
	open, err := e.Store.OpenIntents(ctx)
	if err != nil {
		return fmt.Errorf("reading open intents: %w", err)
	}
	for _, in := range open {
		if in.Source != name || in.SourceUUID != g.SourceUUID {
			continue
		}
		r, err := src.Settle(retention.Adopting(ctx), in.ID, func(ctx context.Context) error { return e.Store.StillOpen(ctx, in.ID) })
		if errors.Is(err, retention.ErrDecided) {
			continue
		}
		if err != nil {
			return fmt.Errorf("settling intent %s: %w", in.ID, err)
		}
		if r.State == retention.ReceiptDone {
			_, err = e.settled(ctx, in, r)
		} else {
			out := retention.Outcome{Spared: retention.Spared{Failed: max(0, in.Planned)}, Unknown: true}
			if err = e.confirm(ctx, in.ID, false); err == nil {
				err = e.Store.Conclude(ctx, in.ID, out, true)
			}
		}
		if err != nil {
			return fmt.Errorf("ending intent %s: %w", in.ID, err)
		}
	}
	return nil
}

// askAnew makes every rule of a source that forgot what was done wait for an
// approval, those that say approve: never too: rows that had gone may be back, and
// perhaps on purpose (L12).
func (e *Engine) askAnew(ctx context.Context, source string, g retention.Gate) error {
	f, err := e.Store.Forgotten(ctx, source, g)
	if err != nil || f.Batches == 0 {
		return err
	}
	for _, p := range e.allPolicies() {
		for i := range p.Rules {
			r := &p.Rules[i]
			if d := p.Dataset(r.Dataset); d == nil || d.Source != source {
				continue
			}
			err := e.Store.ChangeSeen(ctx, 0, p.Name, retention.AtTenant(r.ID, source), func(seen *retention.RuleSeen, known bool) bool {
				seen.Approved, seen.Meaning, seen.Complete = false, meaningAdopted, false
				return known
			})
			if err != nil {
				return fmt.Errorf("withdrawing the approval of rule %q: %w", r.ID, err)
			}
		}
	}
	return nil
}

// meaningAdopted stands for the meaning of rules whose source went back in time:
// no rule means that, so that each waits for an approval.
const meaningAdopted = "adopted"

// registered reports whether the store ever acted on a source of that name.
func (e *Engine) registered(ctx context.Context, name string) bool {
	known, err := e.Store.RegisteredSources(ctx)
	return err == nil && slices.ContainsFunc(known, func(r retention.SourceRecord) bool { return r.Name == name })
}

// SetKillSwitch stops everything, or lets it go on: effective between batches,
// in every process.
func (e *Engine) SetKillSwitch(ctx context.Context, on bool, by, reason string) error {
	now, err := e.Store.Now(ctx)
	if err != nil {
		return fmt.Errorf("reading the store's clock: %w", err)
	}
	if err := e.Store.SetKillSwitch(ctx, retention.KillSwitch{On: on, By: by, Reason: reason, At: now}); err != nil {
		return fmt.Errorf("setting the kill switch: %w", err)
	}
	return e.sign(ctx)
}
