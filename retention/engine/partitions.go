package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"go.uber.org/zap"
)

// partitions drops the partitions of which every row is due, one a batch; what it
// leaves goes by rows after it. A plan that names its rows is done by name.
func (sw *stepWork) partitions(ctx context.Context) error {
	if !sw.act.Whole || sw.spool != nil || sw.left() <= 0 || sw.stop.Err() != nil {
		return nil
	}
	holds, err := sw.Store.HoldSet(ctx, retention.SourceRecord{Name: sw.step.Source, UUID: sw.uuid})
	if err != nil {
		return refuse(retention.RefuseHoldUnreadable, "holds cannot be read, so nothing acts: %v", err)
	}
	all, err := sw.source.Partitions(ctx, sw.bound.Selection, sw.follows(holds))
	if err != nil {
		return fmt.Errorf("reading table %q: %w", sw.step.Table, err)
	}
	for i := range all {
		if sw.stop.Err() != nil {
			return nil
		}
		if all[i].Kept > 0 || all[i].Rows > sw.left() { // or some of them were not planned
			continue
		}
		if err := sw.drop(ctx, &all[i]); err != nil {
			return err
		}
		sw.progress(sw.soFar())
	}
	return nil
}

// dropTries is how often a partition that others are using is tried.
const dropTries = 3

// drop drops one partition, or leaves it to be done by rows.
func (sw *stepWork) drop(ctx context.Context, p *retention.Partition) error {
	for try := range dropTries {
		_, took, err := sw.apply(ctx, part{whole: p})
		switch {
		case err == nil:
			sw.mu.Lock()
			sw.report.Dropped++
			sw.mu.Unlock()
			sw.rests(ctx, took, 1) // whatever its rows, they cost nothing one by one
			return nil
		case errors.Is(err, errFatal), errors.Is(err, retention.ErrUnsettled):
			return err
		case errors.Is(err, retention.ErrLocked):
			sw.sleep(time.Duration(try+1) * 50 * time.Millisecond)
			continue
		case !errors.Is(err, retention.ErrNotWhole) && !errors.Is(err, retention.ErrUnplanned):
			return err
		}
		sw.byRows(p, err)
		return nil
	}
	sw.byRows(p, retention.ErrLocked)
	return nil
}

func (sw *stepWork) byRows(p *retention.Partition, why error) {
	say := sw.Log.Info
	if errors.Is(why, retention.ErrRowsAside) {
		say = sw.Log.Warn
	}
	say("a partition goes by rows", zap.String("source", sw.step.Source), zap.String("partition", p.Name.String()), zap.Error(why))
}
