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
		r := &ranges{stepWork: sw, passes: sw.source.Passes(sw.bound.Selection, sw.act)}
		r.done.L = &r.order
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
// source does as many at once as there are slots, and while it does, others commit
// and audit the last ones and write down the next.
type ranges struct {
	*stepWork
	passes int // over each range

	order    sync.Mutex // who holds it takes the next range
	done     sync.Cond  // a range in work came to its end
	at       retention.Cursor
	reserved int64     // rows that ranges in work may do
	last     bool      // the range that was taken runs to the end
	wide     []stretch // ranges whose passes are being taken in turns, the next one first
	retry    []stretch // ranges that were not done
	waits    int       // times that others kept a range locked

	found  int  // ranges that were found, passes counted
	named  bool // ranges no longer serve: rows are named, from resume on
	resume retention.Cursor
	before int // the range that resume lies before
	err    error
}

// ahead is how many batches beside those that the source does may be on their way:
// one is written down and admitted, another commits and is audited. Disks are slow;
// with less, the source would wait for them.
const ahead = 2

// walk goes through all ranges; ended is false where rows are to be named from
// resume on.
func (r *ranges) walk(ctx context.Context) (ended bool, err error) {
	n := r.workers
	if c, ok := r.source.(retention.Chained); ok && c.Chained() {
		n = 1
		slots := r.slots
		r.slots, r.patience = make(chan struct{}, 1), chainWait
		defer func() { r.slots, r.patience = slots, turnWait }()
	}
	if r.Sources[r.step.Source].Fair {
		n += ahead
	}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for r.one(ctx) {
			}
		})
	}
	all.Wait()
	r.leftovers()
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
	out, took, err := r.apply(ctx, part{span: &s.Range})
	r.order.Lock()
	r.reserved -= s.Most
	r.done.Broadcast()
	r.order.Unlock()
	if errors.Is(err, retention.ErrGaveWay) {
		r.letPass(ctx)
	}
	if err != nil {
		return r.again(ctx, s, err)
	}
	r.order.Lock()
	r.waits = 0
	r.order.Unlock()
	r.adapt(took, s.size)
	r.progress(r.soFar())
	if float64(out.Done) < sparse*float64(s.size)/2 && !s.To.Zero() { // a range has half of its size, or more
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
	seq, size int  // its number, and the rows that it was to have
	more      bool // the plan has more left than it may do
	again     int  // times that it was put back because the plan seemed to be at its end
}

// free is how many planned rows no range in work has put by, and the size of the
// next range. Where that is less than a range, it waits for the ranges in work to
// tell what they really took.
func (r *ranges) free() (left int64, size int) {
	for {
		r.mu.Lock()
		left, size = r.left()-r.reserved, r.size
		r.mu.Unlock()
		if left >= int64(size) || r.reserved == 0 || r.named || r.err != nil || r.stop.Err() != nil {
			return left, size
		}
		r.done.Wait()
	}
}

// take takes the next range.
func (r *ranges) take(ctx context.Context) (s stretch, ok bool) {
	r.order.Lock()
	defer r.order.Unlock()
	left, size := r.free()
	if left <= 0 || r.named || r.err != nil || r.stop.Err() != nil {
		return s, false
	}
	if n := len(r.retry); n > 0 {
		s, r.retry = r.retry[n-1], r.retry[:n-1]
	} else if s, ok = r.next(ctx, size); !ok {
		return s, false
	}
	s.Most = min(left, int64(s.size))
	if s.Parts > 1 {
		s.Most = min(left, int64(s.size)*2) // rows fall unevenly into passes
	}
	if s.To.Zero() {
		s.Most = left
	}
	s.more = s.Most < left
	r.reserved += s.Most
	return s, true
}

// turns is how many ranges take turns where each is passed over several times: what a
// pass leaves makes room for the next one once it is committed, and the batch before
// may not be yet.
const turns = 2

// next is the next pass over a range in turn, or the first over the next range.
func (r *ranges) next(ctx context.Context, size int) (s stretch, ok bool) {
	most := 1
	if r.passes > 1 {
		most = turns
	}
	if len(r.wide) < most && !r.last {
		if r.err = r.widen(ctx, size); r.err != nil {
			return s, false
		}
	}
	if len(r.wide) == 0 {
		return s, false
	}
	s, r.wide = r.wide[0], r.wide[1:]
	if on := s; on.Part+1 < on.Parts {
		on.Part, on.seq = on.Part+1, on.seq+1
		r.wide = append(r.wide, on)
	}
	return s, true
}

// widen finds the next range, as long as its passes are together. Its number, and
// those of its passes, are in the page order.
func (r *ranges) widen(ctx context.Context, size int) error {
	to, err := r.source.Ahead(ctx, r.bound.Selection, r.at, size*r.passes)
	if err != nil {
		return fmt.Errorf("reading table %q: %w", r.step.Table, err)
	}
	wide := stretch{Range: retention.Range{After: r.at, To: to, Parts: r.passes}, seq: r.found, size: size}
	r.wide = append([]stretch{wide}, r.wide...)
	r.at, r.last, r.found = to, to.Zero(), r.found+max(1, r.passes)
	return nil
}

// name ends the walk: rows are named from there on, the earliest of all places
// that are told. Rows of later ranges that are done meanwhile are not due there.
func (r *ranges) name(from retention.Cursor, before int) {
	if !r.named || before < r.before {
		r.named, r.resume, r.before = true, from, before
	}
}

// leftovers: ranges that were put back, and that nobody took because rows are to be
// named, are named too.
func (r *ranges) leftovers() {
	if !r.named {
		return
	}
	for _, s := range r.retry {
		r.name(s.After, s.seq)
	}
}

// again takes up a range that was not done: in halves, or by name. false ends the
// worker.
func (r *ranges) again(ctx context.Context, s stretch, err error) bool {
	r.order.Lock()
	defer r.order.Unlock()
	locked, wide, more := errors.Is(err, retention.ErrLocked), errors.Is(err, retention.ErrTooWide), errors.Is(err, retention.ErrUnplanned)
	_, named := errors.AsType[*retention.TooWideError](err) // how many rows fit is told
	named = named || errors.Is(err, retention.ErrGaveWay)
	if locked {
		r.waits++
	}
	switch {
	case errors.Is(err, retention.ErrUnsettled), errors.Is(err, errFatal), locked && r.waits > tries, !locked && !wide && !more && !named:
		r.err = errors.Join(r.err, err)
		return false
	case more && !s.more && r.reserved > 0 && s.again < tries: // ranges in work had a part of the plan put by
		s.again++
		r.retry = append(r.retry, s)
		r.done.Wait() // until one of them tells what it took
		return true
	case more && !s.more, r.named, named, (more || wide) && s.size <= narrowest:
		r.name(s.After, s.seq)
		return false
	default:
		if r.err = errors.Join(r.err, r.halve(ctx, s)); r.err != nil {
			return false
		}
	}
	r.sleep(time.Duration(r.waits+1) * 20 * time.Millisecond)
	return true
}

// narrowest is the shortest range; below it, rows are named.
const narrowest = 8

// halve puts the two halves of a range up to be done, and makes later ones
// smaller. Where rows have gone meanwhile, the first half may reach into ranges
// that follow: their rows are not due a second time.
func (r *ranges) halve(ctx context.Context, s stretch) error {
	half := max(1, s.size/2)
	r.mu.Lock()
	r.size = min(r.size, half)
	r.mu.Unlock()
	scale := max(1, s.Parts)
	middle, err := r.source.Ahead(ctx, r.bound.Selection, s.After, half*scale)
	if err != nil {
		return fmt.Errorf("reading table %q: %w", r.step.Table, err)
	}
	first, second := s, s
	first.size, second.size = half, half
	if middle.Zero() {
		r.retry = append(r.retry, first)
		return nil
	}
	first.To, second.After = middle, middle
	r.retry = append(r.retry, second, first)
	return nil
}
