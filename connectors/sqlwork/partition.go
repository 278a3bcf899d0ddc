package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// Partitioner is an engine that drops a partition inside a transaction. Its methods
// return [retention.ErrNotWhole] where the partition has to go by rows, and
// [retention.ErrLocked] where others are in the way.
type Partitioner interface {
	// Over are the partitions whose bounds lie before the cutoff, in their order:
	// not the default one, nor the last, nor any that something depends on. What is
	// in them is not asked.
	Over(ctx context.Context, s Session, t *retention.Table, m retention.MemberTest) ([]retention.TableName, error)
	// Freeze lets nobody else change the partition's rows until the transaction ends.
	Freeze(ctx context.Context, s Session, t *retention.Table, part retention.TableName) error
	// Drop drops the partition, with a new look at what it is once nobody else can
	// change that.
	Drop(ctx context.Context, s Session, t *retention.Table, part retention.TableName) error
}

// Partitions asks the bounds, and then each partition that they leave: one row that
// is not due keeps it. It reads where batches act: what a replica does not have yet
// would keep nothing, and its roles may not look into partitions.
func (s *Source) Partitions(ctx context.Context, sel retention.Selection, h *retention.HoldSet) ([]retention.Partition, error) {
	e, ok := s.e.(Partitioner)
	if !ok || len(sel.Clock.Members) != 1 || sel.Clock.Members[0].Related != nil {
		return nil, nil
	}
	var out []retention.Partition
	err := s.e.Look(AtSource(ctx), func(q Session) error {
		over, err := e.Over(ctx, q, sel.Table, sel.Clock.Members[0])
		for _, name := range over {
			var all, due int64
			if all, due, err = s.whole(ctx, q, sel, h, name); err != nil {
				return err
			}
			if all > 0 && all == due {
				out = append(out, retention.Partition{Name: name, Rows: all})
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("partitions of table %s: %w", sel.Table.Name, err)
	}
	return out, nil
}

// whole counts the partition's rows, and those of them that are due.
func (s *Source) whole(ctx context.Context, q Session, sel retention.Selection, h *retention.HoldSet, part retention.TableName) (all, due int64, err error) {
	g, err := s.Gen(sel, h)
	if err != nil {
		return 0, 0, err
	}
	x, err := g.Whole(part)
	if err != nil {
		return 0, 0, err
	}
	if err := q.QueryRowxContext(ctx, x.Text, x.Args...).Scan(&all, &due); err != nil {
		return 0, 0, fmt.Errorf("count partition %s: %w", part, err)
	}
	return all, due, nil
}

// partition drops the batch's partition: its rows are frozen, every one of them is
// tested again, and none may be there that was not planned.
func (w *work) partition(ctx context.Context) error {
	p, t := w.b.Partition, w.b.Selection.Table
	e, err := w.droppable()
	if err != nil {
		return err
	}
	if err := e.Freeze(ctx, w.q, t, p.Name); err != nil {
		return err
	}
	all, due, err := w.whole(ctx, w.q, w.b.Selection, w.holds, p.Name)
	switch {
	case err != nil:
		return err
	case due != all || all == 0:
		return fmt.Errorf("partition %s: %d of its %d rows are due: %w", p.Name, due, all, retention.ErrNotWhole)
	case all > p.Rows:
		return fmt.Errorf("partition %s has %d rows, and %d were planned: %w", p.Name, all, p.Rows, retention.ErrUnplanned)
	}
	w.b.Reach(retention.PointTested)
	if err := e.Drop(ctx, w.q, t, p.Name); err != nil {
		return err
	}
	w.out.Done, w.out.Spared.Gone = all, p.Rows-all
	w.b.Reach(retention.PointActed)
	return w.receipt(ctx)
}

// droppable refuses what a drop would not do: nothing but the table's own rows may
// go, and nothing else may follow from it. Binding sees to it before; this holds
// whoever bound the batch.
func (w *work) droppable() (Partitioner, error) {
	a, t := &w.b.Action, w.b.Selection.Table
	e, ok := w.e.(Partitioner)
	if !ok || !a.Whole || a.Kind != retention.Delete || !w.plain() {
		return nil, fmt.Errorf("table %s: its partitions go by rows: %w", t.Name, retention.ErrNotWhole)
	}
	return e, nil
}
