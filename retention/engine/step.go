package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	batch  int // sequence number of intents
	size   int // rows of the next batch
	pace   pace
	spool  *spoolSet
	act    retention.Act
}

// do runs one step and adds its report. Only what would make every further
// action unsafe (a log that cannot be written, a lost lease) is an error.
func (w *work) do(ctx context.Context, index int, s *retention.Step, b *bind.Step) error {
	sw := &stepWork{work: w, index: index, step: s, bound: b, size: w.tune().First}
	sw.report = retention.StepReport{
		Policy: s.Policy, Rule: s.Rule, Stage: s.Stage, Dataset: s.Dataset, Source: s.Source,
		Table: s.Table.String(), Action: s.Action, Planned: s.Classes.Due, Children: map[string]int64{},
	}
	began := w.Now()
	err := sw.run(ctx)
	sw.report.Seconds = w.Now().Sub(began).Seconds()
	var r *retention.Refusal
	switch {
	case err == nil:
	case errors.Is(err, errFatal):
		sw.rest()
		w.report.Steps = append(w.report.Steps, sw.report)
		return err
	case errors.As(err, &r):
		r.Policy, r.Rule, r.Stage = s.Policy, s.Rule, s.Stage
		w.report.Refusals = append(w.report.Refusals, *r)
		if sw.report.Batches == 0 { // refused as a whole
			return nil
		}
		sw.report.Error = "refused before the end: " + string(r.Code)
	default:
		sw.report.Error = err.Error()
	}
	sw.rest()
	w.report.Steps = append(w.report.Steps, sw.report)
	w.emptied(sw)
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
	return sw.pages(ctx)
}

// report0 is the run's start: the moment that marks and archives carry.
func (sw *stepWork) report0() time.Time { return sw.work.report.Started }

// left is how many planned rows are not accounted for yet.
func (sw *stepWork) left() int64 {
	return sw.report.Planned - sw.report.Done - sw.report.Spared.Sum()
}

// pages walks the due rows in the page order, never twice over one row.
func (sw *stepWork) pages(ctx context.Context) error {
	var at retention.Cursor
	for sw.left() > 0 || sw.spool != nil {
		if sw.stop.Err() != nil {
			return nil
		}
		holds, err := sw.Store.HoldSet(ctx, retention.SourceRecord{Name: sw.step.Source, UUID: sw.uuid})
		if err != nil {
			return refuse(retention.RefuseHoldUnreadable, "holds cannot be read, so nothing acts: %v", err)
		}
		page, err := sw.source.Page(ctx, sw.bound.Selection, sw.follows(holds), at, sw.size)
		if err != nil {
			return fmt.Errorf("reading due rows of table %q: %w", sw.step.Table, err)
		}
		if len(page.Keys) == 0 {
			return nil
		}
		at = page.Next
		if err := sw.take(ctx, sw.planned(page.Keys)); err != nil {
			return err
		}
	}
	return sw.beyond(ctx, at)
}

// planned keeps the keys that the plan names; the others are due now, but were
// not planned, and stay (L6).
func (sw *stepWork) planned(keys []retention.Key) []retention.Key {
	if sw.spool == nil {
		if n := sw.left(); int64(len(keys)) > n {
			sw.report.Unplanned += int64(len(keys)) - n
			keys = keys[:n]
		}
		return keys
	}
	out := make([]retention.Key, 0, len(keys))
	for _, k := range keys {
		if sw.spool.take(keyHash(sw.secret, k)) {
			out = append(out, k)
		} else {
			sw.report.Unplanned++
		}
	}
	return out
}

// beyond counts the rows that became due since the plan: they are left.
func (sw *stepWork) beyond(ctx context.Context, at retention.Cursor) error {
	for sw.stop.Err() == nil {
		holds, err := sw.Store.HoldSet(ctx, retention.SourceRecord{Name: sw.step.Source, UUID: sw.uuid})
		if err != nil {
			return nil // only a count: the step is done
		}
		page, err := sw.source.Page(ctx, sw.bound.Selection, sw.follows(holds), at, spoolPage)
		if err != nil || len(page.Keys) == 0 {
			return nil
		}
		sw.report.Unplanned += int64(len(page.Keys))
		at = page.Next
	}
	return nil
}

// take does the keys of one page, in as many batches as it needs.
func (sw *stepWork) take(ctx context.Context, keys []retention.Key) error {
	for len(keys) > 0 {
		if sw.stop.Err() != nil {
			return nil
		}
		n := min(len(keys), sw.size)
		done, err := sw.one(ctx, keys[:n])
		if err != nil {
			return err
		}
		keys = keys[done:]
		sw.progress(Progress{Phase: "run", Policy: sw.step.Policy, Rule: sw.step.Rule, Done: sw.report.Planned - sw.left(), Total: sw.report.Planned})
	}
	return nil
}

// one does one batch, smaller where the source asks for it, and returns how many
// of the keys are accounted for.
func (sw *stepWork) one(ctx context.Context, keys []retention.Key) (int, error) {
	var err error
	for try := 0; try < 6; try++ {
		began := sw.Now()
		if err = sw.apply(ctx, keys, 0); err == nil {
			sw.adapt(sw.Now().Sub(began), len(keys))
			sw.rests(ctx, sw.Now().Sub(began))
			return len(keys), nil
		}
		switch {
		case errors.Is(err, retention.ErrUnsettled):
			return 0, err
		case errors.Is(err, retention.ErrTooWide) && len(keys) == 1:
			if err = sw.childrenFirst(ctx, keys); err != nil {
				return 0, err
			}
		case errors.Is(err, retention.ErrTooWide), errors.Is(err, retention.ErrLocked):
			keys = keys[:max(1, len(keys)/2)]
			sw.size = max(1, min(sw.size, len(keys)))
			sw.sleep(time.Duration(try+1) * 20 * time.Millisecond)
		default:
			return 0, err
		}
	}
	return 0, err
}

// childrenFirst takes a row's children in batches of their own; the row follows
// when few enough are left.
func (sw *stepWork) childrenFirst(ctx context.Context, key []retention.Key) error {
	if err := sliceable(&sw.bound.Selection, &sw.act); err != nil {
		return err
	}
	for sw.stop.Err() == nil {
		before := total(sw.report.Children)
		if err := sw.apply(ctx, key, retention.MaxChildren); err != nil {
			return err
		}
		if total(sw.report.Children)-before < retention.MaxChildren {
			return nil
		}
	}
	return nil
}

func total(m map[string]int64) int64 {
	var n int64
	for _, v := range m {
		n += v
	}
	return n
}

// rests leaves the source to others between batches, longer while a hold waits
// to pass its gate. Where nobody takes it through, its placer has died or is
// stuck: this process holds no gate now, and completes the pass.
func (sw *stepWork) rests(ctx context.Context, took time.Duration) {
	t := sw.tune()
	sw.sleep(max(t.Pause, time.Duration(t.RatePause*float64(took))))
	for i := 0; i < 40; i++ {
		if placing, err := sw.Store.Placing(ctx, sw.step.Source); err != nil || !placing {
			return
		}
		sw.sleep(50 * time.Millisecond)
	}
	sw.finishPasses(ctx, 2*time.Second)
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

func (e *Engine) tune() Tune {
	t := e.Tune
	if t.Target <= 0 {
		t.Target = 250 * time.Millisecond
	}
	if t.First <= 0 {
		t.First = 500
	}
	if t.MaxRows <= 0 {
		t.MaxRows = 10_000
	}
	t.MaxRows = min(t.MaxRows, retention.MaxBatch)
	t.First = min(t.First, t.MaxRows)
	if t.Pause < 5*time.Millisecond {
		t.Pause = 5 * time.Millisecond
	}
	if t.RatePause <= 0 {
		t.RatePause = 0.1
	}
	return t
}

// spoolSet is a step's planned keys, by hash; each is taken once.
type spoolSet struct {
	hashes []uint64
	taken  []bool
}

func (s *spoolSet) take(h uint64) bool {
	i, ok := slices.BinarySearch(s.hashes, h)
	if !ok || s.taken[i] {
		return false
	}
	s.taken[i] = true
	return true
}

func (sw *stepWork) loadSpool(ctx context.Context) (*spoolSet, error) {
	out := &spoolSet{hashes: make([]uint64, 0, sw.step.Classes.Due)}
	for seq := 0; ; seq++ {
		page, err := sw.Store.SpoolPage(ctx, sw.plan.ID, sw.index, seq)
		if errors.Is(err, retention.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the plan's keys: %w", err)
		}
		out.hashes = append(out.hashes, page.Hashes...)
	}
	slices.Sort(out.hashes)
	out.taken = make([]bool, len(out.hashes))
	return out, nil
}
