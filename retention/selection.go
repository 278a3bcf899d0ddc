package retention

import "time"

// Selection is which rows of one table a step is about. The same value renders
// the count, the page and the acting statement, so they cannot disagree (L6).
// Holds are not part of it: they are read again in each transaction.
type Selection struct {
	Schema   *Schema // every table that the selection names
	Table    *Table
	Where    *Predicate
	Later    *ClockTest // rows past the rule's next stage belong to that one: excluded here
	Done     *DoneTest
	Clock    ClockTest
	Reach    *Reach       // how a hold reaches a row of the table
	Minimums []Minimum    // that protect a row of the table from this action
	Blocked  []ChildReach // what may forbid a child to go; empty where children stay
	Newest   bool         // count the latest clock of due rows too
}

// ClockTest is a clock with one cutoff per member: a row is due by it when its
// clock is readable, started, plausible and before the cutoff.
//
// Any makes every row pass the clock, for counting what a hold reaches; pages
// and batches refuse it.
type ClockTest struct {
	Any       bool
	Earliest  bool
	NullsOpen bool
	Members   []MemberTest
}

// MemberTest tests one member of a clock. Exactly the values before Cutoff are
// over (rounding is inverted into the cutoff).
type MemberTest struct {
	Column    string
	Related   *Relation
	Parent    bool // Related points up to one row: a missing one is unresolved
	Type      ClockType
	Zone      *time.Location // of naive values
	DateZone  *time.Location // of civil dates: the policy's; nil: a date alone is unresolved (exact periods)
	NotBefore time.Time
	NotAfter  time.Time
	Cutoff    time.Time
}

// DoneTest recognises rows that a redaction or anonymisation has already done:
// Mark (where set) is not NULL, and every fixed change already equals its form.
type DoneTest struct {
	Mark    string
	Changes []Change
}

// Reach is how holds reach the rows of one physical table: through the subjects
// that any dataset of any policy declares on it, through dataset holds on it,
// and through the rows whose declared child it is.
type Reach struct {
	Table    TableName
	Subjects []Subject
	Parents  []ParentReach
}

// ParentReach leads from a declared child to its parent: rows of the child are
// held with the parent's subject, under their own rules too.
type ParentReach struct {
	Child Child  // as declared by the parent's dataset: On = child columns : parent columns
	Reach *Reach // of the parent's table
	// Back leads to the very row that the child was reached from, whose own holds
	// are told there: it says whom the child is about, for holds on the child's
	// dataset that name a person, and nothing else.
	Back bool
}

// Minimum is a legal minimum on a table: it protects the rows that match Where
// and whose Clock is not over (open, unresolved and future clocks protect).
type Minimum struct {
	Policy, Rule string
	Asks         string // as of the rule
	Where        *Predicate
	Clock        ClockTest
}

// ChildReach is what may forbid a declared child to go with its parent.
type ChildReach struct {
	Child    Child
	Reach    *Reach    // holds on the child row; Parents never lead back through this child
	Minimums []Minimum // empty under archive
}

// Class is what a row is to a rule: exactly one (L11). A row that several would
// fit takes the first in the order of [Classes].
type Class string

// Row classes.
const (
	Excluded   Class = "excluded"
	ClassDone  Class = "done"
	Open       Class = "open"
	Unresolved Class = "unresolved"
	Active     Class = "active"
	Held       Class = "held"
	Protected  Class = "protected"
	Blocked    Class = "blocked"
	Due        Class = "due"
)

// ClassOrder is the order of precedence of the classes.
func ClassOrder() []Class {
	return []Class{Excluded, ClassDone, Open, Unresolved, Active, Held, Protected, Blocked, Due}
}

// Classes counts the rows of a table by class; Total is the table's rows.
type Classes struct {
	Excluded   int64 `json:"excluded"`
	Done       int64 `json:"done"`
	Open       int64 `json:"open"`
	Unresolved int64 `json:"unresolved"`
	Active     int64 `json:"active"`
	Held       int64 `json:"held"`
	Protected  int64 `json:"protected"`
	Blocked    int64 `json:"blocked"`
	Due        int64 `json:"due"`
	Total      int64 `json:"total"`
}

// Of returns the field that counts the class, for reading and writing; nil for
// an unknown class.
func (c *Classes) Of(k Class) *int64 {
	switch k {
	case Excluded:
		return &c.Excluded
	case ClassDone:
		return &c.Done
	case Open:
		return &c.Open
	case Unresolved:
		return &c.Unresolved
	case Active:
		return &c.Active
	case Held:
		return &c.Held
	case Protected:
		return &c.Protected
	case Blocked:
		return &c.Blocked
	case Due:
		return &c.Due
	}
	return nil
}

// Sum adds up the classes; it equals Total or the count is refused (L11).
func (c Classes) Sum() int64 {
	return c.Excluded + c.Done + c.Open + c.Unresolved + c.Active + c.Held + c.Protected + c.Blocked + c.Due
}
