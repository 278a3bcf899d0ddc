package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Ranged is an engine whose tables have partitions that may go as a whole: as a
// [Partitioner] drops them, or as an [Exchanger] does.
type Ranged interface {
	// Over are the partitions whose bounds lie before the cutoff, in their order:
	// not the default one, nor the last, nor any that something depends on. What is
	// in them is not asked.
	Over(ctx context.Context, s Session, t *retention.Table, m retention.MemberTest) ([]retention.Partition, error)
}

// Partitioner is an engine that drops a partition inside a transaction. Its methods
// return [retention.ErrNotWhole] where the partition has to go by rows, and
// [retention.ErrLocked] where others are in the way.
type Partitioner interface {
	Ranged
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
	e, ok := s.e.(Ranged)
	if !ok || len(sel.Clock.Members) != 1 || sel.Clock.Members[0].Related != nil {
		return nil, nil
	}
	var out []retention.Partition
	err := s.e.Look(AtSource(ctx), func(q Session) error {
		over, err := e.Over(ctx, q, sel.Table, sel.Clock.Members[0])
		for _, p := range over {
			var c counted
			if c, err = s.whole(ctx, q, sel, h, p.Name, (*sqlgen.Gen).Whole); err != nil {
				return err
			}
			if p.Rows, p.Kept = c.all, c.all-c.due; s.hides(c) {
				p.Kept = c.all
			}
			if p.Rows > 0 {
				out = append(out, p)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("partitions of table %s: %w", sel.Table.Name, err)
	}
	return out, nil
}

// counted is what a partition holds.
type counted struct {
	all, due int64
	itself   bool // a test reads other rows of the table
}

// hides is whether a test would miss rows that are set aside while it is made.
func (s *Source) hides(c counted) bool {
	_, aside := s.e.(Exchanger)
	return aside && c.itself
}

// whole counts the partition's rows, and those of them that are due.
func (s *Source) whole(ctx context.Context, q Session, sel retention.Selection, h *retention.HoldSet, part retention.TableName,
	rows func(*sqlgen.Gen, retention.TableName) (sqlgen.Query, error),
) (c counted, err error) {
	g, err := s.Gen(sel, h)
	if err != nil {
		return c, err
	}
	x, err := rows(g, part)
	if err != nil {
		return c, err
	}
	c.itself = g.ReadsItself()
	if err := q.QueryRowxContext(ctx, x.Text, x.Args...).Scan(&c.all, &c.due); err != nil {
		return c, fmt.Errorf("count partition %s: %w", part, err)
	}
	return c, nil
}

// judge refuses a partition that may not go.
func (w *work) judge(c counted) error {
	p := w.b.Partition
	switch {
	case c.due != c.all || c.all == 0:
		return fmt.Errorf("partition %s: %d of its %d rows are due: %w", p.Name, c.due, c.all, retention.ErrNotWhole)
	case c.all > p.Rows:
		return fmt.Errorf("partition %s has %d rows, and %d were planned: %w", p.Name, c.all, p.Rows, retention.ErrUnplanned)
	case w.hides(c):
		return fmt.Errorf("partition %s: a test reads other rows of table %s: %w", p.Name, w.b.Selection.Table.Name, retention.ErrNotWhole)
	}
	w.out.Done, w.out.Spared.Gone = c.all, p.Rows-c.all
	return nil
}

// partition drops the batch's partition: its rows are frozen, every one of them is
// tested again, and none may be there that was not planned.
func (w *work) partition(ctx context.Context) error {
	p, t := w.b.Partition, w.b.Selection.Table
	e, ok := w.e.(Partitioner)
	if !ok || !w.droppable() {
		return w.byRows()
	}
	if err := e.Freeze(ctx, w.q, t, p.Name); err != nil {
		return err
	}
	c, err := w.whole(ctx, w.q, w.b.Selection, w.holds, p.Name, (*sqlgen.Gen).Whole)
	if err != nil {
		return err
	}
	if err := w.judge(c); err != nil {
		return err
	}
	w.b.Reach(retention.PointTested)
	if err := e.Drop(ctx, w.q, t, p.Name); err != nil {
		return err
	}
	w.b.Reach(retention.PointActed)
	return w.receipt(ctx)
}

// droppable refuses what a drop would not do: nothing but the table's own rows may
// go, and nothing else may follow from it. Binding sees to it before; this holds
// whoever bound the batch.
func (w *work) droppable() bool {
	a, t := &w.b.Action, w.b.Selection.Table
	return a.Whole && a.Kind == retention.Delete && len(t.RangeKey) > 0 && t.WholeNot == "" && w.plain()
}

func (w *work) byRows() error {
	return fmt.Errorf("table %s: its partitions go by rows: %w", w.b.Selection.Table.Name, retention.ErrNotWhole)
}
