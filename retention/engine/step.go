package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// stepWork is one step in progress: pages of due rows become batches until the
// plan's rows are all accounted for.
type stepWork struct {
	*work
	index  int
	step   *retention.Step
	bound  *bind.Step
	source retention.Source
	uuid   string
	report retention.StepReport
	spool  *spoolSet
	act    retention.Act
	stop   context.Context         // done: a stop was asked for, or the source's window closed
	shut   context.CancelCauseFunc // ends this step alone

	throttle Throttle
	workers  int           // batches at once
	slots    chan struct{} // one for each batch that the source does now
	patience time.Duration // of a batch that waits for its turn

	mu     sync.Mutex // of what workers share: the report, and below
	batch  int        // sequence number of intents
	size   int        // rows of the next batch
	pace   pace
	paid   time.Time // until when the rows done so far may take, at the rate
	looked time.Time // when holds that nobody takes through were last looked for
	asked  time.Time // when the source was last asked for its pressure
	free   bool      // and whether it was free then

	troubles []trouble // that batches told
	refused  bool      // a batch was, between batches: the rows after it were not reached
}

// do runs one step and adds its report. Only what would make every further
// action unsafe (a log that cannot be written, a lost lease) is an error.
func (w *work) do(ctx context.Context, index int, s *retention.Step, b *bind.Step) error {
	sw := &stepWork{work: w, index: index, step: s, bound: b, size: w.tune().First}
	sw.report = retention.StepReport{
		Policy: s.Policy, Rule: s.Rule, Stage: s.Stage, Dataset: s.Dataset, Source: s.Source,
		Table: s.Table.String(), Action: s.Action, Planned: s.Classes.Due, Children: map[string]int64{},
	}
	sw.stop, sw.shut = context.WithCancelCause(w.stop)
	defer sw.shut(nil)
	began := w.Now()
	err := sw.run(ctx)
	sw.report.Seconds = w.Now().Sub(began).Seconds()
	fatally := errors.Is(err, errFatal)
	var r *retention.Refusal
	switch {
	case err == nil, fatally:
	case errors.As(err, &r):
		r.Policy, r.Rule, r.Stage, r.Source = s.Policy, s.Rule, s.Stage, retention.Tenant(s.Source)
		locked(&w.mu, func() { w.report.Refusals = append(w.report.Refusals, *r) })
		if sw.report.Batches == 0 { // refused as a whole
			return nil
		}
		sw.report.Error, sw.refused = "refused before the end: "+string(r.Code), r.Code != retention.RefuseSourceDown
	default:
		sw.report.Error = err.Error()
	}
	sw.rest()
	sw.tell()
	unerased := !fatally && sw.source != nil && sw.report.Done == 0 && sw.unerased(context.WithoutCancel(w.stop))
	locked(&w.mu, func() {
		w.report.Steps, w.order = append(w.report.Steps, sw.report), append(w.order, index)
		if !fatally {
			w.resumes(sw.opens())
			w.emptied(sw, unerased)
		}
	})
	if fatally {
		return err
	}
	if w.req.Archives { // its other stages did not run
		return nil
	}
	return sw.remember(ctx)
}

// errFatal marks errors after which nothing may act any more.
var errFatal = errors.New("nothing may act")

func fatal(err error) error { return fmt.Errorf("%w: %w", errFatal, err) }

func (sw *stepWork) run(ctx context.Context) error {
	var err error
	if sw.source, err = sw.work.source(ctx, sw.step.Source); err != nil {
		return err
	}
	sw.limits()
	sw.uuid = sw.view.servers[sw.step.Source].Gate.SourceUUID
	if sw.secret == nil {
		if sw.secret, err = sw.Store.SpoolKey(ctx, sw.plan.ID); err != nil {
			return fatal(err)
		}
	}
	sw.spool = sw.pinned[sw.index]
	if sw.saved != nil && sw.step.Spooled {
		if sw.spool, err = sw.loadSpool(ctx); err != nil {
			return fatal(err)
		}
	}
	sw.act = sw.bound.Act
	sw.act.MarkAt = sw.report0()
	if sw.act.Into != nil {
		into := *sw.act.Into
		into.At = sw.report0()
		sw.act.Into = &into
	}
	if sw.bound.Sealed {
		return sw.endSegments(ctx)
	}
	return sw.walk(ctx)
}

// report0 is the run's start: the moment that marks and archives carry.
func (sw *stepWork) report0() time.Time { return sw.work.report.Started }

// shortestPause is between two batches of a source whose gate is not fair.
const shortestPause = 5 * time.Millisecond

// limits takes the source's throttle and workers.
func (sw *stepWork) limits() {
	ref := sw.Sources[sw.step.Source]
	sw.throttle, sw.workers = ref.Throttle, max(1, ref.Parallel)
	if !ref.Fair {
		sw.workers = 1
		sw.throttle.Pause = max(sw.throttle.Pause, shortestPause)
		if a, ok := sw.source.(retention.Apart); !ok || !a.GateApart() { // no application waits for a gate of its own
			sw.throttle.Rest = max(sw.throttle.Rest, 0.1)
		}
	}
	sw.slots, sw.patience = make(chan struct{}, sw.workers), turnWait
}

// soFar is the step's progress.
func (sw *stepWork) soFar() Progress {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	return Progress{Phase: "run", Policy: sw.step.Policy, Rule: sw.step.Rule, Done: sw.report.Planned - sw.left(), Total: sw.report.Planned}
}

// left is how many planned rows are not accounted for yet.
func (sw *stepWork) left() int64 {
	return sw.report.Planned - sw.report.Done - sw.report.Spared.Sum()
}

// rests leaves the source to others between batches: as long as the throttle
// says, and while a hold waits to pass its gate.
func (sw *stepWork) rests(ctx context.Context, took time.Duration, rows int64) {
	now := sw.Now()
	sw.mu.Lock()
	if sw.paid.Before(now.Add(-took)) {
		sw.paid = now.Add(-took)
	}
	sw.paid = sw.paid.Add(sw.throttle.dues(rows))
	rest := max(sw.throttle.rest(took), sw.paid.Sub(now))
	sw.mu.Unlock()
	if rest > 0 {
		sw.sleep(rest)
		sw.waited(retention.WaitRate, sw.Now().Sub(now))
	}
	sw.yields(ctx)
	sw.letHoldsPass(ctx)
}

// letHoldsPass waits while a hold is on its way through the gate. Where nobody
// takes it through, its placer has died or is stuck: this process holds no gate
// now, and completes the pass. A fair gate lets it pass between batches, and is
// only looked at for those that nobody takes through.
func (sw *stepWork) letHoldsPass(ctx context.Context) {
	if !sw.Sources[sw.step.Source].Fair || sw.every(&sw.looked, askEvery) {
		sw.letPass(ctx)
	}
}

func (sw *stepWork) letPass(ctx context.Context) {
	for i := 0; i < 40; i++ {
		if !sw.holdWaits(ctx) {
			return
		}
		sw.sleep(50 * time.Millisecond)
	}
	sw.finishPasses(ctx, 2*time.Second)
}

// holdWaits is whether a hold waits to pass the source's gate.
func (sw *stepWork) holdWaits(ctx context.Context) bool {
	placing, err := sw.Store.Placing(ctx, sw.step.Source)
	return err == nil && placing
}

// every is true once in that time.
func (sw *stepWork) every(last *time.Time, d time.Duration) bool {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	now := sw.Now()
	if now.Sub(*last) < d {
		return false
	}
	*last = now
	return true
}

// sleep waits, or returns early when a stop is asked for.
func (sw *stepWork) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-sw.stop.Done():
	}
}
