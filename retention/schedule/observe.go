package schedule

import (
	"time"

	"github.com/retentiond/retentiond/retention"
)

// Kind is what an [Event] tells.
type Kind string

// Kinds of events.
const (
	SlotFired   Kind = "slot.fired"   // Slot, Rules: a due slot is durable
	SlotMissed  Kind = "slot.missed"  // Slot (its policy and set), Missed
	RunStarted  Kind = "run.started"  // Slot, Rules, Latency, Try: a slot was claimed
	RunEnded    Kind = "run.ended"    // Slot, Rules, Report, Err, Took; of an approved plan: Plan, and no Slot time
	RunWaits    Kind = "run.waits"    // Policy and rule at work (Slot.Policy, Rules), Text: why batches wait; empty: no longer
	SlotWaits   Kind = "slot.waits"   // Slot, Text, Until: its run was put off or cut short
	PlanParked  Kind = "plan.parked"  // Slot, Rules, Plan, Refusals: a plan waits for an approval; told once
	Refused     Kind = "refused"      // Slot, Rules, Refusals: what a run was refused, but for parked plans
	StoreDown   Kind = "store.down"   // Err: the state store does not answer; nothing acts
	StoreUp     Kind = "store.up"     // it answers again
	Stopped     Kind = "stopped"      // Text: the kill switch is on
	Resumed     Kind = "resumed"      // it is off again
	BadSchedule Kind = "bad_schedule" // Slot (its policy and set), Err: the set's rules stand still
	Reloaded    Kind = "reloaded"     // Text: what changed; Err: what did not load
	PolicyAway  Kind = "policy.away"  // Slot.Policy: its file is missing; it protects, its rules stand still
	PolicyBack  Kind = "policy.back"  // Slot.Policy: its rules run
	PolicyGone  Kind = "policy.gone"  // Slot.Policy: missing for long; it no longer protects
	Backlog     Kind = "backlog"      // Open, Oldest: at every turn
	Draining    Kind = "draining"     // a stop was asked for
	Drained     Kind = "drained"      // nothing is at work any more
)

// Event is what the daemon tells to whoever looks on: metrics, health,
// notifications. Only the fields that the kind names are set. It holds no rows, no
// identifiers and no passwords.
type Event struct {
	Kind     Kind
	At       time.Time // of the state store's clock; zero where it does not answer
	Slot     retention.SlotID
	Rules    []string
	Run      string
	Plan     string
	Try      int           // from 1
	Latency  time.Duration // from when the slot was due to its claim
	Report   *retention.RunReport
	Refusals []retention.Refusal
	Missed   retention.MissedSlots
	Open     int       // slots that are not over
	Oldest   time.Time // when the oldest of them was due; zero: there is none
	Until    time.Time // when what waits goes on; zero: not known
	Text     string
	Err      error
}

// Observer is told of events, in order for one rule set, by several goroutines. It
// must not block: the daemon waits for it.
type Observer func(Event)

// Observers tells each of several.
func Observers(all ...Observer) Observer {
	return func(e Event) {
		for _, o := range all {
			if o != nil {
				o(e)
			}
		}
	}
}
