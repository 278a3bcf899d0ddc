package engine

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// rest accounts for planned rows that no batch named: rows that stopped being
// due between plan and page, or that a stop or failure left (L6).
func (sw *stepWork) rest() {
	n := sw.left()
	if n <= 0 {
		return
	}
	halted := sw.stop.Err() != nil
	switch {
	case sw.refused, halted && sw.report.Error == "" && sw.lost() == nil:
		sw.report.Spared.NotReached += n
	case halted, sw.report.Error != "", sw.source == nil:
		sw.report.Spared.Failed += n // of a batch that failed, or whose end another process settles
	default:
		sw.report.Spared.Add(sw.reasons(n))
		return
	}
	if sw.report.Error == "" {
		sw.report.Error = sw.whyStopped()
	}
}

// reasons compares the classes of now with those of the plan: what is held,
// protected or blocked more, what the table lost, and the rest has changed.
func (sw *stepWork) reasons(n int64) retention.Spared {
	ctx := context.WithoutCancel(sw.stop)
	out := retention.Spared{}
	holds, err := sw.Store.HoldSet(ctx, retention.SourceRecord{Name: sw.step.Source, UUID: sw.uuid})
	if err != nil {
		return retention.Spared{Changed: n}
	}
	c, _, err := sw.tally(ctx, sw.view, sw.bound, sw.follows(holds), nil)
	if err != nil {
		return retention.Spared{Changed: n}
	}
	was, is := sw.step.Classes, c.Classes
	share := func(to *int64, more int64) {
		k := min(n, max(0, more))
		*to += k
		n -= k
	}
	share(&out.Held, is.Held-was.Held-sw.report.Spared.Held)
	share(&out.Protected, is.Protected-was.Protected-sw.report.Spared.Protected)
	share(&out.Blocked, is.Blocked-was.Blocked-sw.report.Spared.Blocked)
	removed := int64(0)
	if sw.step.Action.Takes() {
		removed = sw.report.Done
	}
	share(&out.Gone, was.Total-removed-is.Total-sw.report.Spared.Gone)
	out.Changed += n
	return out
}

// remember keeps what the rule last did and on which schema, so that a later
// change of either is noticed before the next write.
func (sw *stepWork) remember(ctx context.Context) error {
	complete := sw.left() <= 0 && sw.report.Spared.Failed == 0 && sw.report.Error == ""
	err := sw.Store.ChangeSeen(ctx, sw.lease.Attempt, sw.step.Policy, retention.AtTenant(sw.step.Rule, sw.step.Source), func(seen *retention.RuleSeen, _ bool) bool {
		// A rule of several stages is complete where each of them is.
		seen.Complete = complete && (seen.Complete || !seen.RanAt.Equal(sw.plan.AsOf))
		seen.Fingerprint, seen.RanAt = sw.step.Fingerprint, sw.plan.AsOf
		if seen.Meaning == "" || within(seen.Meaning, sw.step.Meaning) { // what protects more from now on is missed when it goes
			seen.Meaning = sw.step.Meaning
		}
		return true
	})
	if err != nil {
		return fatal(fmt.Errorf("keeping what rule %q did: %w", sw.step.Rule, err))
	}
	return nil
}
