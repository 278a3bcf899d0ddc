package retention

import (
	"context"
	"fmt"
	"time"
)

// SlotID is one time at which the rules of a policy that share a schedule are to
// run. Policy, Set and At tell a slot from all others.
type SlotID struct {
	Policy string
	Set    string    // the rule set: the schedule that its rules share, as written
	At     time.Time // the time that the schedule names, as an instant
	Zone   string    // in which it is written
}

// String names the slot as people read it.
func (s SlotID) String() string {
	return fmt.Sprintf("slot %s of policy %s", s.Time(), s.Policy)
}

// Time writes the slot's time in its zone.
func (s SlotID) Time() string {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil { // the zone was known when the slot was made
		return s.At.UTC().Format(time.RFC3339)
	}
	return s.At.In(zone).Format("2006-01-02 15:04 ") + s.Zone
}

// RuleSetID names the rules of a policy that share a schedule.
type RuleSetID struct{ Policy, Set string }

// RuleSet is the rule set that the slot belongs to.
func (s SlotID) RuleSet() RuleSetID { return RuleSetID{s.Policy, s.Set} }

// SlotRun is the slot that a run is of, and the attempt at it.
type SlotRun struct {
	SlotID
	Attempt int64
}

// SlotState is what became of a slot.
type SlotState string

// Slot states.
const (
	SlotOpen    SlotState = "open"    // to be run
	SlotRunning SlotState = "running" // claimed
	SlotPaused  SlotState = "paused"  // its run was stopped between batches, and goes on later
	SlotDone    SlotState = "done"
	SlotSkipped SlotState = "skipped" // missed, with a slot.missed entry
	SlotFailed  SlotState = "failed"  // given up after [MaxTries], with a slot.missed entry
)

// MaxTries is how often a slot is tried.
const MaxTries = 5

// Slot is a slot in the state store.
type Slot struct {
	SlotID
	Due     time.Time // when it may be claimed: its time, and jitter
	State   SlotState
	Attempt int64 // fencing number of the claim
	Tries   int   // attempts that count against [MaxTries]
	Owner   string
	After   time.Time // not before
	Reason  string    // why it waits, or was given up: a word
	Run     string    // the run that did it
	Begun   bool      // it was paused before this claim: its run goes on
	Claimed time.Time // when, by the store's clock
	Lease   time.Duration
}

// MissedSlots are slots of a rule set that nobody will run, and why.
type MissedSlots struct {
	First, Last time.Time
	Count       int64
	Why         MissedWhy
}

// MissedWhy is why a slot was missed.
type MissedWhy string

// Reasons.
const (
	MissedDown      MissedWhy = "down"      // nobody was there to run it, and a later one catches up
	MissedOvertaken MissedWhy = "overtaken" // the next one came before it could run
	MissedAttempts  MissedWhy = "attempts"  // it was tried as often as a slot is
	MissedRetired   MissedWhy = "retired"   // no policy has its schedule any more
)

// Firing makes due slots of one rule set durable, each once.
type Firing struct {
	RuleSetID
	Zone     string
	From, To time.Time // slots after From were not fired yet; those up to To are now
	Slots    []DueSlot
	Missed   MissedSlots // Count 0: none
	Overtake bool        // slots that nobody began give way to the newest
}

// DueSlot is a slot's time and when it may be claimed.
type DueSlot struct{ At, Due time.Time }

// SlotEnd is what becomes of a claimed slot.
type SlotEnd struct {
	State   SlotState
	Reason  string
	After   time.Time // open, paused: not before
	Counted bool      // open, paused: the attempt counts against [MaxTries]
}

// Slots keeps the slots of the schedules, so that each is run once, whoever runs it.
type Slots interface {
	// FiredUntil returns until when the slots of each rule set were fired, and the
	// store's time. A rule set that is new, or back after it was retired, starts now.
	FiredUntil(ctx context.Context, sets []RuleSetID) (until map[RuleSetID]time.Time, now time.Time, err error)
	// Fire stores due slots, and what was missed, with slot.missed entries.
	// ErrDecided: somebody else fired meanwhile.
	Fire(ctx context.Context, f Firing) error
	// Retire notes which rule sets are no more; their open slots are skipped after
	// an hour.
	Retire(ctx context.Context, inForce []RuleSetID) error
	// ClaimSlot claims a slot that is due, of those that may be taken: of the policy
	// that waits longest, its oldest. One that was tried [MaxTries] times is failed,
	// and returned in failed. ok = false: none is due.
	ClaimSlot(ctx context.Context, owner string, may func(RuleSetID) bool) (s Slot, failed []Slot, ok bool, err error)
	// RenewSlot is the heartbeat of a claim; ErrFenced when another took over.
	RenewSlot(ctx context.Context, s Slot) error
	// EndSlot ends a claim; ErrFenced when another took over.
	EndSlot(ctx context.Context, s Slot, e SlotEnd) error
	// OpenSlots lists the slots that are not over, oldest first.
	OpenSlots(ctx context.Context) ([]Slot, error)
}

// SlotOver reports whether a slot is over with this report. What a later try may
// do better leaves it open; a refusal that waits for a person does not.
func (r *RunReport) SlotOver() bool {
	if r.Interrupted || r.ResumeAt != nil || r.Verdict == VerdictFailed {
		return false
	}
	for _, f := range r.Refusals {
		switch f.Code {
		case RefuseKillSwitch, RefuseClock, RefuseSourceDown, RefusePrivilege:
			return false
		}
	}
	for _, s := range r.Steps {
		if s.Spared.Failed > 0 || s.Error != "" {
			return false
		}
	}
	return true
}
