package retention

import (
	"slices"
	"time"
)

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
	// By is who planned: a name that was given, or a user of the machine. It is no
	// part of the digest, which says what the plan means.
	By string `json:",omitempty"`
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
	LateSince     *time.Time       // sealed archive: since when rows that are held or protected are past their end
	NeverArchived int64            // due rows that an earlier archive stage should have moved
	Limit         Limits           // in force
	NeedsApproval bool
	Why           string // why it needs approval, or why it acts on nothing
	Fingerprint   string // of the table and its children
	Meaning       string // of the rule
	ReportOnly    bool   // report, disabled, not yet effective
	Spooled       bool   // its due keys are kept for `run --plan`

	// Whole are the partitions, among the due rows, that a run which plans for itself
	// drops; nil: none are asked for. It is no part of the digest.
	Whole *Whole `json:",omitempty"`

	NewestDue *time.Time `json:",omitempty"` // latest clock among due rows, where a visa asks for it and it is known
	Approvers int        `json:",omitempty"` // people who must approve; 0: one
	Visa      bool       `json:",omitempty"` // they name the visa of the list for destruction
}

// Whole counts partitions that are due as a whole, and their rows.
type Whole struct {
	Partitions int   `json:"partitions"`
	Rows       int64 `json:"rows"`
}

// Approvers is how many people must approve the plan before it runs: the most that a
// step which waits asks for.
func (p *Plan) Approvers() int {
	n := 1
	for i := range p.Steps {
		if s := &p.Steps[i]; p.Waits(s) {
			n = max(n, s.Approvers)
		}
	}
	return n
}

// Waits reports whether a step acts on rows once the plan is approved, and not before.
func (p *Plan) Waits(s *Step) bool {
	if s.ReportOnly || s.Classes.Due == 0 {
		return false
	}
	return s.NeedsApproval || slices.ContainsFunc(p.Refusals, func(r Refusal) bool { return r.Approvable && r.About(s) })
}

// WantsVisa reports whether an approval of the plan must name a visa.
func (p *Plan) WantsVisa() bool {
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Visa && p.Waits(s) {
			return true
		}
	}
	return false
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
	RefusePrivilege        RefusalCode = "privilege_missing" // the database refuses the user a statement
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
	Source  string      `json:"source,omitempty"` // the tenant that it is of; empty: all that the others say
	Code    RefusalCode `json:"code"`
	Message string      `json:"message"`
	// Approvable: an approval of the plan lifts it. All others need their cause
	// removed: a table that changed since the rule last acted can be approved, a
	// column that is missing cannot.
	Approvable bool `json:"approvable,omitempty"`
}

// About reports whether the refusal is of that step: of its stage, its rule, its
// policy, or of everything.
func (r *Refusal) About(s *Step) bool {
	switch {
	case r.Source != "" && r.Source != s.Source:
		return false
	case r.Rule == "":
		return r.Policy == "" || r.Policy == s.Policy
	}
	return r.Policy == s.Policy && r.Rule == s.Rule && (r.Stage == 0 || r.Stage == s.Stage)
}

// Error makes a refusal an error, for the places that return one.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Message }
