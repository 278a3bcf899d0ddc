package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/console"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/notify"
	"github.com/retentiond/retentiond/retention/schedule"
)

// front is what the daemon shows and tells: health, metrics, notifications. It is
// there before the state store answers, so that somebody can see that it does not.
type front struct {
	metrics *console.Metrics
	look    *console.Looker
	server  *console.Server
	center  *notify.Center
	store   lateStore
	keeper  atomic.Pointer[keeper]
	stopped atomic.Bool
	down    atomic.Bool // the state store does not answer
	work    sync.WaitGroup
	end     context.CancelFunc
}

// lookEvery is how often the state store is looked at for metrics and notices.
const lookEvery = 15 * time.Second

// newFront makes it; nothing is asked or told yet.
func newFront(a *app, cfg *configs.Config) (*front, error) {
	log, err := a.newLog(cfg.Log)
	if err != nil {
		return nil, err
	}
	v := readVersion()
	f := &front{metrics: console.NewMetrics(console.Build{Version: v.Version, Revision: v.Revision, Go: v.Go}, a.now)}
	channels, err := channelsOf(cfg, a.now)
	if err != nil {
		return nil, err
	}
	f.center = &notify.Center{Marks: &f.store, Channels: channels, Now: a.now, Log: log, Counted: f.metrics.Notified}
	f.look = &console.Looker{Store: &f.store, Sources: f.sources, Policies: f.policies, Now: a.now, Every: lookEvery, Told: f.center.Facts}
	f.metrics.Known(f.look)
	if cfg.HTTP.Listen != "" {
		f.server = &console.Server{Listen: cfg.HTTP.Listen, Metrics: f.metrics, Look: f.look, Alive: f.alive, Stopped: f.stopped.Load, Down: f.down.Load, Log: log, Instance: instanceOf(cfg),
			Bound: func(at string) { log.Info("health and metrics", zap.String("listen", at)) }}
	}
	return f, nil
}

// channelsOf are where notices go.
func channelsOf(cfg *configs.Config, now func() time.Time) ([]notify.Channel, error) {
	var out []notify.Channel
	if w := cfg.Notify.Webhook; w.URL != "" {
		c, err := notify.NewWebhook(w.URL.Reveal(), w.Secret.Reveal(), cfg.Audit.Origin, now)
		if err != nil {
			return nil, usage("", "%v", err)
		}
		out = append(out, c)
	}
	if m := cfg.Notify.Mail; m.Server != "" {
		c, err := notify.NewMail(notify.Mail{Server: m.Server, From: m.From, To: m.To, User: m.User, Password: m.Password.Reveal(),
			Origin: cfg.Audit.Origin, Now: now})
		if err != nil {
			return nil, usage("", "%v", err)
		}
		out = append(out, c)
	}
	return out, nil
}

// start shows and tells until stop: the daemon's stop request does not end it,
// since the drain is told of too.
func (f *front) start(ctx context.Context) {
	ctx, f.end = context.WithCancel(context.WithoutCancel(ctx))
	f.work.Go(func() { f.center.Run(ctx) })
	f.work.Go(func() { f.look.Run(ctx) })
	if f.server != nil {
		f.work.Go(func() { f.server.Serve(ctx) })
	}
}

// stop tells what is still to be told, for a few seconds at most.
func (f *front) stop() {
	f.end()
	f.work.Wait()
}

// take gives the front the daemon that is at work now.
func (f *front) take(ctx context.Context, k *keeper) {
	k.service.alive()
	f.store.open(k.house.store)
	f.keeper.Store(k)
	f.observe(schedule.Event{Kind: schedule.StoreUp})
	f.work.Go(func() { f.look.Look(ctx) }) // what was looked at before had no store
}

// measure is what engines tell.
func (f *front) measure() engine.Measure {
	return engine.Measure{Batch: f.metrics.Batch, Waited: func(policy, rule, source string, why retention.WaitReason, d time.Duration) {
		f.metrics.Waited(policy, rule, source, string(why), d)
	}}
}

// observe is told what the daemon does.
func (f *front) observe(e schedule.Event) {
	switch e.Kind {
	case schedule.Stopped:
		f.stopped.Store(true)
	case schedule.Resumed:
		f.stopped.Store(false)
	case schedule.StoreDown:
		f.down.Store(true)
	case schedule.StoreUp:
		f.down.Store(false)
	}
	f.metrics.Observe(e)
	f.center.Observe(e)
}

// alive reports whether the daemon's loop turns; before it begins, the wait for the
// state store is life enough.
func (f *front) alive() bool {
	k := f.keeper.Load()
	return k == nil || k.service.turns()
}

func (f *front) sources(ctx context.Context) []console.SourceState {
	k := f.keeper.Load()
	if k == nil {
		return nil
	}
	var out []console.SourceState
	for _, s := range k.current().Status(ctx) {
		x := console.SourceState{Name: s.Name, Code: string(s.Code)}
		if s.Forgotten != nil {
			x.Forgotten = s.Forgotten.Rows
		}
		out = append(out, x)
	}
	return out
}

func (f *front) policies() console.PolicyState {
	k := f.keeper.Load()
	if k == nil {
		return console.PolicyState{}
	}
	e := k.current()
	return console.PolicyState{Loaded: len(e.Policies), Failed: len(e.Failed)}
}

// errNotOpen: the state store has not answered since the daemon began.
var errNotOpen = errors.New("the state store is not open yet")

// frontStore is what the front asks of the state store.
type frontStore interface {
	console.Store
	notify.Marks
}

// lateStore is the state store once it is open.
type lateStore struct{ at atomic.Pointer[frontStore] }

func (l *lateStore) open(s frontStore) { l.at.Store(&s) }

func (l *lateStore) get() (frontStore, error) {
	if s := l.at.Load(); s != nil {
		return *s, nil
	}
	return nil, fmt.Errorf("front: %w", errNotOpen)
}
