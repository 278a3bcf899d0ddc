package retention

import (
	"context"
	"time"

	"github.com/retentiond/retentiond/retention/audit"
)

// The ports to the state store. One store implements them all; every caller
// asks only for what it uses. Every method that writes is durable on return,
// and writes its audit entry in the same transaction (L7). Times that decide
// (lease, grace, expiry) are the store's own clock.

// Journal appends audit entries that record no other state change, and keeps
// the policy texts that were ever in force.
type Journal interface {
	// Record appends entries and returns the number of the last.
	Record(ctx context.Context, events ...audit.Event) (int64, error)
	// KeepPolicy stores a policy text by digest and appends policy.loaded where
	// that digest was not the policy's last.
	KeepPolicy(ctx context.Context, p *Policy) error
	// Keyed is how a person's name or a subject appears in an entry: an HMAC under
	// a key of the log's period, destroyed with it.
	Keyed(ctx context.Context, subject string) (string, error)
	// AdoptLog accepts this log in the place of the one that the checkpoint beside
	// the key was made of, where they do not fit.
	AdoptLog(ctx context.Context, by, reason string) error
	// Expire drops our own records whose time is over.
	Expire(ctx context.Context, k KeepFrom) (Expired, error)
	// Checkpoint signs the tree as it is and stores the checkpoint.
	Checkpoint(ctx context.Context) (audit.Checkpoint, error)
}

// Identity is who the store is and what it last saw.
type Identity interface {
	// UUID is the store's own, random, made with it.
	UUID() string
	// Now is the store's clock.
	Now(ctx context.Context) (time.Time, error)
	// Anchor is the last instant that the clock guard accepted; zero: none.
	Anchor(ctx context.Context) (time.Time, error)
	// SetAnchor moves it.
	SetAnchor(ctx context.Context, t time.Time) error
	// KillSwitch reports whether everything is stopped, since when and by whom.
	KillSwitch(ctx context.Context) (KillSwitch, error)
	// SetKillSwitch sets or clears it, with an audit entry.
	SetKillSwitch(ctx context.Context, k KillSwitch) error
}

// KillSwitch is `stop-all`.
type KillSwitch struct {
	On     bool
	By     string
	Reason string
	At     time.Time
}

// Sources is the register of sources that the store has ever acted on: a hold
// must pass through each.
type Sources interface {
	// RegisterSource adds or renames a source; before its first batch.
	RegisterSource(ctx context.Context, r SourceRecord) error
	// RegisteredSources lists them, by name.
	RegisteredSources(ctx context.Context) ([]SourceRecord, error)
	// KeepTotals remembers the last exact row count of a table.
	KeepTotals(ctx context.Context, sourceUUID string, t TableName, total int64) error
	// Witnessed remembers the log size that the source's gate was given, never
	// backwards: a source that knows less later was restored from a copy.
	Witnessed(ctx context.Context, sourceUUID string, total int64) error
}

// Passage is a source's gate that a hold passed.
type Passage struct {
	Source string // its name
	UUID   string // empty: no gate is installed there
	Total  int64  // size of the log that its gate was given
}

// SourceRecord is a registered source.
type SourceRecord struct {
	Name string
	UUID string
}

// Plans keeps plans, their spooled keys, and what people said of them.
type Plans interface {
	// SavePlan stores the plan with a plan.made entry.
	SavePlan(ctx context.Context, p Plan) error
	// Plan returns a saved plan; ErrNotFound.
	Plan(ctx context.Context, id string) (SavedPlan, error)
	// Decide stores an approval (yes) or rejection with its entry; the plan is approved
	// with the last approval that it needs. Only a plan in state made can be decided:
	// ErrDecided; an approval that must not count is an *[UnfitApproval].
	Decide(ctx context.Context, a Approval, yes bool) error
	// ApprovedPlans lists, oldest approval first, the plans that were approved, have
	// not run to their end, and whose approval is not over.
	ApprovedPlans(ctx context.Context) ([]SavedPlan, error)
	// Park remembers that steps of a saved plan wait for an approval.
	Park(ctx context.Context, plan string, steps []Step) error
	// Parked returns the plan, made since that instant, in which that very step (same
	// meaning, same tables) waits for an approval or was rejected; "": none.
	Parked(ctx context.Context, s Step, since time.Time) (plan string, state PlanState, err error)
	// Seen returns what was approved or done for a rule before; ok = false: never.
	Seen(ctx context.Context, policy, rule string) (s RuleSeen, ok bool, err error)
	// ChangeSeen changes it in one transaction, under the lease of that attempt
	// (ErrFenced; 0: under none), where change says that there is anything to keep.
	ChangeSeen(ctx context.Context, attempt int64, policy, rule string, change func(s *RuleSeen, known bool) bool) error
}

// Spool keeps the due keys of saved plans.
type Spool interface {
	// SpoolKey is the secret under which a plan's keys are hashed.
	SpoolKey(ctx context.Context, plan string) ([]byte, error)
	// PutSpool stores one page of step's keys (step counts from 0).
	PutSpool(ctx context.Context, plan string, step int, p SpoolPage) error
	// SpoolPage returns the page with that sequence number; ErrNotFound after the last.
	SpoolPage(ctx context.Context, plan string, step, seq int) (SpoolPage, error)
	// DropSpool removes a plan's spool.
	DropSpool(ctx context.Context, plan string) error
}

// Runs keeps runs and the leases under which they act.
type Runs interface {
	// Lease takes all of the names, or none: [BusyError] says which has whom. A lease
	// that ran out by the store's clock, or whose process on this host is dead, is
	// over with all of its names. Names are those of [RuleLease] and [SeatLease], or
	// the caller's own.
	Lease(ctx context.Context, owner string, names []string) (Lease, error)
	// Renew is the heartbeat; ErrFenced once the lease ran out, was given back or
	// was taken over: it is never had again.
	Renew(ctx context.Context, l Lease) error
	// Unlease gives all of its names back; ErrFenced where it is over already.
	Unlease(ctx context.Context, l Lease) error
	// Leases lists those that are not over, oldest attempt first.
	Leases(ctx context.Context) ([]Lease, error)
	// BeginRun stores the run with run.started, under its lease.
	BeginRun(ctx context.Context, r Run) error
	// EndRun stores the report with run.ended, marks the plan as run where it is
	// finished, and the run's slot as done where it is over.
	EndRun(ctx context.Context, r RunReport) error
	// ListRuns returns the newest runs first; id narrows to one.
	ListRuns(ctx context.Context, id string, limit int) ([]Run, error)
}

// Intents keeps each batch's intent until its outcome.
type Intents interface {
	// Intend stores the intent with batch.intent; ErrFenced under an attempt
	// whose lease is over.
	Intend(ctx context.Context, i Intent) error
	// Conclude stores the outcome with batch.outcome, or batch.settled; an intent
	// has at most one outcome: ErrDecided.
	Conclude(ctx context.Context, intent string, o Outcome, settled bool) error
	// StillOpen is nil while the intent has no outcome, else ErrDecided.
	StillOpen(ctx context.Context, intent string) error
	// OpenIntents lists intents without outcome, oldest first.
	OpenIntents(ctx context.Context) ([]Intent, error)
	// StrayIntents lists those whose lease is over, and ends such leases for good:
	// only they may be settled by another run than their own.
	StrayIntents(ctx context.Context) ([]Intent, error)
	// Concluded lists intents of a source whose receipts may be pruned.
	Concluded(ctx context.Context, sourceUUID string, limit int) ([]string, error)
	// Pruned forgets that they are to be pruned.
	Pruned(ctx context.Context, intents []string) error
}

// SegmentLedger is what the state store knows of sealed vaults. Segments come into
// it, and end in it, with the outcomes of their batches (see [Intents]).
type SegmentLedger interface {
	// Segments lists the segments of a vault, those that ended included, by name.
	Segments(ctx context.Context, vault string) ([]KnownSegment, error)
	// LiveVaults are the sealed vaults that have segments which did not end, with their
	// number.
	LiveVaults(ctx context.Context) (map[string]int64, error)
	// IntentEnded reports whether the store knows the intent, and whether it has its
	// outcome.
	IntentEnded(ctx context.Context, intent string) (known, ended bool, err error)
}

// Holds keeps the holds.
type Holds interface {
	// PlaceHold stores the hold as placing under a new version, with hold.placed,
	// and returns it with id, version, entry and store time.
	PlaceHold(ctx context.Context, h Hold) (Hold, error)
	// AddSubjects extends a hold that is not released; it is placing again.
	AddSubjects(ctx context.Context, id string, subjects []SubjectID, by string) (Hold, error)
	// CoverHold adds ways by which a hold's subjects reach tables. It takes none
	// away, changes no version, and says nothing of which rows are held now.
	CoverHold(ctx context.Context, id string, covers []HoldCover) error
	// MarkInForce records that the hold passed the source's gate (empty source:
	// it is now in force everywhere, with hold.in_force).
	// The version is the one that passed: a hold that was extended since is left
	// as it is, and ErrFenced says so.
	MarkInForce(ctx context.Context, id, source string, version int64) (Hold, error)
	// MarkPassed records that the hold passed the gates of several sources, and what
	// each was given: all of it, or nothing. It ends nothing: MarkInForce does.
	MarkPassed(ctx context.Context, id string, version int64, passed []Passage) error
	// ReleaseHold releases with hold.released; rows stay held for the grace.
	ReleaseHold(ctx context.Context, id, reason, by string, grace time.Duration) (Hold, error)
	// ListHolds returns the holds, oldest first; id or matter narrows.
	ListHolds(ctx context.Context, id, matter string) ([]Hold, error)
	// HoldSet returns what has not ended, as it applies to a source, in one
	// snapshot; the same value while the version and the graces do not change.
	HoldSet(ctx context.Context, src SourceRecord) (*HoldSet, error)
	// HoldsFitLog compares the holds with the hold.* entries of the audit log: a
	// hold_unreadable [Refusal] where somebody changed them without an entry.
	HoldsFitLog(ctx context.Context) error
}

// Forgotten is what a source no longer knows of: it was restored from a copy.
type Forgotten struct {
	Batches int64     `json:"batches"`
	Rows    int64     `json:"rows"`  // that may be back
	Since   time.Time `json:"since"` // about when the copy was made
}

// Admission is what a batch asks of the store inside its own transaction.
type Admission interface {
	// Admit reads, in one snapshot, kill switch, attempt, holds version and holds,
	// compares them with the gate, and returns the holds, or a [Refusal]
	// (kill_switch, state_mismatch, hold_unreadable) or ErrFenced.
	Admit(ctx context.Context, src SourceRecord, attempt int64, g Gate) (*HoldSet, error)
	// Knows compares the store with the gate of the source of that name: a
	// state_mismatch [Refusal] where the store is another one or older, or where
	// the source was replaced, or restored from a copy.
	Knows(ctx context.Context, name string, g Gate) error
	// Forgotten is what the store knows to be done in a source that went back in time.
	Forgotten(ctx context.Context, name string, g Gate) (Forgotten, error)
	// Fits compares the store with a gate that a hold is about to pass: a
	// state_mismatch [Refusal] where it is another store, or an older one, whose
	// next version would be one that the gate has seen already. It is called while
	// the gate is held.
	Fits(ctx context.Context, g Gate) error
	// Placing reports whether some hold is waiting to pass the source's gate:
	// batches there back off.
	Placing(ctx context.Context, source string) (bool, error)
}
