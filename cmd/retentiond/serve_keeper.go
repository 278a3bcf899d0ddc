package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/schedule"
)

// keeper gives the daemon the engine of the policies in force. It is the daemon's
// [schedule.Runner].
type keeper struct {
	house   *house
	daemon  *schedule.Daemon
	observe schedule.Observer
	service *service

	mu      sync.Mutex
	engine  *engine.Engine
	sets    []schedule.RuleSet
	waiting []retention.RuleSetID
	stops   map[*context.CancelCauseFunc]bool // runs at work

	reloads sync.Mutex           // one at a time; of all that follows
	cfg     *configs.Config      // with the tenants that are in force
	told    string               // what was last said of the configuration
	print   string               // of the policy files as they are in force; empty: not known
	away    map[string]time.Time // policies that are in no file now, since when
	next    map[string]time.Time // the same, of what is about to be in force
	unread  bool                 // some path could not be read at all
	failing string               // what was last said of files that could not be read again
}

// errReloaded ends the runs at work when policies changed: they go on under the new
// ones.
var errReloaded = errors.New("the policies changed")

func newKeeper(ctx context.Context, h *house, told schedule.Observer) (*keeper, error) {
	catchUp, err := schedule.ParseCatchUp(h.cfg.Schedule.CatchUp)
	if err != nil {
		return nil, usage("one of: skip, one, all", "schedule.catch_up: %v", err)
	}
	k := &keeper{house: h, cfg: h.cfg, service: &service{log: h.log, now: h.app.now}, stops: map[*context.CancelCauseFunc]bool{}}
	k.observe = schedule.Observers(k.service.observe, told)
	waits := &waitTeller{tell: k.observe}
	h.engine.Progress = waits.progress
	k.daemon = &schedule.Daemon{
		Store: h.store, Runner: k, CatchUp: catchUp, Jitter: h.cfg.Schedule.Jitter, Owner: h.engine.Owner,
		Observe: k.observe, Log: h.log, Alive: k.service.alive,
	}
	k.install(h.engine)
	for _, f := range h.failed {
		k.refusedPolicy(ctx, f)
	}
	if err := k.keepPolicies(ctx, h.engine.Policies); err != nil {
		return nil, &storeError{err, h.cfg.Log}
	}
	return k, nil
}

// install makes an engine the one of later runs.
func (k *keeper) install(e *engine.Engine) {
	sets, bad := schedule.RuleSets(e.Policies)
	var waiting []retention.RuleSetID
	guards, _ := schedule.RuleSets(e.Guards)
	for _, s := range guards {
		waiting = append(waiting, s.RuleSetID)
	}
	k.mu.Lock()
	k.engine, k.sets, k.waiting = e, sets, waiting
	k.mu.Unlock()
	for id, err := range bad {
		k.house.log.Error("a schedule cannot be read: its rules stand still", zap.String("policy", id.Policy), zap.Error(err))
		k.observe(schedule.Event{Kind: schedule.BadSchedule, Slot: retention.SlotID{Policy: id.Policy, Set: id.Set}, Err: err})
	}
}

// tellReady says what the daemon will do.
func (k *keeper) tellReady(ctx context.Context) {
	sets, waiting := k.Sets()
	rules := 0
	for _, s := range sets {
		rules += len(s.Rules)
	}
	k.house.log.Info("serving", zap.String("version", readVersion().Version), zap.String("config", k.house.cfg.File), zap.String("state", redactedState(k.house.cfg)),
		zap.Int("policies", len(k.current().Policies)), zap.Int("schedules", len(sets)), zap.Int("scheduled_rules", rules), zap.Int("schedules_standing_still", len(waiting)))
	if len(sets) == 0 {
		k.house.log.Warn(`no rule has a schedule: nothing runs by itself; write one in a policy, such as schedule: "30 2 * * *"`)
	}
	for _, s := range sets {
		k.house.log.Info("rules run at their schedule", zap.String("policy", s.Policy), zap.String("schedule", s.Set), zap.Strings("rules", s.Rules),
			zap.Time("next", s.Schedule.Next(k.house.app.now())))
	}
	plans, err := k.house.store.WaitingPlans(ctx)
	if err != nil {
		k.house.log.Warn("whether plans wait for an approval could not be asked", zap.Error(err))
	}
	for _, p := range plans {
		k.house.log.Warn("a plan waits for approval: retentiond approve PLAN --by NAME --reason TEXT", zap.String("plan", p.Plan.ID),
			zap.Strings("policies", policiesOf(&p.Plan)), zap.Time("made", p.Plan.MadeAt))
	}
}

// Sets are the rule sets in force, and those of policies that do not load.
func (k *keeper) Sets() ([]schedule.RuleSet, []retention.RuleSetID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sets, k.waiting
}

// Opens is when the windows of the set's sources let some rule act.
func (k *keeper) Opens(s schedule.RuleSet, now time.Time) time.Time {
	return k.current().Opens(s.Policy, s.Rules, now)
}

func (k *keeper) current() *engine.Engine {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.engine
}

// Run runs the rules that share the slot's schedule now: policies may have changed
// since it was claimed.
func (k *keeper) Run(ctx context.Context, j schedule.Job) (retention.RunReport, error) {
	if !k.look(ctx) {
		return retention.RunReport{Interrupted: true}, nil
	}
	e, ctx, done := k.begin(ctx)
	defer done()
	sets, _ := schedule.RuleSets(e.Policies)
	at := slices.IndexFunc(sets, func(s schedule.RuleSet) bool { return s.RuleSetID == j.Slot.RuleSet() })
	if at < 0 {
		return retention.RunReport{Interrupted: true}, nil
	}
	return e.Run(ctx, engine.RunRequest{Policy: j.Slot.Policy, Rules: sets[at].Rules, Unattended: true,
		Slot: &retention.SlotRun{SlotID: j.Slot.SlotID, Attempt: j.Slot.Attempt}})
}

// RunPlan runs an approved plan.
func (k *keeper) RunPlan(ctx context.Context, plan string) (retention.RunReport, error) {
	if !k.look(ctx) {
		return retention.RunReport{Interrupted: true}, nil
	}
	e, ctx, done := k.begin(ctx)
	defer done()
	return e.Run(ctx, engine.RunRequest{Plan: plan, Unattended: true})
}

// Settle ends what a crash left open.
func (k *keeper) Settle(ctx context.Context) error { return k.current().Settle(ctx) }

// begin gives a run its engine, and a context that ends when policies change.
func (k *keeper) begin(ctx context.Context) (*engine.Engine, context.Context, func()) {
	ctx, stop := context.WithCancelCause(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stops[&stop] = true
	return k.engine, ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.stops, &stop)
		stop(nil)
	}
}

// stopRuns ends the runs at work between batches; their slots stay open.
func (k *keeper) stopRuns(why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for stop := range k.stops {
		(*stop)(why)
	}
}

// waitTeller tells of batches that wait, once each time.
type waitTeller struct {
	mu   sync.Mutex
	last map[string]string
	tell schedule.Observer
}

func (w *waitTeller) progress(p engine.Progress) {
	if p.Phase != "run" {
		return
	}
	w.mu.Lock()
	key := p.Policy + "/" + p.Rule
	changed := w.last[key] != p.Waits
	if w.last == nil {
		w.last = map[string]string{}
	}
	w.last[key] = p.Waits
	w.mu.Unlock()
	if changed {
		w.tell(schedule.Event{Kind: schedule.RunWaits, Slot: retention.SlotID{Policy: p.Policy}, Rules: []string{p.Rule}, Text: p.Waits})
	}
}
