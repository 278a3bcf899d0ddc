package state

import (
	"context"

	"github.com/retentiond/retentiond/retention"
)

// soFar sums up the outcomes of a run that has no report. Intents for files that rows
// owned are left out: a report has them as children, not as rows.
func (t *tx) soFar(ctx context.Context, r *runRow) (*retention.RunSoFar, error) {
	var rows []struct {
		ID        string `db:"id"`
		Concluded int64  `db:"concluded"`
		Outcome   []byte `db:"outcome"`
	}
	if err := t.all(ctx, &rows, "SELECT id, concluded, outcome FROM intents WHERE run = ? AND id NOT LIKE '%/files-%'", r.ID); err != nil {
		return nil, err
	}
	sums := &retention.RunSoFar{}
	for _, in := range rows {
		if in.Concluded == 0 {
			sums.Open++
			continue
		}
		var o retention.Outcome
		if err := fromJSON("the outcome of intent "+in.ID, in.Outcome, &o); err != nil {
			return nil, err
		}
		sums.Batches++
		sums.Done += o.Done
		sums.Spared.Add(o.Spared)
	}
	lives, err := t.leased(ctx, r.Attempt)
	sums.Died = !lives && sums.Open == 0
	return sums, err
}

// leased reports whether the lease of that attempt is not over.
func (t *tx) leased(ctx context.Context, attempt int64) (bool, error) {
	var held []leaseRow
	if err := t.all(ctx, &held, "SELECT "+leaseColumns+" FROM lease WHERE attempt = ? AND until > ?", attempt, micros(t.now)); err != nil {
		return false, err
	}
	for _, l := range held {
		if !t.s.proc.gone(l.Process) {
			return true, nil
		}
	}
	return false, nil
}
