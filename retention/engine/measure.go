package engine

import (
	"context"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// Measure is told what work costs, by several goroutines; it must not block. Its
// zero value is told nothing.
type Measure struct {
	// Batch: what a batch took in its source, and how long until the hold gate let it
	// in; negative: it did not get there.
	Batch func(policy, rule, source string, took, gate time.Duration)
	// Waited: that long batches left the source to others, and why: a word of
	// [retention.WaitReason].
	Waited func(policy, rule, source string, why retention.WaitReason, d time.Duration)
}

// waited tells that batches waited.
func (sw *stepWork) waited(why retention.WaitReason, d time.Duration) {
	if f := sw.Measure.Waited; f != nil && d > 0 {
		f(sw.step.Policy, sw.step.Rule, sw.step.Source, why, d)
	}
}

// atGate makes a batch tell when the hold gate let it in: it is admitted once it
// holds the gate. The func returned says how long that took; negative: it did not
// get there.
func (sw *stepWork) atGate(b *retention.Batch) func() time.Duration {
	gate, began, admit := time.Duration(-1), sw.Now(), b.Admit
	b.Admit = func(ctx context.Context, g retention.Gate) (*retention.HoldSet, error) {
		gate = sw.Now().Sub(began)
		return admit(ctx, g)
	}
	return func() time.Duration { return gate }
}

// away makes a batch tell how long its vault was at work after it had read the rows:
// a slow disk there is no reason for smaller batches, which need it as often.
func (sw *stepWork) away(b *retention.Batch) func() time.Duration {
	var took time.Duration
	if seal := b.Copy; seal != nil {
		b.Copy = func(ctx context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
			var since time.Time
			defer func() {
				if !since.IsZero() {
					took = sw.Now().Sub(since)
				}
			}()
			return seal(ctx, func(to retention.RowWriter) error {
				err := read(to)
				since = sw.Now()
				return err
			})
		}
	}
	return func() time.Duration { return took }
}

// measured tells what a batch took.
func (sw *stepWork) measured(took, gate time.Duration) {
	if f := sw.Measure.Batch; f != nil {
		f(sw.step.Policy, sw.step.Rule, sw.step.Source, took, gate)
	}
}
