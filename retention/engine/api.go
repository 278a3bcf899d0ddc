package engine

import (
	"context"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
	"go.uber.org/zap"
)

// Store is everything the engine asks of the state store.
type Store interface {
	retention.Journal
	retention.Identity
	retention.Sources
	retention.Plans
	retention.Spool
	retention.Runs
	retention.Intents
	retention.Holds
	retention.Admission
	retention.SegmentLedger
}

// Engine is the whole machine, wired once by the command. Its fields are set
// before first use and not changed after.
type Engine struct {
	Store    Store
	Sources  map[string]*SourceRef // by configured name
	Fleets   map[string]Fleet      // by configured name; their tenants are sources
	Vaults   map[string]Vault      // by configured name
	Policies []*retention.Policy   // that load
	Failed   []FailedPolicy        // that do not
	Guards   []*retention.Policy   // last good texts of the failed ones: they protect, and do not run
	Grace    time.Duration         // of released holds
	Keep     Keep                  // retention of our own records
	FourEyes bool                  // who planned may not approve
	User     string                // who plans and runs where no name is given
	Now      func() time.Time
	Log      *zap.Logger
	Owner    string         // of leases: host, pid, process start
	Progress func(Progress) // may be nil
	Tune     Tune
	Measure  Measure // what work costs; the zero value: nobody asks
	// Reached is told of each point that a run, a batch or a hold passes, by
	// several goroutines; nil outside of tests.
	Reached func(retention.Point)
	Told    *HoldsTold // of holds that wait; may be nil
}

// SourceRef is a configured source. Open is called at most once, on first use;
// a source that cannot be opened stops its own steps, not others.
type SourceRef struct {
	Name    string
	Driver  string
	Open    func(ctx context.Context) (retention.Source, error)
	Backups string // how long backups live, as configured ("35 days"); empty: unknown
	// Fair sources serve those who wait for the gate in turn, and take several
	// batches at once. In others a batch rests, or a hold would never pass.
	Fair     bool
	Parallel int // batches at once, where the source is fair; 0: one
	Runs     int // runs that may work on the source at once; 0: [DefaultRuns]
	Throttle Throttle
	// Application is the role under which the application works there; empty: not
	// declared.
	Application string
	opened      openedSource
}

// Keep is how long our own records are kept; a zero period keeps for ever.
type Keep struct {
	Audit, Plans, Holds calendar.Period
}

// Vault is a table vault: archived rows go to the same table names under a
// schema or with a prefix, in a source. Or it is sealed: rows leave the database.
type Vault struct {
	Name   string
	Source string
	Schema string
	Prefix string
	Sealed bool
	Keeper retention.SealedVault // of a sealed vault; nil: it is refused
	// Refused says why a sealed vault cannot be used.
	Refused string
}

// FailedPolicy is a policy file that did not load: its own rules stop, others run.
type FailedPolicy struct {
	File    string
	Policy  string // its name, where it could be read
	Message string
}

// Tune holds the knobs of the batch loop.
type Tune struct {
	Target  time.Duration // time of one batch aimed at; default 250 ms
	First   int           // rows of the first batch; default 1,000
	MaxRows int           // most rows of a batch; default 20,000
}

// Progress is how far long work is.
type Progress struct {
	Phase       string // "plan", "run", "hold"
	Policy      string
	Rule        string
	Done, Total int64  // rows, or steps while planning
	Waits       string // why nothing goes on just now; empty: it goes on
}

// PlanRequest narrows a plan. Zero fields mean all.
type PlanRequest struct {
	Policy, Rule string
	Rules        []string  // of Policy: only these; empty: all
	AsOf         time.Time // zero: now; the future makes a preview
	NoSave       bool      // inventory and run plan without keeping a spool
	AcceptClock  bool
	By           string // who plans; empty: [Engine.User]
	Archives     bool   // only the stages that end archives
}

// RunRequest says what to do.
type RunRequest struct {
	Policy, Rule string
	Rules        []string           // of Policy: only these; empty: all
	Slot         *retention.SlotRun // that it is the run of
	Unattended   bool               // of the daemon: see [Engine.Run]
	AsOf         time.Time          // zero: now; never the future
	Plan         string             // id of a saved plan; empty: plan first
	Approve      bool               // approve what this very run plans
	Archives     bool               // only the stages that end archives
	By           string             // with Approve
	Reason       string
	Visa         string // with Approve: reference of the visa of the list for destruction
	AcceptClock  bool
}

// HoldRequest is what to hold.
type HoldRequest struct {
	Matter         string
	Subjects       []retention.SubjectID
	Datasets       []string // POLICY/DATASET
	Where          *retention.Predicate
	WhereText      string
	Reason, By     string
	Review         string
	AllowUnmatched bool
	Wait           time.Duration // for the gates; default 60 s
}

// HoldPreview is what a hold would freeze.
type HoldPreview struct {
	Datasets   []HoldCount           `json:"datasets"`
	Unmatched  []string              `json:"unmatched"`
	NotCovered []string              `json:"not_covered"`
	Unknown    []retention.SubjectID `json:"-"` // subjects of a type that no dataset has
}

// HoldCount is how many rows of a dataset a hold reaches, and how many of them
// some rule would act on now.
type HoldCount struct {
	Policy  string `json:"policy"`
	Dataset string `json:"dataset"`
	Source  string `json:"source,omitempty"` // of a fleet: the tenant
	Rows    int64  `json:"rows"`
	Due     int64  `json:"due"`
}

// GateError says which sources a hold did not pass in time: it stays placing,
// which every new batch already sees.
type GateError struct {
	Hold    retention.Hold
	Waiting map[string]string // source → why

	mismatch *retention.Refusal // nil: waiting longer may help
}

// Inventory is every governed table by class.
type Inventory struct {
	AsOf        time.Time       `json:"as_of"`
	Datasets    []InventoryItem `json:"datasets"`
	Unexplained int64           `json:"unexplained"` // items whose overdue rows have no reason
}

// InventoryItem is one rule (or a dataset without one) on one table.
type InventoryItem struct {
	Policy    string            `json:"policy"`
	Dataset   string            `json:"dataset"`
	Rule      string            `json:"rule"`
	Stage     int               `json:"stage,omitempty"`
	Source    string            `json:"source"`
	Table     string            `json:"table"`
	Action    string            `json:"action,omitempty"`
	Classes   retention.Classes `json:"classes"`
	OldestDue *time.Time        `json:"oldest_due"`
	LateSince *time.Time        `json:"late_since,omitempty"` // archived rows that a hold or a minimum keeps past their end
	Vault     string            `json:"vault,omitempty"`
	Explained bool              `json:"explained"`
	Because   string            `json:"because"`
	Error     string            `json:"error,omitempty"`
	// NotCounted: the classes say nothing, nobody could look at the rows.
	NotCounted bool `json:"not_counted,omitempty"`
}

// ExplainRequest asks why a row, or the rows about a person, are kept or due.
type ExplainRequest struct {
	Dataset string // POLICY/DATASET, with Key
	Key     string
	Subject *retention.SubjectID
	AsOf    time.Time
}

// Explanation answers it.
type Explanation struct {
	Rows []ExplainedRow `json:"rows"`
	// Archives are the sealed segments that have rows about the person, or may have
	// the row: their content cannot be read here.
	Archives []ExplainedSegment `json:"archives,omitempty"`
	// Refusals are rules that could not be asked, and datasets that nobody could
	// look into: nothing acts by them either.
	Refusals []Unexplained `json:"refusals"`
	// Partial: there may be more rows, in what could not be looked into.
	Partial bool `json:"partial"`
}

// Unexplained is what an explanation leaves out, and why. Without a rule it is of
// the dataset; without a dataset, of the policy.
type Unexplained struct {
	Policy  string                `json:"policy"`
	Dataset string                `json:"dataset"`
	Rule    string                `json:"rule"`
	Code    retention.RefusalCode `json:"code"`
	Message string                `json:"message"`
}

// ExplainedRow is one row under every rule of its dataset.
type ExplainedRow struct {
	Policy  string          `json:"policy"`
	Dataset string          `json:"dataset"`
	Source  string          `json:"source,omitempty"` // of a fleet: the tenant
	Table   string          `json:"table"`
	Vault   string          `json:"vault,omitempty"` // where an archived row is
	Key     string          `json:"key"`
	Rules   []ExplainedRule `json:"rules"`
	Holds   []string        `json:"holds"`
}

// ExplainedRule is what one rule says of a row.
type ExplainedRule struct {
	Rule      string          `json:"rule"`
	Stage     int             `json:"stage"`
	Action    string          `json:"action"`
	Clock     *time.Time      `json:"clock"`      // null: open or unresolved
	ClockFrom string          `json:"clock_from"` // the column or related row that set it
	LastDay   string          `json:"last_day"`
	DueAt     *time.Time      `json:"due_at"`
	Class     retention.Class `json:"class"`
	Because   string          `json:"because"`
}

// Finding is what `check` says of one thing.
type Finding struct {
	Level   Level  `json:"level"`
	Policy  string `json:"policy,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Dataset string `json:"dataset,omitempty"`
	Source  string `json:"source,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do, e.g. the CREATE INDEX that helps
}

// Level is how bad a finding is.
type Level string

// Levels.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelInfo    Level = "info"
)

// SourceStatus is a source as `status` and `check` see it.
type SourceStatus struct {
	Name      string `json:"source"`
	Driver    string `json:"driver"`
	UUID      string `json:"uuid,omitempty"`
	Installed bool   `json:"installed"`
	Server    string `json:"server,omitempty"`
	Error     string `json:"error,omitempty"`
	// Code is why nothing may act there; empty: it may.
	Code retention.RefusalCode `json:"code,omitempty"`
	// Forgotten is what a source that was restored from a copy no longer knows of.
	Forgotten *retention.Forgotten `json:"forgotten,omitempty"`
}
