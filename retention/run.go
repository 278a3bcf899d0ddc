package retention

import (
	"slices"
	"time"
)

// Run is one execution of a plan.
type Run struct {
	ID      string // random, 128 bits
	Plan    string
	AsOf    time.Time
	Started time.Time
	Attempt int64 // fencing number of the lease it runs under
	By      string
	Slot    *SlotRun  // the slot that it is the run of; nil: by hand, or of an approved plan
	Ended   time.Time // zero: still running, or it died
	Report  *RunReport
	SoFar   *RunSoFar // of a run without a report: what its intents say
}

// RunSoFar is what the outcomes of a run's batches sum up to, where no report does:
// the run is at work, or it died.
type RunSoFar struct {
	Died    bool // its lease is over, and each of its intents is settled: nothing more comes
	Open    int64
	Batches int64 // with an outcome
	Done    int64 // rows
	Spared  Spared
}

// Verdict sums a run up.
type Verdict string

// Verdicts.
const (
	VerdictOK      Verdict = "ok"
	VerdictPartial Verdict = "partial" // some step failed or was refused, another was not
	VerdictRefused Verdict = "refused" // every step that had something to do was refused
	VerdictFailed  Verdict = "failed"
	VerdictDied    Verdict = "died" // its process ended without a report; never that of one
)

// RunReport is what a run did, as `run --output json` prints it.
type RunReport struct {
	Run      string       `json:"run"`
	Plan     string       `json:"plan"`
	AsOf     time.Time    `json:"as_of"`
	Started  time.Time    `json:"started"`
	Ended    time.Time    `json:"ended"`
	Verdict  Verdict      `json:"verdict"`
	Steps    []StepReport `json:"steps"`
	Refusals []Refusal    `json:"refusals"`
	// Interrupted: a stop request ended the run between batches; what was
	// committed is audited.
	Interrupted bool `json:"interrupted,omitempty"`
	// ResumeAt: a source's window closed before the end; it opens again then.
	ResumeAt *time.Time `json:"resume_at,omitempty"`
	// Parked is the plan in which steps wait for an approval that nobody was asked
	// for before.
	Parked string `json:"parked,omitempty"`
}

// Finished reports whether nothing of the plan is left to try: a run that was
// interrupted, refused or failed in part can be run again under the same plan.
func (r *RunReport) Finished() bool {
	if r.Interrupted || len(r.Refusals) > 0 || r.Verdict == VerdictFailed || r.Verdict == VerdictRefused {
		return false
	}
	for _, s := range r.Steps {
		if s.Spared.Failed > 0 || s.Error != "" {
			return false
		}
	}
	return true
}

// Quiet reports whether the run ended with nothing to do and nothing to say: no row
// was due, none was refused.
func (r *RunReport) Quiet() bool {
	return r.Finished() && !slices.ContainsFunc(r.Steps, func(s StepReport) bool {
		return s.Planned+s.Done+s.Unplanned+s.Batches+s.Dropped > 0 || len(s.Residuals) > 0
	})
}

// Ends reports whether the run did that same step to its end, erase included.
func (r *RunReport) Ends(s StepReport) bool {
	for i := range r.Steps {
		o := &r.Steps[i]
		if o.Policy == s.Policy && o.Rule == s.Rule && o.Stage == s.Stage && o.Table == s.Table && o.Source == s.Source {
			return o.Error == "" && !o.Unerased
		}
	}
	return false
}

// StepReport is what one step did: Planned = Done + all spared, always (L6).
type StepReport struct {
	Policy    string           `json:"policy"`
	Rule      string           `json:"rule"`
	Stage     int              `json:"stage"`
	Dataset   string           `json:"dataset"`
	Source    string           `json:"source"`
	Table     string           `json:"table"`
	Action    ActionKind       `json:"action"`
	Planned   int64            `json:"planned"`
	Done      int64            `json:"done"`
	Spared    Spared           `json:"spared"`
	Unplanned int64            `json:"unplanned"` // due now, but not in the plan: left
	Children  map[string]int64 `json:"children,omitempty"`
	Batches   int64            `json:"batches"`
	Dropped   int64            `json:"partitions_dropped,omitempty"` // whole ones; their rows are in Done
	Seconds   float64          `json:"seconds"`
	Error     string           `json:"error,omitempty"`
	Residuals []string         `json:"residuals,omitempty"` // copies that outlive the delete
	Unerased  bool             `json:"unerased,omitempty"`  // what the dataset's erase asks for was cut short; the next run does it
	GoneBy    string           `json:"irreversible_from,omitempty"`
}

// Intent is a batch that is about to be tried, made durable beforehand (L7).
type Intent struct {
	ID         string // run id + step + sequence
	Run        string
	Attempt    int64
	Source     string // name; its uuid in SourceUUID
	SourceUUID string
	Policy     string
	Rule       string
	Stage      int
	Action     ActionKind
	Table      string
	Partition  string // of the table, where it goes as a whole
	Vault      string // sealed, or in another source: the batch writes to it, or ends a segment of it
	VaultUUID  string // of the source that a vault's tables are in, where it is another
	Segment    string // that ends
	Planned    int64  // rows; [PlannedRange]: those due in a range
	At         time.Time
}

// PlannedRange is [Intent.Planned] of a batch that is a range: its outcome tells
// how many planned rows it met.
const PlannedRange = -1

// Approval is a person's yes to a plan, by the plan's digest.
type Approval struct {
	Plan   string
	Digest string
	By     string
	Reason string
	Visa   string // reference of the visa of the list for destruction; empty: none
	At     time.Time
	Until  time.Time // it expires
}

// PlanState is what became of a saved plan.
type PlanState string

// Plan states.
const (
	PlanMade     PlanState = "made"
	PlanApproved PlanState = "approved"
	PlanRejected PlanState = "rejected"
	PlanRun      PlanState = "run"
)

// SavedPlan is a plan in the state store.
type SavedPlan struct {
	Plan     Plan
	State    PlanState
	Approval *Approval // of PlanApproved (the last one), PlanRejected
	// Approvals are all that were given, oldest first: a plan that needs several is
	// approved with the last of them.
	Approvals []Approval
}

// SpoolPage is a part of a step's due keys: truncated keyed hashes of the keys
// of one page, and the cursor of its last row.
type SpoolPage struct {
	Seq    int
	Next   Cursor
	Hashes []uint64
}

// MaxSpool is the most rows a step that are spooled for `run --plan`.
const MaxSpool = 5_000_000

// RuleSeen is what a person approved, or a run last did, for a rule.
type RuleSeen struct {
	Policy, Rule string
	Meaning      string    // digest of the rule's meaning
	Fingerprint  string    // of its tables
	Approved     bool      // a plan with this meaning that a person approved has begun to run
	RanAt        time.Time // as-of of the last run
	Complete     bool      // that run accounted for every row due then; what is due now became so since
}
