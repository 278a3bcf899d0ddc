package retention

import (
	"time"

	"github.com/retentiond/retentiond/retention/calendar"
)

// Policy is the set of rules of one controller or system, as written in one
// YAML file. It is a value: nothing in it depends on a database.
type Policy struct {
	Name       string
	Title      string
	Controller string
	Zone       *time.Location // of every calendar computation
	Source     string         // default source of its datasets
	Schedule   string         // cron expression in Zone; empty: by hand only
	Limits     Limits         // defaults for its rules
	Datasets   []Dataset      // in file order
	Rules      []Rule         // in file order
	Digest     string         // "sha256:…" of the canonical form
	Text       []byte         // the file as read
	File       string         // where it was read from
}

// Dataset returns the dataset of that name, or nil.
func (p *Policy) Dataset(name string) *Dataset {
	for i := range p.Datasets {
		if p.Datasets[i].Name == name {
			return &p.Datasets[i]
		}
	}
	return nil
}

// Dataset is a table, with its children, under rules.
type Dataset struct {
	Name      string
	Source    string    // resolved: its own or the policy's
	Table     TableName // of files: the pattern is its name
	Files     *Files    // nil: the dataset is a table
	Subjects  []Subject // empty when NoSubject says why
	NoSubject string    // why no person is in it (`subject: none`)
	Children  []Child   // rows that go with the parent, before it
	// FileChildren are files that go with a row, after it.
	FileChildren []FileChild
	Exempt       string // why the table is out of coverage on purpose
	Purpose      string // a purpose without a rule: reported as undecided
	Erase        Erase
	Partitions   string // "rows" or "drop"
	Pos          Pos
}

// Subject tells whom a row is about: identifiers of one type in columns of the
// row, or in a column of a related row.
type Subject struct {
	Type    string
	Columns []string
	Related *Relation // its Column holds the identifier
	Copied  bool      // bound: Related leads over a vault's copies, of rows that were archived
}

// Relation leads from a row ("our" side) to rows of another table of the same
// source, directly or over hops.
type Relation struct {
	Via    []Hop // nearest first; empty: Table relates directly to our row
	Table  TableName
	On     []Pair     // columns of Table = columns of the last hop (or of our row)
	Where  *Predicate // nil: every related row
	Column string     // the column meant, where one is (clock, subject)
	Pos    Pos
}

// Hop is a table passed on the way of a [Relation].
type Hop struct {
	Table TableName
	On    []Pair // columns of Table = columns of the hop before (or of our row)
}

// Pair equates a column of the related table with one of the nearer table.
type Pair struct{ Theirs, Ours string }

// ChildAction is what happens to a child row when its parent goes.
type ChildAction string

// Child actions: deleted before the parent, or their reference set to NULL.
const (
	ChildDelete ChildAction = "delete"
	ChildDetach ChildAction = "detach"
)

// Child is a table whose rows go with the parent row.
type Child struct {
	Relation
	Then ChildAction
}

// Erase is what is done in the engine after rows are gone.
type Erase string

// Erase levels, from nothing to a rewrite of the table's files.
const (
	EraseLogical   Erase = "logical"
	EraseReclaimed Erase = "reclaimed"
	EraseRewritten Erase = "rewritten"
)

// Limits are the ceilings above which a step waits for an approval (L12).
type Limits struct {
	Rows  int64   // rows, children included; 0: not set
	Share float64 // share of the table, 0 to 1, where it has over ShareFloor rows; 0: not set
}

// Default limits, where neither policy nor rule says otherwise.
const (
	DefaultLimitRows  = 100_000
	DefaultLimitShare = 0.20
	ShareFloor        = 1_000
)

// Approve says when a rule waits for a person.
type Approve string

// Approval modes.
const (
	ApproveFirst  Approve = "first"
	ApproveAlways Approve = "always"
	ApproveNever  Approve = "never"
)

// Rule says from which event a row is kept, how long, and what happens then.
type Rule struct {
	ID            string
	Title         string
	Dataset       string
	Purpose       string
	Basis         string
	Categories    []string
	Cite          string
	Clock         Clock
	Where         *Predicate
	AtLeast       *calendar.Period // legal minimum on the same clock; nil: none
	Stages        []Stage          // keep+then is one stage; none: the rule only protects
	Schedule      string           // its own, or empty for the policy's
	Limits        Limits           // zero fields: the policy's, then the defaults
	Approve       Approve
	Approvers     int  // people who must approve a plan of it; 0: one
	Visa          bool // an approval names the visa of the list for destruction
	Disabled      bool
	EffectiveFrom time.Time // zero: at once
	Meaning       string    // digest of what the rule does (rule and dataset, without titles)
	// From is a digest of how a row's clock is read, before it is rounded; Asks, of that
	// and of which rows the rule is about. What is noted of rows that nobody can ask
	// again is worth nothing under another.
	From, Asks string
	Pos        Pos
}

// Stage is one period and what happens at its end. Every stage's period counts
// from the rule's clock, never from the stage before.
type Stage struct {
	Keep   calendar.Period
	Action Action
	Pos    Pos
}

// ActionKind names what a rule does to a due row.
type ActionKind string

// Actions.
const (
	Delete    ActionKind = "delete"
	Redact    ActionKind = "redact"
	Anonymise ActionKind = "anonymise"
	Archive   ActionKind = "archive"
	Report    ActionKind = "report"
)

// Takes reports whether the action takes the row, and its children, out of
// the table.
func (k ActionKind) Takes() bool { return k == Delete || k == Archive }

// Action is what happens to a due row.
type Action struct {
	Kind    ActionKind
	Columns []Change // redact, anonymise: per column
	Mark    string   // anonymise: timestamp column that records that the row is done
	Verify  *KAnonymity
	Vault   string // archive: name of the vault
	Why     string // archive: the legal reason to keep it
}

// KAnonymity asks that anonymised rows be alike in groups of at least K.
type KAnonymity struct {
	K     int
	Quasi []string
	Allow float64 // share of rows allowed in smaller groups, 0 to 1
}

// Change is what becomes of one column of an anonymised or redacted row.
type Change struct {
	Column string
	Func   ChangeFunc
	Value  *Scalar // set
	N      int64   // keep_left, keep_right: characters; bucket, round: the multiple; random: length
	Unit   string  // truncate: year, quarter, month, day; random: digits, letters, token
	Bits   [2]int  // mask_ip: prefix lengths kept, IPv4 and IPv6
	Pos    Pos
}

// ChangeFunc names a column transformation.
type ChangeFunc string

// Column transformations. NULL stays NULL under all but set and random.
const (
	Keep        ChangeFunc = "keep"
	Null        ChangeFunc = "null"
	Set         ChangeFunc = "set"
	KeepLeft    ChangeFunc = "keep_left"
	KeepRight   ChangeFunc = "keep_right"
	Truncate    ChangeFunc = "truncate"
	Bucket      ChangeFunc = "bucket"
	RoundTo     ChangeFunc = "round"
	MaskIP      ChangeFunc = "mask_ip"
	EmailDomain ChangeFunc = "email_domain"
	Random      ChangeFunc = "random"
)

// Pos is a place in a policy file; the zero Pos means nowhere.
type Pos struct {
	File      string
	Line, Col int
}
