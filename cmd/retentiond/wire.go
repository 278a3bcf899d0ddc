package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"time"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/connectors"
	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/calendar"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/state"
	"go.uber.org/zap"
)

// noConfigError: there is no configuration file to read.
type noConfigError struct{ *fault }

// Unwrap gives the fault behind it.
func (e *noConfigError) Unwrap() error { return e.fault }

// loadConfig finds and reads the configuration.
func (a *app) loadConfig() (*configs.Config, error) {
	path := a.config
	if path == "" {
		found, err := configs.Find()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &noConfigError{usage("write one with `retentiond init`, or name one with --config; `retentiond demo` needs none", "no configuration at ./retentiond.yaml or /etc/retentiond/retentiond.yaml")}
		}
		if err != nil {
			return nil, usage("", "%v", err)
		}
		path = found
	}
	cfg, err := configs.Load(path, a.lookupenv)
	return cfg, configFault(path, err)
}

// configFault makes mistakes of the configuration usage faults with places.
func configFault(path string, err error) error {
	var several *configs.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return usage("write one with `retentiond init --dir DIR`", "configuration %s does not exist", path)
	case !errors.As(err, &several):
		return usage("", "%v", err)
	}
	var fs faults
	for _, p := range several.Problems {
		f := usage(p.Hint, "%s", joined(": ", several.At(p), p.Key, p.Message))
		f.Code, f.At = "config", several.At(p)
		fs = append(fs, f)
	}
	return fs
}

// envOf is what the configuration knows that policies may name.
func envOf(cfg *configs.Config) policies.Env {
	env := policies.Env{Sources: map[string]policies.SourceKind{}, Vaults: []string{}}
	for name, s := range cfg.Sources {
		env.Sources[name] = policies.SourceSQL
		if !s.IsSQL() {
			env.Sources[name] = policies.SourceFiles
		}
	}
	for name := range cfg.Fleets {
		env.Sources[name] = policies.SourceSQL
	}
	for name := range cfg.Vaults {
		env.Vaults = append(env.Vaults, name)
	}
	return env
}

// open wires everything: configuration → policies → state store → sources →
// engine. What it opened is closed by [house.close].
func (a *app) open(ctx context.Context) (*house, error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	loaded, err := loadFiles(cfg.Policies, envOf(cfg))
	if err != nil {
		return nil, err
	}
	key, err := auditKey(ctx, cfg)
	if err != nil {
		return nil, err
	}
	key = key.KeptAt(cfg.Audit.CheckpointFile)
	lease, err := a.leaseTime()
	if err != nil {
		return nil, err
	}
	store, err := state.Open(ctx, state.Options{DSN: cfg.State.Reveal(), Key: key, Clock: a.now, Lease: lease})
	if err != nil {
		return nil, &storeError{err, cfg.Log}
	}
	h := &house{app: a, cfg: cfg, key: key, store: store, pools: poolsOf(cfg), failed: loaded.Failed, progress: a.newProgress()}
	if h.engine, err = a.newEngine(ctx, h, loaded); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return h, nil
}

// auditKey reads the audit key. A new one is made at first use only: where the
// state store is bound to a key that is gone, another could sign what nobody can
// compare with the log.
func auditKey(ctx context.Context, cfg *configs.Config) (*audit.Key, error) {
	path, origin := cfg.Audit.KeyFile, cfg.Audit.Origin
	key, err := audit.LoadKey(path, origin)
	if had, text := keyOrigin(path); err != nil && text && had != origin {
		return nil, originFault(ctx, cfg, had)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	bound, err := state.KeyOf(ctx, cfg.State.Reveal())
	if err != nil {
		return nil, &storeError{err, cfg.Log}
	}
	if bound == "" {
		return audit.LoadOrCreateKey(path, origin)
	}
	// Another process may have made both meanwhile: the key comes first.
	if key, err = audit.LoadKey(path, origin); !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	return nil, fmt.Errorf("%w: state store %s: its audit log is signed with the key %s, and the key file %s is missing; put the right key file back (audit.key_file), no other is made",
		audit.ErrKey, redactedState(cfg), bound, path)
}

func (a *app) newEngine(ctx context.Context, h *house, loaded policies.Loaded) (*engine.Engine, error) {
	grace, err := a.grace(h.cfg.Holds.Grace)
	if err != nil {
		return nil, err
	}
	log, err := a.newLog(h.cfg.Log)
	if err != nil {
		return nil, err
	}
	h.log = log
	for name, option := range h.cfg.Misspelt(a.Env) {
		log.Warn("a variable is no option, and does nothing", zap.String("variable", name), zap.String("did_you_mean", option))
	}
	if text := h.key.Open(); text != "" {
		log.Warn(text)
	}
	reached, err := a.reached()
	if err != nil {
		return nil, err
	}
	e := &engine.Engine{
		Store: h.store, Sources: sources(h.cfg, h.pools), Fleets: fleets(h.cfg), Vaults: h.vaults(), Policies: loaded.Policies,
		FourEyes: h.cfg.Approvals.FourEyes, User: a.user(),
		Grace: grace, Now: a.now, Log: log, Owner: a.owner(), Progress: h.progress.show, Reached: reached,
		Told: &engine.HoldsTold{},
	}
	if e.Keep, err = keep(h.cfg.Keep); err != nil {
		return nil, err
	}
	e.Failed = failedPolicies(loaded)
	h.engine = e
	if e.Guards, err = h.guards(ctx, loaded); err != nil {
		return nil, &storeError{err, h.cfg.Log}
	}
	return e, nil
}

func failedPolicies(loaded policies.Loaded) (out []engine.FailedPolicy) {
	for _, f := range loaded.Failed {
		out = append(out, engine.FailedPolicy{File: f.File, Policy: f.Policy, Message: firstProblem(f)})
	}
	return out
}

func firstProblem(f policies.Failed) string {
	if len(f.Problems) == 0 {
		return "the policy does not load"
	}
	msg := "the policy does not load: " + f.Problems[0].Error()
	if n := len(f.Problems) - 1; n > 0 {
		msg += fmt.Sprintf(" (and %d more)", n)
	}
	return msg
}

// grace is the configured period as a duration from now, never shorter than
// the calendar has it.
func (a *app) grace(s string) (time.Duration, error) {
	p, err := calendar.ParsePeriod(s)
	if err != nil {
		return 0, usage("such as 30 days", "holds.grace: %v", err)
	}
	now := a.now()
	_, until := calendar.Due(now, p, time.UTC, calendar.Round{})
	return until.Sub(now), nil
}

// keep reads the retention of our own records.
func keep(c configs.Keep) (out engine.Keep, err error) {
	for _, k := range []struct {
		name, text string
		into       *calendar.Period
	}{{"audit", c.Audit, &out.Audit}, {"plans", c.Plans, &out.Plans}, {"holds", c.Holds, &out.Holds}} {
		if *k.into, err = calendar.ParsePeriod(k.text); err != nil {
			return out, usage("such as 6 years", "keep.%s: %v", k.name, err)
		}
	}
	return out, nil
}

// owner names this process, as the holder of a lease.
func (a *app) owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%d", host, os.Getpid(), a.now().UnixNano())
}

// user names who plans and runs where no name is given: the daemon, or the user of
// this machine.
func (a *app) user() string {
	if a.daemon {
		return "retentiond serve"
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

func sources(cfg *configs.Config, pools map[string]*engine.Pool) map[string]*engine.SourceRef {
	refs := map[string]*engine.SourceRef{}
	for name, s := range cfg.Sources {
		refs[name] = sourceRef(name, s, pools[s.Fleet])
	}
	return refs
}

// sourceRef is a configured source, of a fleet's pool where it is a tenant.
func sourceRef(name string, s configs.Source, pool *engine.Pool) *engine.SourceRef {
	open := func(ctx context.Context) (retention.Source, error) {
		return connectors.Default().Open(ctx, s.Driver, connectors.Options{DSN: s.DSN.Reveal(), ReadDSN: s.DSNRead.Reveal(), LockTimeout: s.Throttle.LockTimeout, Root: s.Root, Gates: s.Gate, Bucket: bucketOf(s.S3)})
	}
	if pool != nil {
		open = pool.Open(name, open, configs.Hider(s.DSN))
	}
	return &engine.SourceRef{Name: name, Driver: s.Driver, Backups: s.Backups,
		Fair: connectors.Fair(s.Driver), Parallel: s.Parallel, Runs: s.Runs, Throttle: throttle(s), Application: s.ApplicationRole, Open: open}
}

// poolsOf are the pools of the fleets.
func poolsOf(cfg *configs.Config) map[string]*engine.Pool {
	pools := map[string]*engine.Pool{}
	for name, f := range cfg.Fleets {
		pools[name] = engine.NewPool(f.AtOnce)
	}
	return pools
}

func fleets(cfg *configs.Config) map[string]engine.Fleet {
	out := map[string]engine.Fleet{}
	for name, f := range cfg.Fleets {
		out[name] = engine.Fleet{Tenants: f.Tenants, AtOnce: f.AtOnce}
	}
	return out
}

// defaultRate is how many rows a second batches do at most on a database server,
// where nothing else is asked for. A file has no other clients to spare at once:
// its batches rest instead.
const defaultRate = 50_000

// throttle is the source's, with the default rate; its forms were checked when the
// configuration was read.
func throttle(s configs.Source) engine.Throttle {
	t := s.Throttle
	out := engine.Throttle{Rate: t.RowsPerSecond(), Lag: t.ReplicaLag, Running: t.Running, Backlog: t.Backlog, Vacuum: t.Vacuum, Flag: t.FlagFile}
	if t.Rate == "" && connectors.Fair(s.Driver) {
		out.Rate = defaultRate
	}
	if w, err := engine.ParseWindow(t.Window); err == nil {
		out.Window = w
	}
	return out
}
