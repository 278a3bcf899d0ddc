package retention

import (
	"context"
	"time"
)

// Key is a row's primary key: one value per key column, each an int64, float64,
// string or []byte.
type Key []any

// Cursor is a position in a page order: the order column's raw value, where the
// order has one, and the key. Without a key it lies before every row that has
// the value. The zero Cursor is before the first row.
type Cursor struct {
	Order any
	Key   Key
}

// Zero is whether the cursor names no place.
func (c Cursor) Zero() bool { return c.Order == nil && len(c.Key) == 0 }

// Page is the next due rows in the page order. Rows and Next are empty at the end.
type Page struct {
	Keys []Key
	Next Cursor // of the last row; where Keys is empty: the end
}

// Batch is the unit of work, of transaction and of audit. One intent is one
// transaction. A batch without keys is an error by construction.
type Batch struct {
	Intent    string
	Selection Selection
	Action    Act
	Keys      []Key  // exactly the planned rows, at most MaxBatch
	Range     *Range // or a stretch of the page order: what is due in it
	// Partition is one partition of the table that goes as a whole, where every row
	// of it is due: else nothing is done, and the error is [ErrNotWhole].
	Partition *Partition
	// Outside is what the batch does instead of rows, elsewhere.
	Outside *Outside
	// ChildrenOf limits the batch to child rows of its one key, at most that
	// many; the row itself stays. For rows with more children than a batch takes.
	ChildrenOf int64
	AsOf       time.Time
	// Admit is called inside the transaction, after the gate row was read in it:
	// it compares the stores, checks kill switch and fencing attempt, and returns
	// the holds that have not ended. Any error rolls the batch back.
	Admit func(ctx context.Context, g Gate) (*HoldSet, error)
	// Known are the holds that the plan knew: of a range, what is due beside these was
	// planned, and is spared where another hold has come (L11). nil: nobody says.
	Known *HoldSet
	// Copy, of an archive that leaves the database, calls read with what takes the
	// rows, and returns once they are durable and read back: the segments of a sealed
	// vault, none of tables in another source. It is called once a batch, with the
	// rows locked and tested; nothing commits that removes one before it returned.
	Copy func(ctx context.Context, read func(to RowWriter) error) ([]SealedRef, error)
	// Own, for each of Act.Owns, takes each row that is about to go, with whom it is
	// about by whichever way holds would find it, and writes durably down which files go
	// with it. It is called before a row is removed; in a batch of [Batch.ChildrenOf] it
	// is told of every child row, and those that stay still name their files.
	Own func(ctx context.Context, o Owner, rows []OwnerRow) error
	// Seal makes the receipt's digest (an HMAC: no plain hash of identifiers).
	Seal func(done int64, keys []Key) string
	// Turn, where it is set, is called once the batch is admitted, before it touches
	// a row: it waits for the source to be free, and returns what ends the turn. That
	// is called when the batch's rows are done, before its receipt is written, or
	// when the batch ends.
	Turn func() (end func())
	// Waited, where it is set, tells whether a hold waits to pass the source's gate. A
	// batch that is at one thing for seconds asks it now and then, and where it has done
	// nothing yet it fails with [ErrGaveWay]. Any goroutine of the batch may call it.
	Waited func(ctx context.Context) bool
	// Trouble is told what rows, or files, of the batch ran into that stay; see
	// [Batch.Tell].
	Trouble func(n int64, what string)
	// Reached is told of each [Point]; nil outside of tests. See [Batch.Reach].
	Reached func(Point)
}

// Range is a stretch of a selection's page order: the rows after one place, up
// to and with another. What is due in it was planned, unless more rows are due
// than the plan has left: then nothing is done, and the error is [ErrUnplanned].
type Range struct {
	After, To Cursor // a zero To: to the end; one without a key: up to, and without, its value
	Most      int64  // rows that may be done
	// Of Parts passes over the range, the one numbered Part from 0: the rows whose
	// key leaves that remainder. Parts below 2: all rows at once.
	Part, Parts int
}

// Partition is a partition of a table, whose bounds lie before the cutoff.
type Partition struct {
	Name  TableName
	Rows  int64  // that it had when it was looked at; more are not planned
	Kept  int64  // those of them that are not due: with one of them it stays
	Upper string // its upper bound, as the database writes it
}

// MaxBatch is the most rows that one batch may name.
const MaxBatch = 20_000

// MaxChildren is how many children of one row go in the row's own transaction;
// beyond, they go first in batches of their own.
const MaxChildren = 10_000

// Act is an action bound to live tables.
type Act struct {
	Kind     ActionKind
	Children []Child  // delete, archive: deepest first
	Changes  []Change // redact, anonymise
	Mark     string
	MarkAt   time.Time
	Into     *VaultTables // archive into tables
	Sealed   bool         // archive into a sealed vault: rows go to [Batch.Copy]
	Keepers  [][]Minimum  // beside it: minimums on the table, then on each of Children, that its end asks for
	Drop     bool         // the rows are a vault's: their copies end here
	Whole    bool         // delete: partitions that are due as a whole are dropped
	Owns     []Owner      // delete: whose rows have files; see [Batch.Own]
}

// Leaves reports whether rows leave their database: [Batch.Copy] takes them.
func (a *Act) Leaves() bool { return a.Sealed || a.Into != nil && a.Into.Source != "" }

// VaultTables are where archived rows go.
type VaultTables struct {
	Source   string // that has the tables; empty: the same database
	Table    TableName
	Children []TableName // beside Act.Children
	Rule     string      // policy/rule, kept with the row
	Why      string
	At       time.Time // archive time
}

// Columns that a table vault adds to the copied ones.
const (
	VaultClock      = "retentiond_clock"       // the rule's clock, RFC 3339 UTC
	VaultRule       = "retentiond_rule"        // policy/rule
	VaultArchivedAt = "retentiond_archived_at" // RFC 3339 UTC
	// VaultLife tells rows apart that had the same key one after the other, from
	// 0; children carry their row's. An application may give an identifier again.
	VaultLife = "retentiond_life"
	// VaultIntent is only in vaults of another source: whose copy a row is.
	VaultIntent = "retentiond_intent"
)

// Spared counts planned rows that were left, by reason (L6).
type Spared struct {
	Held      int64 `json:"held"`
	Protected int64 `json:"protected"`
	Blocked   int64 `json:"blocked"`
	Changed   int64 `json:"changed"` // no longer due: clock or condition moved
	Gone      int64 `json:"gone"`    // no longer there
	Failed    int64 `json:"failed"`  // the batch failed and was rolled back
	// NotReached: no batch came to them, since the run was stopped, refused or out of
	// its window before: nothing spared them, and nothing failed about them.
	NotReached int64 `json:"not_reached"`
}

// Sum adds up the reasons.
func (s Spared) Sum() int64 {
	return s.Held + s.Protected + s.Blocked + s.Changed + s.Gone + s.Failed + s.NotReached
}

// Add adds o to s.
func (s *Spared) Add(o Spared) {
	s.Held += o.Held
	s.Protected += o.Protected
	s.Blocked += o.Blocked
	s.Changed += o.Changed
	s.Gone += o.Gone
	s.Failed += o.Failed
	s.NotReached += o.NotReached
}

// Outcome is what a batch did: Done + Spared = its keys, always.
type Outcome struct {
	Done     int64
	Spared   Spared
	Children map[string]int64 // child rows that went, by table
	Digest   string           // of the receipt
	Segments []SealedRef      `json:",omitempty"` // written
	// Copied are those of the spared whose copies are in the segments all the same:
	// they were left once they had been sealed. The copies end with their segments.
	Copied  int64      `json:",omitempty"`
	Expired *SealedRef `json:",omitempty"` // that ended
	// Unknown: the store was adopted with the intent open, and the source had no word
	// on it. What its batch may have archived is kept.
	Unknown bool `json:",omitempty"`
}

// Receipt is what the source itself says of an intent, written in the same
// transaction as the effect.
type Receipt struct {
	Intent string
	State  ReceiptState
	Rows   int64
	Digest string
	At     time.Time
	// Spared and Children are the outcome's: a settled batch is audited as fully as
	// one whose process lived.
	Spared   Spared
	Children map[string]int64
	Segments []SealedRef // that have the rows now
	Copied   int64       // as of [Outcome]
	Into     []TableName // of a vault's receipt: the tables that have its copies
}

// ReceiptState is how an intent ended in its source.
type ReceiptState string

// Receipt states. Once abandoned, the intent's batch can never commit.
const (
	ReceiptDone      ReceiptState = "done"
	ReceiptAbandoned ReceiptState = "abandoned"
)

// Gate is a source's gate row: who the source is, which state store it knows,
// and how far that store had come (L3, L8). Every source is a witness against a
// rolled-back store. LogSize is [audit.Checkpoint].Total (all years' entries, so
// that it never falls), LogRoot the open log's root there.
type Gate struct {
	Installed    bool
	SourceUUID   string
	StoreUUID    string // where it is not installed: the store that the place itself names, or none
	HoldsVersion int64
	LogSize      int64
	LogRoot      string
}
