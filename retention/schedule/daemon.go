package schedule

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/retentiond/retentiond/retention"
)

// Store is what the daemon asks of the state store.
type Store interface {
	retention.Slots
	KillSwitch(ctx context.Context) (retention.KillSwitch, error)
	ApprovedPlans(ctx context.Context) ([]retention.SavedPlan, error)
}

// Job is one claimed slot and what is to be run for it.
type Job struct {
	Slot  retention.Slot
	Rules []string
}

// Runner acts. A cancelled ctx ends a run between batches.
type Runner interface {
	// Sets are the rule sets in force, and those of policies that do not load just
	// now: their slots wait.
	Sets() (inForce []RuleSet, waiting []retention.RuleSetID)
	// Opens is when the windows of the rules' sources let some of them act; a time
	// that is not after now: they may act now.
	Opens(set RuleSet, now time.Time) time.Time
	// Run plans and runs the rules of a slot.
	Run(ctx context.Context, j Job) (retention.RunReport, error)
	// RunPlan runs an approved plan.
	RunPlan(ctx context.Context, plan string) (retention.RunReport, error)
	// Settle ends what a crash left open: intents without outcome, holds on their
	// way.
	Settle(ctx context.Context) error
}

// Daemon fires slots, claims them and runs them. Its fields are set before [Daemon.Serve]
// and not changed after.
type Daemon struct {
	Store   Store
	Runner  Runner
	CatchUp CatchUp
	Jitter  time.Duration // most that a slot is put off
	Workers int           // runs at once; 0: four
	Owner   string        // of claims: host, pid, process start
	Poll    time.Duration // how often it looks for what others did; 0: 5 s
	Observe Observer      // may be nil
	Log     *zap.Logger
	// Alive is told at every turn that the loop turns; nil: nobody asks.
	Alive func()

	wakes sync.Once
	wake  chan struct{} // something changed: look at once; see waker
	busy  int           // runs at work
	mu    sync.Mutex    // of busy and tried
	work  sync.WaitGroup
	tried map[string]time.Time // approved plans that did not come to their end: not again before
	next  map[retention.RuleSetID]planned
	said  map[string]bool // what was logged once
	now   time.Time       // the store's, at this turn: the loop's own
}

// planned is the next slot of a rule set, of the same schedule.
type planned struct {
	schedule *Schedule
	from, at time.Time
}

// Serve works until ctx is done. It then claims nothing more, waits for the runs
// at work, which end between batches, and returns. A state store that does not
// answer stops everything until it does.
func (d *Daemon) Serve(ctx context.Context) {
	d.prepare()
	pause := Pauses()
	var settled time.Time
	for ctx.Err() == nil {
		if d.Alive != nil {
			d.Alive()
		}
		if now := d.now; settled.IsZero() || now.Sub(settled) > settleEvery {
			settled = now
			d.settle(ctx)
		}
		wait, err := d.turn(ctx)
		switch {
		case err == nil:
			pause.Reset()
			d.change("store", false, Event{Kind: StoreUp, At: d.now})
		case ctx.Err() == nil:
			wait, settled = pause.NextBackOff(), time.Time{}
			d.change("store", true, Event{Kind: StoreDown, Err: err})
		}
		d.sleep(ctx, wait)
	}
	d.tell(Event{Kind: Draining, At: d.now})
	d.work.Wait()
	d.tell(Event{Kind: Drained, At: d.now})
}

// Wake makes the daemon look at once: policies changed, or a plan was approved.
func (d *Daemon) Wake() {
	select {
	case d.waker() <- struct{}{}:
	default: // it is woken already
	}
}

func (d *Daemon) waker() chan struct{} {
	d.wakes.Do(func() { d.wake = make(chan struct{}, 1) })
	return d.wake
}

func (d *Daemon) prepare() {
	if d.Poll <= 0 {
		d.Poll = 5 * time.Second
	}
	if d.Workers <= 0 {
		d.Workers = workers
	}
	d.tried, d.next, d.said = map[string]time.Time{}, map[retention.RuleSetID]planned{}, map[string]bool{}
}

// settleEvery is how often the daemon looks for what a crash left open: that of a
// process whose lease was not over yet is settled then.
const settleEvery = time.Minute

// settle ends what a crash left open, before anything else is begun.
func (d *Daemon) settle(ctx context.Context) {
	ask, done := context.WithTimeout(ctx, 3*patience)
	defer done()
	if err := d.Runner.Settle(ask); err != nil && ctx.Err() == nil {
		d.Log.Warn("what a crash left open is not settled yet", zap.Error(err))
	}
}

// workers is how many runs work at once, where nothing else is said: what they do
// at a source is limited there.
const workers = 4

// patience is how long the store may take to answer everything of one turn.
const patience = 20 * time.Second

// turn is one look at everything; it returns how long there is nothing to do.
func (d *Daemon) turn(ctx context.Context) (time.Duration, error) {
	ask, done := context.WithTimeout(ctx, patience)
	defer done()
	k, err := d.Store.KillSwitch(ask)
	if err != nil {
		return 0, err
	}
	if k.On {
		d.change("stopped", true, Event{Kind: Stopped, Text: "since " + k.At.Format(time.RFC3339)})
		return d.Poll, nil
	}
	d.change("stopped", false, Event{Kind: Resumed})
	sets, waiting := d.Runner.Sets()
	wait, err := d.fire(ask, sets, waiting)
	if err != nil {
		return 0, err
	}
	if err := d.claims(ctx, ask, sets); err != nil {
		return 0, err
	}
	return wait, d.backlog(ask)
}

// backlog tells what is not over yet.
func (d *Daemon) backlog(ctx context.Context) error {
	if d.Observe == nil {
		return nil
	}
	open, err := d.Store.OpenSlots(ctx)
	if err != nil {
		return err
	}
	e := Event{Kind: Backlog, At: d.now, Open: len(open)}
	if len(open) > 0 {
		e.Oldest = open[0].Due
	}
	d.Observe(e)
	return nil
}

// sleep waits, or returns when it is woken.
func (d *Daemon) sleep(ctx context.Context, wait time.Duration) {
	t := time.NewTimer(max(wait, time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
	case <-d.waker():
	case <-ctx.Done():
	}
}
