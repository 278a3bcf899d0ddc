package notify

import (
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/console"
	"github.com/retentiond/retentiond/retention/schedule"
)

// Facts makes notices of what a look at everything found, so that what lasts is
// told again a day later. It never blocks.
func (c *Center) Facts(f console.Facts) {
	if f.Store != nil {
		return // the daemon's own events tell of it
	}
	for _, id := range f.Waiting {
		c.Tell(Wanted(id, "", f.At))
	}
	for _, h := range f.Reviews {
		c.Tell(Notice{Kind: Review, Cause: "review:" + h.ID + ":" + h.Review, Hold: h.ID, At: f.At,
			Text: "The review date of a hold has come: " + h.Review + ".", Do: "Run retentiond hold show " + h.ID + ": release it, or go on holding."})
	}
	if f.Log != nil {
		c.Tell(Notice{Kind: LogBroken, Cause: "audit_log", At: f.At, Text: "The audit log cannot be signed: nothing acts.", Do: "Run retentiond audit verify."})
	} else {
		c.Over("audit_log")
	}
	if f.Policies.Failed > 0 {
		c.Tell(Notice{Kind: PolicyDown, Cause: "policies", At: f.At, Text: fmt.Sprintf("%d policy files do not load: their rules stand still.", f.Policies.Failed),
			Do: "Run retentiond policy validate."})
	} else {
		c.Over("policies")
	}
	c.sources(f)
	c.backlog(f)
}

func (c *Center) sources(f console.Facts) {
	for _, s := range f.Sources {
		if s.Code != string(retention.RefuseStateMismatch) {
			c.Over("restored:" + s.Name + ":")
			continue
		}
		n := refused(retention.Refusal{Code: retention.RefuseStateMismatch}, schedule.Event{At: f.At})
		n.Cause, n.Source, n.Rows = "restored:"+s.Name+":", s.Name, s.Forgotten
		if s.Forgotten > 0 {
			n.Text += fmt.Sprintf(" The source forgot what was done to %d rows: they may be back.", s.Forgotten)
		}
		c.Tell(n)
	}
}

// backlog tells of rules whose overdue rows grew from count to count to count.
func (c *Center) backlog(f console.Facts) {
	if f.Known == nil {
		return
	}
	for on, b := range f.Known.Rules {
		cause := fmt.Sprintf("backlog:%s/%s/%s", on.Policy, on.Rule, on.Source)
		counts := append([]int64{b.Left()}, f.Known.Before[on]...)
		if !grows(counts) {
			if b.Left() == 0 {
				c.Over(cause)
			}
			continue
		}
		c.Tell(Notice{Kind: Backlog, Cause: cause, Policy: on.Policy, Rule: on.Rule, Source: on.Source, Rows: b.Left(), At: f.At,
			Text: fmt.Sprintf("The rule's overdue rows grow from run to run: %d now.", b.Left()),
			Do:   "Run retentiond inventory: it says what explains them."})
	}
}

// grows reports whether the newest three counts, newest first, rise.
func grows(counts []int64) bool {
	const enough = 3
	if len(counts) < enough {
		return false
	}
	return counts[0] > counts[1] && counts[1] > counts[2]
}
