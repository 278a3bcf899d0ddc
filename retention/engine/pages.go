package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// pages walks the due rows after the cursor in the page order, never twice over
// one row, and names them in batches.
func (sw *stepWork) pages(ctx context.Context, at retention.Cursor) error {
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
		sw.progress(sw.soFar())
	}
	return nil
}

// one does one batch, smaller where the source asks for it, and returns how many
// of the keys are accounted for.
func (sw *stepWork) one(ctx context.Context, keys []retention.Key) (int, error) {
	var err error
	for try := range tries {
		var out retention.Outcome
		var took time.Duration
		if out, took, err = sw.apply(ctx, part{keys: keys}); err == nil {
			sw.adapt(took, len(keys))
			sw.rests(ctx, took, cost(out))
			return len(keys), nil
		}
		switch {
		case errors.Is(err, retention.ErrUnsettled):
			return 0, err
		case errors.Is(err, retention.ErrGaveWay):
			sw.letPass(ctx)
			if try == tries-1 || sw.stop.Err() != nil {
				sw.gaveWay(len(keys))
				return len(keys), nil
			}
		case errors.Is(err, retention.ErrTooWide) && len(keys) == 1:
			if err = sw.childrenFirst(ctx, keys); err != nil {
				return 0, err
			}
		case errors.Is(err, retention.ErrTooWide), errors.Is(err, retention.ErrLocked):
			keys = keys[:fitting(err, len(keys))]
			sw.size = max(1, min(sw.size, len(keys)))
			sw.sleep(time.Duration(try+1) * 20 * time.Millisecond)
		default:
			return 0, err
		}
	}
	return 0, err
}

// gaveWay counts rows that holds kept coming before: the next run takes them up.
func (sw *stepWork) gaveWay(n int) {
	sw.mu.Lock()
	sw.report.Spared.NotReached += int64(n)
	sw.mu.Unlock()
	sw.trouble(int64(n), "rows were not reached, since holds kept waiting to pass: the next run takes them up")
}

// fitting is how many of n keys to try next: as many as fit, where that is told, or
// half of them.
func fitting(err error, n int) int {
	if wide, ok := errors.AsType[*retention.TooWideError](err); ok {
		return max(1, min(wide.Fits, n))
	}
	return max(1, n/2)
}

// childrenFirst takes a row's children in batches of their own; the row follows
// when few enough are left.
func (sw *stepWork) childrenFirst(ctx context.Context, key []retention.Key) error {
	if err := sliceable(&sw.bound.Selection, &sw.act); err != nil {
		return err
	}
	for sw.stop.Err() == nil {
		before := total(sw.report.Children)
		if _, _, err := sw.apply(ctx, part{keys: key, childrenOf: retention.MaxChildren}); err != nil {
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
