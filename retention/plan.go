package retention

import "time"

// Plan is a value: what would happen, to how many rows, under which cutoffs,
// holds and schema. It has no handle and no clock. A dry run is a plan without
// apply; an approval is of a plan's digest.
type Plan struct {
	ID           string // random, 128 bits
	Digest       string // over all that follows
	AsOf         time.Time
	MadeAt       time.Time
	Policies     []PolicyRef
	HoldsVersion int64
	Steps        []Step
	Refusals     []Refusal
	Preview      bool // as-of lies in the future: neither approved nor run
}

// PolicyRef names a policy text by digest.
type PolicyRef struct {
	Policy string `json:"policy"`
	Digest string `json:"digest"`
}

// Step is one stage of one rule on one table.
type Step struct {
	Policy, Rule  string
	Stage         int // from 1
	Dataset       string
	Source        string
	Table         TableName
	Archived      bool // the table is the vault's copy, at the end of the archive
	Action        ActionKind
	Vault         string // archive: the vault's name
	Cutoff        time.Time
	Classes       Classes
	Children      map[string]int64 // rows that go along, by table
	OldestDue     *time.Time       // earliest clock among due rows, where known
	NeverArchived int64            // due rows that an earlier archive stage should have moved
	Limit         Limits           // in force
	NeedsApproval bool
	Why           string // why it needs approval, or why it acts on nothing
	Fingerprint   string // of the table and its children
	Meaning       string // of the rule
	ReportOnly    bool   // report, disabled, not yet effective
	Spooled       bool   // its due keys are kept for `run --plan`
}

// RefusalCode says why a step acts on nothing. Codes are stable.
type RefusalCode string

// Refusal codes.
const (
	RefuseLimitRows        RefusalCode = "limit_rows"
	RefuseLimitShare       RefusalCode = "limit_share"
	RefuseApproval         RefusalCode = "approval"
	RefuseClock            RefusalCode = "clock"
	RefuseSchemaDrift      RefusalCode = "schema_drift"
	RefuseColumnsUncovered RefusalCode = "columns_uncovered"
	RefuseForeignKey       RefusalCode = "foreign_key"
	RefuseStateMismatch    RefusalCode = "state_mismatch"
	RefuseHoldUnreadable   RefusalCode = "hold_unreadable"
	RefuseGate             RefusalCode = "gate"
	RefuseKillSwitch       RefusalCode = "kill_switch"
	RefusePolicyError      RefusalCode = "policy_error"
	RefuseSourceDown       RefusalCode = "source_down"
	RefuseUnsafeTable      RefusalCode = "unsafe_table"
	RefuseNeverArchived    RefusalCode = "never_archived"
	RefuseKAnonymity       RefusalCode = "k_anonymity"
	RefuseExpiredPlan      RefusalCode = "expired_plan"
	RefusePreview          RefusalCode = "preview"
)

// Refusal is why a step, or with an empty rule a whole policy or run, acts on
// nothing (L12).
type Refusal struct {
	Policy  string      `json:"policy"`
	Rule    string      `json:"rule"`
	Stage   int         `json:"stage,omitempty"`
	Code    RefusalCode `json:"code"`
	Message string      `json:"message"`
	// Approvable: an approval of the plan lifts it. All others need their cause
	// removed: a table that changed since the rule last acted can be approved, a
	// column that is missing cannot.
	Approvable bool `json:"approvable,omitempty"`
}

// Error makes a refusal an error, for the places that return one.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Message }
