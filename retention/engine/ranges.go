package engine

import (
	"context"
	"errors"
	"fmt"
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
	if sw.spool == nil && sw.dense() {
		next, ended, err := sw.ranges(ctx)
		if err != nil || ended {
			return err
		}
		at = next
	}
	return sw.pages(ctx, at)
}

// dense guesses from the plan whether ranges are worth it.
func (sw *stepWork) dense() bool {
	c := sw.step.Classes
	beside := c.Held + c.Protected + c.Blocked + c.Excluded + c.Done
	return float64(c.Due) >= sparse*float64(c.Due+beside)
}

// ranges walks the page order in ranges, and says where it stopped and whether
// that is the end.
func (sw *stepWork) ranges(ctx context.Context) (at retention.Cursor, ended bool, err error) {
	for sw.left() > 0 {
		if sw.stop.Err() != nil {
			return at, true, nil
		}
		to, err := sw.source.Ahead(ctx, sw.bound.Selection, at, sw.size)
		if err != nil {
			return at, true, fmt.Errorf("reading table %q: %w", sw.step.Table, err)
		}
		done, err := sw.oneRange(ctx, retention.Range{After: at, To: to, Most: sw.left()})
		switch {
		case errors.Is(err, errSmaller):
			continue
		case errors.Is(err, retention.ErrUnplanned), errors.Is(err, retention.ErrTooWide):
			return at, false, nil
		case err != nil:
			return at, true, err
		case len(to.Key) == 0:
			return at, true, nil
		}
		at = to
		sw.progress(Progress{Phase: "run", Policy: sw.step.Policy, Rule: sw.step.Rule, Done: sw.report.Planned - sw.left(), Total: sw.report.Planned})
		if float64(done) < sparse*float64(sw.size) && sw.left() > 0 {
			return at, false, nil
		}
	}
	return at, true, sw.beyond(ctx, at)
}

// errSmaller asks for the same range again, shorter.
var errSmaller = errors.New("again, with fewer rows")

// oneRange does one range as a batch and returns how many rows were done.
func (sw *stepWork) oneRange(ctx context.Context, r retention.Range) (int64, error) {
	began, size := sw.Now(), sw.size
	out, err := sw.apply(ctx, part{span: &r})
	took := sw.Now().Sub(began)
	switch {
	case err == nil:
		sw.adapt(took, size)
		sw.rests(ctx, took)
		return out.Done, nil
	case errors.Is(err, retention.ErrUnsettled):
		return 0, err
	case errors.Is(err, retention.ErrTooWide) && size > 8,
		errors.Is(err, retention.ErrLocked) && sw.waits < tries:
		sw.size = max(1, size/2)
		if errors.Is(err, retention.ErrLocked) {
			sw.waits++
		}
		sw.sleep(time.Duration(sw.waits+1) * 20 * time.Millisecond)
		return 0, errSmaller
	}
	return 0, err
}
