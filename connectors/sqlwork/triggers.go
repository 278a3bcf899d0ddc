package sqlwork

import (
	"context"

	"github.com/retentiond/retentiond/retention"
)

// alone acts, and refuses what triggers changed beside it: nobody planned,
// counted or held those rows. Binding refuses such triggers before; this holds
// whoever bound the batch.
func (w *work) alone(ctx context.Context) error {
	if !w.triggered() {
		return w.act(ctx)
	}
	before, tells, err := w.e.Changed(ctx, w.q)
	if err != nil {
		return err
	}
	if err := w.act(ctx); err != nil {
		return err
	}
	if err := w.fire(ctx, w.q); err != nil || !tells {
		return err
	}
	after, _, err := w.e.Changed(ctx, w.q)
	if err != nil {
		return err
	}
	if more := after - before - w.changed; more != 0 {
		return refusal(retention.RefuseUnsafeTable, "table %s: triggers changed %d rows beside those that were meant: nothing was done; drop the trigger, or do its work in the application", w.b.Selection.Table.Name, more)
	}
	return nil
}

// triggered is whether a table that the batch writes to has a trigger.
func (w *work) triggered() bool {
	touched := []retention.TableName{w.b.Selection.Table.Name}
	for _, c := range w.b.Action.Children {
		touched = append(touched, c.Table)
	}
	if v := w.b.Action.Into; v != nil && v.Source == "" {
		touched = append(append(touched, v.Table), v.Children...)
	}
	for _, n := range touched {
		if len(w.table(n).Triggers) > 0 {
			return true
		}
	}
	return false
}
