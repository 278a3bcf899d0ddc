package notify

import (
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/schedule"
)

// Observe makes notices of what the daemon tells. It never blocks.
func (c *Center) Observe(e schedule.Event) {
	switch e.Kind {
	case schedule.Refused:
		for _, r := range e.Refusals {
			c.Tell(refused(r, e))
		}
	case schedule.PlanParked:
		c.Tell(Wanted(e.Plan, e.Slot.Policy, e.At))
	case schedule.RunEnded:
		c.ended(e)
	case schedule.SlotMissed:
		if n, ok := missed(e); ok {
			c.Tell(n)
		}
	case schedule.StoreDown:
		c.Tell(Notice{Kind: StoreDown, Cause: "state_down", At: e.At, Text: "The state store does not answer: nothing acts until it does.",
			Do: "Look at the daemon's log and at the state store's server."})
	case schedule.StoreUp:
		c.Over("state_down")
	case schedule.PolicyAway, schedule.PolicyBack, schedule.PolicyGone:
		c.policy(e)
	case schedule.BadSchedule:
		c.Tell(Notice{Kind: PolicyDown, Cause: "schedule:" + e.Slot.Policy, Policy: e.Slot.Policy, At: e.At,
			Text: "A schedule of the policy cannot be read: its rules stand still.", Do: "Run retentiond policy validate."})
	}
}

// policy tells of a policy whose file is missing.
func (c *Center) policy(e schedule.Event) {
	name := e.Slot.Policy
	n := Notice{Kind: PolicyDown, Cause: "away:" + name, Policy: name, At: e.At, Do: "Put its file back, or send SIGHUP once the policies are as they should be."}
	switch e.Kind {
	case schedule.PolicyAway:
		n.Text = "The file of the policy is missing: its rules stand still, its minimums go on protecting for a while."
		c.Tell(n)
		return
	case schedule.PolicyGone:
		n.Cause, n.Text = "gone:"+name, "The file of the policy is gone: its rules no longer run, and its minimums no longer protect."
		c.Tell(n)
	case schedule.PolicyBack:
		c.Over("gone:" + name)
	}
	c.Over("away:" + name)
}

func refused(r retention.Refusal, e schedule.Event) Notice {
	n := Notice{Kind: Refusal, Cause: fmt.Sprintf("refusal:%s/%s:%s", r.Policy, r.Rule, r.Code), Policy: r.Policy, Rule: r.Rule,
		Code: string(r.Code), Plan: e.Plan, Run: e.Run, At: e.At,
		Text: "A run was refused: " + wordOf(r.Code) + ".", Do: "Run retentiond plan, and retentiond runs show " + e.Run + "."}
	if r.Code == retention.RefuseStateMismatch {
		n.Kind = Restored
		n.Text = "A source and the state store do not fit: one of them went back in time, or was replaced. Nothing acts there."
		n.Do = "Run retentiond status: it says what came back. Look at a new plan, then retentiond check --adopt --by NAME --reason TEXT; " +
			"every rule of the source then waits for an approval."
	}
	return n
}

// Wanted is the notice of a plan that waits for an approval.
func Wanted(plan, policy string, at time.Time) Notice {
	return Notice{Kind: Approval, Cause: "approval:" + plan, Policy: policy, Plan: plan, At: at,
		Text: "A plan waits for an approval: its rules do nothing until somebody decides.",
		Do:   "Look at it, then: retentiond approve " + plan + " --by NAME --reason TEXT, or retentiond reject."}
}

// ended tells of failures, and that causes are over for rules that did well.
func (c *Center) ended(e schedule.Event) {
	r := e.Report
	if r == nil || r.Interrupted || r.ResumeAt != nil {
		return
	}
	if e.Err != nil && !schedule.Busy(e.Err) {
		c.Tell(Notice{Kind: Failure, Cause: "failure:" + e.Slot.Policy + "/", Policy: e.Slot.Policy, Run: e.Run, At: e.At,
			Text: "A run ended with an error.", Do: "Look at the daemon's log: it is tried again."})
		return
	}
	bad := map[string]bool{}
	for _, f := range r.Refusals {
		bad[f.Policy+"/"+f.Rule] = true
	}
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Error != "" || s.Spared.Failed > 0 {
			bad[s.Policy+"/"+s.Rule] = true
			c.Tell(Notice{Kind: Failure, Cause: "failure:" + s.Policy + "/" + s.Rule, Policy: s.Policy, Rule: s.Rule, Source: s.Source, Run: r.Run,
				Rows: s.Spared.Failed, At: e.At, Text: "A step failed; what it had done is audited, the rest is tried again.", Do: "Run retentiond runs show " + r.Run + "."})
		}
	}
	if bad["/"] || bad[e.Slot.Policy+"/"] {
		return // the whole run, or the policy, was refused
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		if name := s.Policy + "/" + s.Rule; !bad[name] {
			c.Over("refusal:" + name + ":")
			c.Over("failure:" + name)
		}
	}
	if len(r.Steps) > 0 && e.Err == nil {
		c.Over("refusal:" + e.Slot.Policy + "/:")
		c.Over("failure:" + e.Slot.Policy + "/")
		c.Over("refusal:/:")
	}
}

// missed tells of slots that nobody ran; one that the next overtook was run, in effect.
func missed(e schedule.Event) (Notice, bool) {
	n := Notice{Kind: Missed, Cause: "missed:" + e.Slot.Policy + ":" + string(e.Missed.Why), Policy: e.Slot.Policy, Rows: 0, At: e.At,
		Do: "Run retentiond runs list and retentiond status."}
	switch e.Missed.Why {
	case retention.MissedDown:
		n.Text = fmt.Sprintf("%d slots were missed while no daemon was at work.", e.Missed.Count)
	case retention.MissedAttempts:
		n.Text = "A slot was given up: it was tried as often as a slot is."
	default:
		return n, false
	}
	return n, true
}

// wordOf is a refusal's code in words.
func wordOf(c retention.RefusalCode) string {
	words := map[retention.RefusalCode]string{
		retention.RefuseLimitRows:        "more rows than its limit",
		retention.RefuseLimitShare:       "a larger share of the table than its limit",
		retention.RefuseApproval:         "it waits for an approval",
		retention.RefuseClock:            "the clock guard, since clocks disagree or jumped",
		retention.RefuseSchemaDrift:      "a table changed since the rule last acted",
		retention.RefuseColumnsUncovered: "a column that the rule does not name",
		retention.RefuseForeignKey:       "a foreign key stands in the way",
		retention.RefuseHoldUnreadable:   "a hold cannot be read",
		retention.RefuseGate:             "the source has no gate and receipt tables",
		retention.RefuseKillSwitch:       "everything is stopped",
		retention.RefusePolicyError:      "a policy does not load or does not fit its tables",
		retention.RefuseSourceDown:       "a source does not answer",
		retention.RefusePrivilege:        "the database user lacks a privilege",
		retention.RefuseUnsafeTable:      "a table cannot be acted on safely",
		retention.RefuseNeverArchived:    "rows were never archived",
		retention.RefuseKAnonymity:       "groups would be too small",
		retention.RefuseExpiredPlan:      "its plan expired or means something else now",
	}
	if w, ok := words[c]; ok {
		return w
	}
	return string(c)
}
