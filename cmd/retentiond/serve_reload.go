package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.uber.org/zap"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/schedule"
)

// reload reads the policies again, each as a whole. What cannot be read at all
// is missing: its policies go on protecting.
func (k *keeper) reload(ctx context.Context) {
	k.reloads.Lock()
	defer k.reloads.Unlock()
	cfg := k.readConfig()
	h := k.house
	loaded, print, unreadable, err := k.loadThere()
	if err == nil {
		err = k.take(ctx, cfg, loaded, unreadable)
	}
	if err == nil {
		k.print, k.failing, k.unread = print, "", unreadable
		return
	}
	k.print = "" // it is tried again at the next look
	if err.Error() != k.failing {
		k.failing = err.Error()
		h.log.Error("the policies could not be read again: nothing is begun until they are", zap.Error(err))
		k.observe(schedule.Event{Kind: schedule.Reloaded, Err: err})
	}
}

// take puts loaded policies, and the tenants of a configuration, in force.
func (k *keeper) take(ctx context.Context, cfg *configs.Config, loaded policies.Loaded, unreadable bool) error {
	h, old := k.house, k.current()
	next := *old
	moved := k.retenant(&next, cfg)
	next.Policies, next.Failed = loaded.Policies, failedPolicies(loaded)
	guards, err := h.guards(ctx, loaded)
	if err != nil {
		return fmt.Errorf("reading the policies last in force: %w", err)
	}
	next.Guards = withMemory(guards, old, loaded)
	k.guardAway(&next, old, unreadable)
	if err := k.keepPolicies(ctx, loaded.Policies); err != nil {
		return err
	}
	d := compare(old, &next)
	if d.tenants = moved.words; d.none() {
		k.away = k.next
		return nil
	}
	for _, f := range loaded.Failed {
		if !failedBefore(old, f) {
			k.refusedPolicy(ctx, f)
		}
	}
	k.install(&next)
	k.stopRuns(errReloaded)
	k.cfg = cfg
	moved.close(h.log)
	d.log(h.log)
	k.tellAway(d)
	k.observe(schedule.Event{Kind: schedule.Reloaded, Text: d.text(), Err: d.err(loaded)})
	k.daemon.Wake()
	return nil
}

// withMemory adds policies that were in force in this process and do not load now.
func withMemory(guards []*retention.Policy, old *engine.Engine, loaded policies.Loaded) []*retention.Policy {
	known := func(name string) bool {
		is := func(p *retention.Policy) bool { return p.Name == name }
		return slices.ContainsFunc(guards, is) || slices.ContainsFunc(loaded.Policies, is)
	}
	for _, p := range append(slices.Clone(old.Policies), old.Guards...) {
		if len(loaded.Failed) > 0 && guarded(p.Name, loaded.Failed) && !known(p.Name) {
			guards = append(guards, p)
		}
	}
	return guards
}

// keepPolicies keeps the texts in force, with policy.loaded entries for new ones.
func (k *keeper) keepPolicies(ctx context.Context, all []*retention.Policy) error {
	for _, p := range all {
		if err := k.house.store.KeepPolicy(ctx, p); err != nil {
			return fmt.Errorf("keeping policy %q: %w", p.Name, err)
		}
	}
	return nil
}

// refusedPolicy says that a policy does not load, in the log and in the audit log.
func (k *keeper) refusedPolicy(ctx context.Context, f policies.Failed) {
	err := errors.New(firstProblem(f))
	k.house.log.Error("a policy does not load: its rules act on nothing, and its last good text goes on protecting",
		zap.String("file", f.File), zap.String("policy", f.Policy), zap.Error(err))
	_, logged := k.house.store.Record(ctx, audit.Event{Kind: audit.PolicyRefused, Policy: f.Policy, Data: map[string]any{"problems": len(f.Problems)}})
	if logged != nil {
		k.house.log.Warn("that could not be audited", zap.Error(logged))
	}
}

func failedBefore(e *engine.Engine, f policies.Failed) bool {
	return slices.Contains(e.Failed, engine.FailedPolicy{File: f.File, Policy: f.Policy, Message: firstProblem(f)})
}

// readConfig is the configuration that was read at the start, with the tenants that
// its fleets have now. It says once that any other change needs a restart.
func (k *keeper) readConfig() *configs.Config {
	h, cfg := k.house, k.cfg
	now, err := configs.Load(h.cfg.File, h.app.lookupenv)
	say := ""
	switch {
	case err != nil:
		say = "the configuration no longer loads: the one in force stays, and a restart would fail"
	default:
		if cfg = h.cfg.WithTenants(now); reflect.DeepEqual(now, cfg) {
			break
		}
		say = "the configuration changed: it is in force after a restart; policies need none"
	}
	if say != "" && say != k.told {
		h.log.Warn(say, zap.String("file", h.cfg.File), zap.Error(err))
	}
	k.told = say
	return cfg
}
