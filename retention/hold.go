package retention

import (
	"strings"
	"time"
)

// SubjectID identifies a person: one subject type is one space of identifiers
// across all policies.
type SubjectID struct{ Type, ID string }

// String returns type:id.
func (s SubjectID) String() string { return s.Type + ":" + s.ID }

// ParseSubject splits "type:id" at the first colon.
func ParseSubject(s string) (SubjectID, bool) {
	t, id, ok := strings.Cut(s, ":")
	return SubjectID{t, id}, ok && t != "" && id != ""
}

// HoldState is how far a hold has come.
type HoldState string

// Hold states. A hold that is placing is already seen by every new batch; one
// in force is seen by every batch that can still commit (L3).
const (
	HoldPlacing  HoldState = "placing"
	HoldInForce  HoldState = "in_force"
	HoldReleased HoldState = "released"
)

// Hold suspends every action on the rows it covers, for a matter (a dispute).
// With both subjects and datasets it covers the rows of those subjects in those
// datasets; with subjects alone, every dataset that has their type.
type Hold struct {
	ID         string
	Matter     string
	Subjects   []SubjectID
	Datasets   []HoldScope
	Where      *Predicate // with datasets only
	WhereText  string     // the JSON it was read from
	Reason     string
	PlacedBy   string
	PlacedAt   time.Time
	Review     string // date on which to look at it again; empty: none
	State      HoldState
	InForce    map[string]bool // by source name
	NotCovered []string        // datasets a subject hold cannot reach, policy/dataset
	Covers     []HoldCover     // how its subjects were found to reach tables; only ever grows
	AuditEntry int64
	Version    int64 // holds version that introduced its latest form
	ReleasedAt time.Time
	ReleasedBy string
	GraceUntil time.Time // after a release, rows still count as held until then
}

// HoldScope is a dataset under a hold, kept with the physical table it names,
// because holds match tables, whatever datasets call them.
type HoldScope struct {
	Dataset    string // policy/dataset
	Source     string
	SourceUUID string
	Table      TableName
}

// HoldCover is one way by which the subjects of a type reach the rows of a table
// under a hold: a policy that no longer has it would let held rows go.
type HoldCover struct {
	Hold string `json:"-"` // in a HoldSet: one of the holds that it is of
	Type string
	Way  string // opaque; equal while the policy means the same
	HoldScope
}

// HoldSet is every hold that has not ended (placing, in force, or released
// within its grace), as it applies to one source, read in one snapshot.
type HoldSet struct {
	Version  int64
	Subjects map[string][]string // type → identifiers, of holds without datasets
	Scoped   []ScopedHold        // holds with datasets, on this source's tables
	Named    []ScopedHold        // holds with datasets, of every source, by the dataset's name
	Covers   []HoldCover         // of every source: how subjects reached tables when holds were placed, and since
}

// ScopedHold is a hold on one physical table, narrowed by subjects or a
// condition where they are set.
type ScopedHold struct {
	Hold     string
	Dataset  string // policy/dataset: the hold follows the name to another table
	Table    TableName
	Subjects map[string][]string // empty: whomever the row is about
	Where    *Predicate          // nil: every row
}
