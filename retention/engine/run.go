package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"go.uber.org/zap"
)

// work is one run in progress.
type work struct {
	*Engine
	req    RunRequest
	lease  retention.Lease
	view   *view
	plan   retention.Plan
	saved  *retention.SavedPlan // of `run --plan`
	report retention.RunReport
	secret []byte
	pinned map[int]*spoolSet // by step: rows planned before an earlier step acted
	stop   context.Context   // done: a stop was asked for; batches in hand still end
	erase  map[erasure]*erased
	// approved: a person said yes to this very plan.
	approved bool
	asked    bool // all that waits for an approval was asked for before

	mu      sync.Mutex // of what tenants at work side by side share: the report, erase, and below
	order   []int      // of the report's steps, in the plan
	failure error      // after which nothing may act
	vouched map[string]time.Time
}

// Run acts: it plans, or takes a saved plan, and does what the plan says, step
// by step, batch by batch. The report is valid even beside an error. When ctx is
// cancelled the run ends between batches; everything committed is audited.
//
// An unattended run does not wait for a source's window: its steps there end, and
// the report says when the window opens. It parks a plan that waits for an approval
// once, and does not ask again while the same plan is undecided.
func (e *Engine) Run(ctx context.Context, req RunRequest) (retention.RunReport, error) {
	w := &work{Engine: e, req: req, stop: ctx}
	w.report = retention.RunReport{Run: "r-" + randomID(), Steps: []retention.StepReport{}, Refusals: []retention.Refusal{}}
	// From here on, what must be finished is finished even after a stop request.
	ctx = context.WithoutCancel(ctx)
	err := w.admit(ctx)
	if err != nil {
		return w.never(err)
	}
	if w.lease, err = w.claim(w.stop); err != nil {
		return w.report, err
	}
	e.reach(retention.PointLeased)
	beat, fenced := e.heartbeat(ctx, w.lease)
	defer func() {
		beat()
		_ = e.Store.Unlease(ctx, w.lease) // a lease that is not given back runs out
	}()
	w.stop = fenced(w.stop)
	err = w.run(ctx)
	switch lost := w.lost(); {
	case err != nil && lost != nil && !errors.Is(err, retention.ErrFenced):
		err = lost // what else went wrong follows from it
	case err == nil && lost == nil && w.stop.Err() != nil:
		w.report.Interrupted = true
	}
	if w.report.Started.IsZero() && err != nil {
		return w.never(err)
	}
	return w.report, err
}

// never closes the report of a run that did not begin.
func (w *work) never(err error) (retention.RunReport, error) {
	if r := refusalOf(err); r != nil {
		w.report.Verdict = retention.VerdictRefused
		w.report.Refusals = append(w.report.Refusals, *r)
	}
	return w.report, err
}

// admit refuses what needs no look at any source.
func (w *work) admit(ctx context.Context) error {
	k, err := w.Store.KillSwitch(ctx)
	if err != nil {
		return fmt.Errorf("reading the kill switch: %w", err)
	}
	if k.On {
		return refuse(retention.RefuseKillSwitch, "everything is stopped since %s by %s (%s)", stamp(k.At), k.By, k.Reason)
	}
	now := w.now()
	if w.req.AsOf.After(now) {
		return refuse(retention.RefusePreview, "as-of %s lies in the future: it can be planned, as a preview, not run", stamp(w.req.AsOf))
	}
	if w.req.Approve && w.req.By == "" {
		return usage("add --by NAME", "an approval needs a name")
	}
	if w.req.Plan != "" && (!w.req.AsOf.IsZero() || w.req.Policy != "" || w.req.Rule != "") {
		return usage("plan again with them instead", "a saved plan has its own as-of, policies and rules")
	}
	return nil
}

func (w *work) run(ctx context.Context) error {
	// A log that cannot be signed, or is not the one that was, records nothing (L7).
	if err := w.sign(ctx); err != nil {
		return err
	}
	about, err := w.about(ctx)
	if err != nil {
		return err
	}
	if err := w.recover(ctx, about); err != nil {
		return err
	}
	w.finishPasses(ctx, w.passWait(ctx, about))
	if err := w.prepare(ctx); err != nil {
		return err
	}
	w.report.Plan, w.report.AsOf = w.plan.ID, w.plan.AsOf
	started, err := w.Store.Now(ctx)
	if err != nil {
		return fmt.Errorf("reading the store's clock: %w", err)
	}
	w.report.Started = started
	run := retention.Run{ID: w.report.Run, Plan: w.plan.ID, AsOf: w.plan.AsOf, Started: started, Attempt: w.lease.Attempt, By: w.req.By, Slot: w.req.Slot}
	if err := w.Store.BeginRun(ctx, run); err != nil {
		return fmt.Errorf("no audit, no action: %w", err)
	}
	w.reach(retention.PointStarted)
	if err := w.approvals(ctx); err != nil {
		return errors.Join(err, w.end(ctx, err))
	}
	err = w.steps(ctx)
	if err == nil {
		w.sweepOwned(ctx)
	}
	w.reach(retention.PointErasing)
	w.erases(ctx)
	if err == nil {
		err = w.lost()
	}
	return errors.Join(err, w.end(ctx, err))
}

// steps does each step of the plan; a failing one does not stop the others.
func (w *work) steps(ctx context.Context) error {
	if err := w.pin(ctx); err != nil {
		return err
	}
	by, order := map[string][]int{}, []string{}
	for i := range w.plan.Steps {
		source := w.plan.Steps[i].Source
		if retention.FleetOf(source) == "" {
			source = "" // these keep the plan's order, whatever their source
		}
		if by[source] == nil {
			order = append(order, source)
		}
		by[source] = append(by[source], i)
	}
	w.eachSource(order, func(source string) {
		for _, i := range by[source] {
			if err := w.step(ctx, i); err != nil {
				locked(&w.mu, func() { w.failure = errors.Join(w.failure, err) })
			}
		}
	})
	w.inOrder()
	return w.failure
}

// step does one step of the plan, unless something stops it.
func (w *work) step(ctx context.Context, i int) error {
	s := &w.plan.Steps[i]
	idle := s.ReportOnly || w.stop.Err() != nil
	locked(&w.mu, func() { idle = idle || w.failure != nil || w.refused(s) != nil })
	if idle {
		return nil
	}
	b := w.view.find(s)
	if b == nil { // its binding was refused
		return nil
	}
	return w.do(ctx, i, s, b)
}

// inOrder puts the reports in the plan's order, whoever was ready first.
func (w *work) inOrder() {
	at := make([]int, len(w.order))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int { return w.order[a] - w.order[b] })
	steps, moved := make([]retention.StepReport, len(at)), make([]int, len(at))
	for to, from := range at {
		steps[to], moved[from] = w.report.Steps[from], to
	}
	w.report.Steps = steps
	for _, e := range w.erase {
		for i, old := range e.steps {
			e.steps[i] = moved[old]
		}
	}
}

// refused returns the refusal in the report that stops the step, if any.
func (w *work) refused(s *retention.Step) *retention.Refusal {
	for i := range w.report.Refusals {
		if r := &w.report.Refusals[i]; r.About(s) {
			return r
		}
	}
	return nil
}

// end closes the run: what was seen of each rule, witnesses in the sources, the
// report, a signed checkpoint.
func (w *work) end(ctx context.Context, failure error) error {
	ended, err := w.Store.Now(ctx)
	if err != nil {
		ended = w.Now()
	}
	w.report.Ended = ended
	w.report.Interrupted = failure == nil && w.stop.Err() != nil
	w.report.Verdict = verdict(&w.report, w.plan.Steps)
	if failure != nil {
		w.report.Verdict = retention.VerdictFailed
	}
	if err := w.recordRefusals(ctx, w.report.Run, w.newRefusals()); err != nil {
		return err
	}
	if err := w.Store.EndRun(ctx, w.report); err != nil {
		return fmt.Errorf("closing the run: %w", err)
	}
	w.reach(retention.PointEnded)
	if w.saved != nil && failure == nil && w.report.Finished() {
		if err := w.Store.DropSpool(ctx, w.plan.ID); err != nil {
			w.Log.Warn("the plan's keys were not dropped", zap.String("plan", w.plan.ID), zap.Error(err))
		}
	}
	if err := w.expire(ctx); err != nil {
		w.Log.Warn("our own records", zap.Error(err))
	}
	defer w.reach(retention.PointWitnessed)
	return w.witness(ctx)
}

// witness signs the log as it is and writes its size and root into every source
// that was acted on: each is a witness against a rolled-back log (L8).
func (w *work) witness(ctx context.Context) error {
	cp, err := w.checkpoint(ctx)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(w.view.servers))
	w.eachSource(slices.DeleteFunc(names, func(name string) bool {
		return !w.view.servers[name].Gate.Installed || w.view.down[name] != nil || !w.view.about.has(name)
	}), func(name string) { w.witnessOne(ctx, name, w.view.servers[name].Gate.SourceUUID, cp) })
	w.tellUsed(ctx, cp)
	return nil
}

// witnessOne is one source's part of it; the receipts that it no longer needs go too.
func (w *work) witnessOne(ctx context.Context, name, uuid string, cp audit.Checkpoint) {
	src, err := w.source(ctx, name)
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, patience)
		err = src.Witness(limited, w.Store.UUID(), cp.Total, cp.Root)
		cancel()
	}
	if err == nil {
		err = w.Store.Witnessed(ctx, uuid, cp.Total)
	}
	if err != nil {
		w.Log.Warn("a source did not take the audit log's checkpoint", zap.String("source", name), zap.Error(err))
		return // nor will it take anything else now
	}
	w.prune(ctx, name, uuid, src)
}

// prune drops receipts whose outcomes are in the audit log.
func (w *work) prune(ctx context.Context, name, uuid string, src retention.Actor) {
	if src == nil {
		return
	}
	ids, err := w.Store.Concluded(ctx, uuid, 10_000)
	if err == nil && len(ids) > 0 {
		if err = w.pruneCopies(ctx, uuid, ids); err == nil {
			err = src.Prune(ctx, ids)
		}
		if err == nil {
			err = w.Store.Pruned(ctx, ids)
		}
	}
	if err != nil {
		w.Log.Warn("receipts were not pruned", zap.String("source", name), zap.Error(err))
	}
}

// stopped reports whether the kill switch ended the run.
func stopped(r *retention.RunReport) bool {
	for _, f := range r.Refusals {
		if f.Code == retention.RefuseKillSwitch {
			return true
		}
	}
	return false
}

// verdict sums a report up. A step that is refused though it had something to do
// makes the run refused, unless another acted; a failed step makes it partial.
func verdict(r *retention.RunReport, planned []retention.Step) retention.Verdict {
	due := map[string]bool{}
	empty, acted, failed := false, false, false
	for _, s := range planned {
		k := retention.AtTenant(s.Policy+"/"+s.Rule, s.Source)
		due[k] = due[k] || s.Classes.Due > 0
	}
	for _, s := range r.Steps {
		acted = acted || s.Done > 0 || s.Planned > 0
		empty = empty || s.Planned == 0
		failed = failed || s.Spared.Failed > 0 || s.Error != ""
	}
	unknown := false // refused before it could be counted
	for _, f := range r.Refusals {
		unknown = unknown || f.Rule == "" || !due[retention.AtTenant(f.Policy+"/"+f.Rule, f.Source)]
	}
	switch {
	case stopped(r):
		return retention.VerdictRefused
	case failed:
		return retention.VerdictPartial
	case len(r.Refusals) == 0:
		return retention.VerdictOK
	case acted || empty && unknown:
		return retention.VerdictPartial
	}
	return retention.VerdictRefused
}
