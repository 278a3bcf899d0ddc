package sqlwork

import (
	"context"
	"errors"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Exchanger is an engine on which a change of a table commits. A partition goes in
// steps there: its rows are tested, set aside into a table of our own, which nobody
// else uses, tested again, and given up in the transaction of the receipt. One law
// keeps them: only a receipt of state done lets rows that were set aside go; without
// it they are put back, by whoever comes next.
//
// Errors are [retention.ErrNotWhole] where the partition has to go by rows, and
// [retention.ErrLocked] where others are in the way.
type Exchanger interface {
	Ranged
	// Altering runs do in one session, while no other session of ours drops
	// partitions of the source, settles, or lets a hold pass. Change inside do is in
	// that session: once it is over, nothing of it is still on its way.
	Altering(ctx context.Context, do func(context.Context) error) error
	// SetAside moves the partition's rows at once, once nobody has one of them locked.
	SetAside(ctx context.Context, intent string, t *retention.Table, part retention.TableName) (retention.TableName, error)
	// Aside is the intent whose rows, or whose empty table, are set aside; empty: none.
	Aside(ctx context.Context) (intent string, err error)
	// PutBack puts every row that was set aside back where it was.
	PutBack(ctx context.Context) error
	// GiveUp drops what was set aside, and the partition if it is still empty.
	GiveUp(ctx context.Context) error
}

// aside does a batch of one partition.
func (s *Source) aside(ctx context.Context, e Exchanger, w *work) error {
	if !w.droppable() {
		return w.byRows()
	}
	defer w.ended()
	return e.Altering(ctx, func(ctx context.Context) error {
		if err := s.tidy(ctx, e); err != nil { // what a process left that died
			return err
		}
		if err := s.e.Change(ctx, Shared, s.wait, func(q Session) error { return w.sure(ctx, q) }); err != nil {
			return err
		}
		err := w.exchange(ctx, e)
		if again := s.tidy(ctx, e); again != nil {
			return errors.Join(err, again)
		}
		return err
	})
}

// sure tests the partition while its rows are still in place: none is moved that a
// hold or a clock keeps.
func (w *work) sure(ctx context.Context, q Session) error {
	w.q = q
	w.b.Reach(retention.PointBegun)
	if err := w.admitted(ctx); err != nil {
		return err
	}
	if err := w.unsettled(ctx); err != nil {
		return err
	}
	if w.b.Turn != nil {
		w.end = w.b.Turn()
	}
	c, err := w.whole(ctx, q, w.b.Selection, w.holds, w.b.Partition.Name, (*sqlgen.Gen).Whole)
	if err == nil {
		err = w.judge(c)
	}
	if err != nil {
		return err
	}
	w.b.Reach(retention.PointTested)
	return nil
}

// unsettled: an intent that was settled never sets rows aside.
func (w *work) unsettled(ctx context.Context) error {
	var n int
	x := w.write("SELECT count(*) FROM %s WHERE intent = %s", w.own(receiptTable), w.b.Intent)
	if err := w.q.GetContext(ctx, &n, x.Text, x.Args...); err != nil {
		return fmt.Errorf("look for the receipt of intent %s: %w", w.b.Intent, err)
	}
	if n > 0 {
		return fmt.Errorf("intent %s was settled before: it can never commit", w.b.Intent)
	}
	return nil
}

// exchange sets the rows aside, tests them there once more, with the holds of now,
// and gives them up with the receipt.
func (w *work) exchange(ctx context.Context, e Exchanger) error {
	p := w.b.Partition
	rows, err := e.SetAside(ctx, w.b.Intent, w.b.Selection.Table, p.Name)
	if err != nil {
		return err
	}
	w.b.Reach(retention.PointActed)
	err = w.e.Change(ctx, Shared, w.wait, func(q Session) error {
		w.q = q
		gate, err := w.ReadGate(ctx, q)
		if err != nil {
			return err
		}
		if !gate.Installed {
			return refusal(retention.RefuseGate, "%s has no gate: run check --install", w.e.Name())
		}
		if w.holds, err = w.b.Admit(ctx, gate); err != nil {
			return err
		}
		if err := w.e.Unchanged(ctx, q, w.b.Selection.Schema); err != nil {
			return err
		}
		c, err := w.whole(ctx, q, w.b.Selection, w.holds, rows, (*sqlgen.Gen).WholeAside)
		if err == nil {
			err = w.judge(c)
		}
		if err == nil {
			err = w.receipt(ctx)
		}
		if err != nil {
			return err
		}
		w.b.Reach(retention.PointCommitting)
		return nil
	})
	if err == nil {
		w.b.Reach(retention.PointCommitted)
	}
	return err
}

// tidy ends what was set aside, as its receipt says. Without one it is abandoned
// here: whoever set it aside is not at work any more.
func (s *Source) tidy(ctx context.Context, e Exchanger) error {
	intent, err := e.Aside(ctx)
	if err != nil || intent == "" {
		return err
	}
	r, err := s.settle(ctx, intent, nil)
	if err != nil {
		return err
	}
	return s.finish(ctx, e, r)
}

// finish puts back, or gives up, the rows of an intent that was settled.
func (s *Source) finish(ctx context.Context, e Exchanger, r retention.Receipt) error {
	intent, err := e.Aside(ctx)
	if err != nil || intent != r.Intent {
		return err
	}
	if r.State == retention.ReceiptDone {
		return e.GiveUp(ctx)
	}
	return e.PutBack(ctx)
}

// settleWhole settles an intent with what it may have set aside.
func (s *Source) settleWhole(ctx context.Context, e Exchanger, intent string, open func(context.Context) error) (r retention.Receipt, err error) {
	err = e.Altering(ctx, func(ctx context.Context) error {
		if r, err = s.settle(ctx, intent, open); err != nil {
			return err
		}
		return s.finish(ctx, e, r)
	})
	if err != nil && !errors.Is(err, retention.ErrUnsettled) {
		err = fmt.Errorf("settle intent %s: %w: %w", intent, retention.ErrUnsettled, err)
	}
	if err != nil {
		return retention.Receipt{}, err
	}
	return r, nil
}
