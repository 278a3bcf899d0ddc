package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/state"
	"github.com/retentiond/retentiond/retention/vault"
	"go.uber.org/zap"
)

// house is everything a command works with, wired and open.
type house struct {
	app      *app
	cfg      *configs.Config
	key      *audit.Key
	store    *state.Store
	engine   *engine.Engine
	pools    map[string]*engine.Pool // by fleet
	log      *zap.Logger
	failed   []policies.Failed
	progress *progress
	sealed   map[string]*vault.Vault // sealed vaults that can be used, by name
}

// close closes sources and state store. What was committed is durable already.
func (h *house) close() {
	h.progress.done()
	if err := errors.Join(h.engine.Close(), h.store.Close()); err != nil {
		h.log.Warn("closing", zap.Error(err))
	}
	_ = h.log.Sync() // stderr often cannot be synced
}

// policy returns the policy of that name, or nil.
func (h *house) policy(name string) *retention.Policy {
	for _, p := range h.engine.Policies {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// zone is the zone in which a policy's days are shown.
func (h *house) zone(policy string) *time.Location {
	if p := h.policy(policy); p != nil && p.Zone != nil {
		return p.Zone
	}
	return time.UTC
}

// title is how a policy is called in a heading.
func (h *house) title(policy string) string {
	if p := h.policy(policy); p != nil && p.Title != "" {
		return p.Title + " (" + policy + ")"
	}
	return policy
}

// knownSubject refuses a subject type that no dataset has: a typo would
// otherwise look like a person of whom nothing is kept.
func (h *house) knownSubject(id *retention.SubjectID) error {
	if id == nil {
		return nil
	}
	types := h.subjectTypes()
	if slices.Contains(types, id.Type) {
		return nil
	}
	if broken := h.broken(); broken != nil {
		return broken
	}
	return usage("types of subjects: "+strings.Join(types, ", "), "no dataset has subjects of type %q", id.Type)
}

// broken are the mistakes of policies that do not load, nil where all do: what they
// govern, and whom, is not known.
func (h *house) broken() error {
	var all policies.Problems
	for _, f := range h.failed {
		all = append(all, f.Problems...)
	}
	if len(all) == 0 {
		return nil
	}
	return problemFaults(all)
}

// subjectTypes are the types of the datasets' subjects, also of those policies
// that no longer load but go on protecting.
func (h *house) subjectTypes() []string {
	types := map[string]bool{}
	for _, p := range append(slices.Clone(h.engine.Policies), h.engine.Guards...) {
		for _, d := range p.Datasets {
			for _, s := range d.Subjects {
				types[s.Type] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(types))
}

// unknownTypes tells of subjects whose type no dataset has: where such subjects
// are allowed with a warning, else with a refusal.
func (h *house) unknownTypes(subjects []retention.SubjectID, allowed bool) error {
	known := h.subjectTypes()
	told := map[string]bool{}
	for _, s := range subjects {
		if told[s.Type] || slices.Contains(known, s.Type) {
			continue
		}
		told[s.Type] = true
		if broken := h.broken(); broken != nil && !allowed {
			return broken
		}
		text := fmt.Sprintf("no dataset has subject type %q today: nothing is covered; known types: %s", s.Type, strings.Join(known, ", "))
		if !allowed {
			return usage("write one of the known types, or add --allow-unmatched to hold data that may come later", "%s", text)
		}
		p := h.app.printerTo(h.app.Err)
		p.line("%s %s", p.paint(yellow, "warning:"), text)
	}
	return nil
}

func (h *house) sourceNames() []string { return slices.Sorted(maps.Keys(h.cfg.Sources)) }

// sourcesInWords names the sources for people: a fleet by its name and its size.
func (h *house) sourcesInWords() (out []string) {
	for _, name := range h.sourceNames() {
		if retention.FleetOf(name) == "" {
			out = append(out, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.cfg.Fleets)) {
		out = append(out, fmt.Sprintf("%s (%s)", name, plural(int64(len(h.cfg.Fleets[name].Tenants)), "database", "databases")))
	}
	return out
}

// tellFailed warns on stderr of the policies that do not load; the others go on.
func (h *house) tellFailed() {
	if h.app.json() {
		return // they are refusals of the plan
	}
	p := h.app.printerTo(h.app.Err)
	for _, f := range h.failed {
		p.failed(f.File, f.Problems)
	}
}

// guards are the last good texts of the policies that no longer load: their
// minimums go on protecting, their rules do not run. Where a file does not even
// tell its name, every policy that was in force and is not loaded is meant.
func (h *house) guards(ctx context.Context, now policies.Loaded) ([]*retention.Policy, error) {
	if len(now.Failed) == 0 {
		return nil, nil
	}
	loads := func(name string) bool {
		return slices.ContainsFunc(now.Policies, func(p *retention.Policy) bool { return p.Name == name })
	}
	kept, err := h.store.KeptPolicies(ctx)
	if err != nil {
		return nil, err
	}
	var out []*retention.Policy
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		if !guarded(name, now.Failed) || loads(name) {
			continue
		}
		if p, problems := policies.Decode(name, kept[name], policies.Env{}); len(problems) == 0 {
			out = append(out, p)
		}
	}
	return out, nil
}

func guarded(name string, failed []policies.Failed) bool {
	return slices.ContainsFunc(failed, func(f policies.Failed) bool { return f.Policy == "" || f.Policy == name })
}

// logLine says how far the audit log is, in a line; empty where it cannot be read.
func (h *house) logLine() string {
	kept, ok, err := h.key.KeptCheckpoint()
	if err != nil || !ok {
		return ""
	}
	return fmt.Sprintf("Audit log: %s signed at %s (root %s); check it with:  %s",
		kept.Log, plural(kept.Size, "entry", "entries"), kept.Root, h.app.retry("audit verify"))
}
