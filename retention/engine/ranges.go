package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// sparse is the share of due rows below which a range is not worth its scan, and
// rows are named instead.
const sparse = 0.25

// tries is how often a batch is tried, smaller each time.
const tries = 6

// walk does the step's rows. Where the plan names no rows (a run that planned for
// itself), batches are ranges of the page order, and no key travels; where few
// rows of a range are due, or more than were planned, rows are named.
func (sw *stepWork) walk(ctx context.Context) error {
	var at retention.Cursor
	sw.yields(ctx)
	if err := sw.partitions(ctx); err != nil {
		return err
	}
	if sw.spool == nil && sw.dense() {
		r := &ranges{stepWork: sw, slots: make(chan struct{}, sw.workers), passes: sw.source.Passes(sw.bound.Selection, sw.act)}
		if ended, err := r.walk(ctx); err != nil || ended {
			return err
		}
		at = r.resume
	}
	return sw.pages(ctx, at)
}

// dense guesses from the plan whether ranges are worth it.
func (sw *stepWork) dense() bool {
	c := sw.step.Classes
	beside := c.Held + c.Protected + c.Blocked + c.Excluded + c.Done
	return float64(c.Due) >= sparse*float64(c.Due+beside)
}

// ranges is a walk in ranges by several workers. Each takes the next range; a
// source does as many at once as there are slots, and while it does, another
// worker audits the last one and writes down the next.
type ranges struct {
	*stepWork
	slots  chan struct{}
	passes int // over each range

	order    sync.Mutex // who holds it takes the next range
	at       retention.Cursor
	reserved int64           // rows that ranges in work may do
	last     bool            // the range that was taken runs to the end
	wide     retention.Range // the range whose passes are being taken
	waits    int             // times that others kept a range locked

	seq    int  // of the next range
	named  bool // ranges no longer serve: rows are named, from resume on
	resume retention.Cursor
	before int // the range that resume lies before
	err    error
}

// walk goes through all ranges; ended is false where rows are to be named from
// resume on.
func (r *ranges) walk(ctx context.Context) (ended bool, err error) {
	n := 1
	if cap(r.slots) > 1 || r.Sources[r.step.Source].Fair {
		n = cap(r.slots) + 1
	}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for r.one(ctx) {
			}
		})
	}
	all.Wait()
	if r.err != nil || r.named || r.stop.Err() != nil {
		return !r.named || r.err != nil, r.err
	}
	if r.last {
		return true, nil
	}
	return true, r.beyond(ctx, r.at)
}

// one does the next range; false: there is no more to do.
func (r *ranges) one(ctx context.Context) bool {
	s, ok := r.take(ctx)
	if !ok {
		return false
	}
	r.slots <- struct{}{}
	began := r.Now()
	out, err := r.apply(ctx, part{span: &s.Range})
	took := r.Now().Sub(began)
	<-r.slots
	r.order.Lock()
	r.reserved -= s.Most
	r.order.Unlock()
	if err != nil {
		return r.again(s, err)
	}
	r.adapt(took, s.size)
	r.progress(r.soFar())
	if float64(out.Done) < sparse*float64(s.size) && len(s.To.Key) > 0 {
		r.order.Lock()
		if s.Parts > 1 { // its other passes are still to do
			r.name(s.After, s.seq)
		} else {
			r.name(s.To, s.seq+1)
		}
		r.order.Unlock()
	}
	r.rests(ctx, took, cost(out))
	return true
}

// stretch is a range in work.
type stretch struct {
	retention.Range
	seq, size int // its number, and the rows that it was to have
}

// take takes the next range.
func (r *ranges) take(ctx context.Context) (s stretch, ok bool) {
	r.order.Lock()
	defer r.order.Unlock()
	r.mu.Lock()
	left, size := r.left()-r.reserved, r.size
	r.mu.Unlock()
	between := r.wide.Part < r.wide.Parts // passes of a range are left
	if left <= 0 || r.last && !between || r.named || r.err != nil || r.stop.Err() != nil {
		return s, false
	}
	if !between {
		if err := r.widen(ctx, size); err != nil {
			r.err = err
			return s, false
		}
	}
	s = stretch{Range: r.wide, seq: r.seq, size: size}
	s.Most = min(left, int64(size)*2) // rows fall unevenly into passes
	if r.passes == 1 {
		s.Most = min(left, int64(size))
	}
	if r.last {
		s.Most = left
	}
	r.wide.Part, r.seq = r.wide.Part+1, r.seq+1
	r.reserved += s.Most
	return s, true
}

// widen finds the next range, as long as its passes are together.
func (r *ranges) widen(ctx context.Context, size int) error {
	to, err := r.source.Ahead(ctx, r.bound.Selection, r.at, size*r.passes)
	if err != nil {
		return fmt.Errorf("reading table %q: %w", r.step.Table, err)
	}
	r.wide = retention.Range{After: r.at, To: to, Parts: r.passes}
	r.at, r.last = to, len(to.Key) == 0
	return nil
}

// name ends the walk: rows are named from there on, the earliest of all places
// that are told. Rows of later ranges that are done meanwhile are not due there.
func (r *ranges) name(from retention.Cursor, before int) {
	if !r.named || before < r.before {
		r.named, r.resume, r.before = true, from, before
	}
}

// again takes up a range that was not done: smaller, or by name.
func (r *ranges) again(s stretch, err error) bool {
	r.order.Lock()
	defer r.order.Unlock()
	locked, wide := errors.Is(err, retention.ErrLocked), errors.Is(err, retention.ErrTooWide)
	if locked {
		r.waits++
	}
	switch {
	case errors.Is(err, retention.ErrUnsettled), errors.Is(err, errFatal), locked && r.waits > tries:
		r.err = errors.Join(r.err, err)
		return false
	case errors.Is(err, retention.ErrUnplanned), (wide || locked) && r.named, wide && s.size <= narrowest:
		r.name(s.After, s.seq)
		return false
	case !wide && !locked:
		r.err = errors.Join(r.err, err)
		return false
	}
	r.mu.Lock()
	r.size = max(1, min(r.size, s.size/2))
	r.mu.Unlock()
	// Ranges after it may be done, or in work: their rows are not due a second time.
	r.at, r.last, r.wide = s.After, false, retention.Range{}
	r.sleep(time.Duration(r.waits+1) * 20 * time.Millisecond)
	return true
}

// narrowest is the shortest range; below it, rows are named.
const narrowest = 8
