package retention

import (
	"context"
	"time"
)

// Inspector is all that planning is given: it cannot write, and its sessions
// are held read-only by the database itself (L5). It needs no privilege but
// SELECT. Every method may be called by several goroutines.
type Inspector interface {
	// Describe reads the live catalogue: the tables asked for that exist, and of
	// every table that refers to them at least its foreign keys and columns. A
	// table that does not exist is absent from the answer; that is no error.
	Describe(ctx context.Context, tables []TableName) (*Schema, error)
	// Count counts every row of the selection's table in exactly one class, in
	// one statement, and the children that would go with the due rows.
	Count(ctx context.Context, s Selection, h *HoldSet, children []Child) (Counts, error)
	// Page returns the next due rows, at most limit, after the cursor, in an
	// order that never walks a row twice.
	Page(ctx context.Context, s Selection, h *HoldSet, after Cursor, limit int) (Page, error)
	// Ahead returns the place in the page order that lies at most so many rows after
	// the cursor, and at least half as many, counted among the rows that could be due
	// (holds and conditions are not asked): the end of a range of about that size.
	// Where fewer are left it is the zero Cursor.
	Ahead(ctx context.Context, s Selection, after Cursor, rows int) (Cursor, error)
	// Partitions returns the partitions of the selection's table, in the order of
	// their bounds, whose bounds lie before the cutoff, and that have rows. Those of
	// which nothing is kept may go as a whole: every row of them is due now. None where
	// the engine cannot drop one with a receipt.
	Partitions(ctx context.Context, s Selection, h *HoldSet) ([]Partition, error)
	// Evidence returns, for the rows found, every test's result on its own.
	Evidence(ctx context.Context, s Selection, h *HoldSet, f Find) ([]Evidence, error)
	// SmallGroups counts the rows that, once changed, would share their quasi
	// identifiers with fewer than k rows, and all rows looked at.
	SmallGroups(ctx context.Context, s Selection, h *HoldSet, changes []Change, k KAnonymity) (small, all int64, err error)
	// Pressure tells how busy the source is, as far as it says so.
	Pressure(ctx context.Context, t TableName) (Pressure, error)
	// Server returns the server's clock and the gate row (not Installed where
	// there is none).
	Server(ctx context.Context) (Server, error)
}

// Counts is the result of [Inspector.Count].
type Counts struct {
	Classes   Classes
	Children  map[string]int64 // children of due rows, by table
	OldestDue *time.Time       // earliest own clock among due rows; nil: none or unknown
	NewestDue *time.Time       // latest, where the selection asks for it
}

// Server is what a source says of itself.
type Server struct {
	Now  time.Time
	Gate Gate
	Name string // product and version
	// Identity is the same for two configured names of one database: the gate's
	// source uuid, or, where none is installed yet, what tells the database apart
	// on this host.
	Identity string
	// Bound is the source uuid of the gate that the place itself names, where it names
	// one: two sources of another identity with the same are one place with two gates.
	Bound string
}

// Find says which rows to look at: by key, or by a subject that reaches them.
type Find struct {
	Key     *string    // the key's text; a composite one as a JSON array
	Subject *SubjectID // through the selection's Reach
	Limit   int
}

// Evidence is one row, looked at.
type Evidence struct {
	Key     string // the key's text; a composite one as a JSON array
	Class   Class
	Clock   *time.Time   // the rule's clock before rounding; nil: open or unresolved
	Members []MemberSeen // beside the selection's clock members
}

// MemberSeen is what one clock member said.
type MemberSeen struct {
	From       string // "created_at", or "interactions.occurred_at"
	At         *time.Time
	Unresolved bool
}

// Matcher finds out which identifiers a source knows.
type Matcher interface {
	// Matched returns those of the identifiers, as given, that some row of the
	// selection's table carries through its Reach's own subjects of that type.
	Matched(ctx context.Context, s Selection, subjectType string, ids []string) ([]string, error)
}

// Actor changes a source, one batch a transaction.
type Actor interface {
	// Apply does a batch as the batch protocol says. On an error nothing of it
	// remains, unless the commit's reply was lost: the caller settles. On return
	// without error, effect and receipt are durable.
	Apply(ctx context.Context, b Batch) (Outcome, error)
	// Passes is in how many passes a range is best done; 1: at once. Where rows are
	// written anew beside the old, what one pass leaves makes room for the next.
	Passes(s Selection, a Act) int
	// Settle ends an intent without outcome: it returns the receipt that exists,
	// or inserts an abandoned one, after which the batch can never commit. open is
	// asked in the same transaction once that is inserted, and its error undoes it: a
	// receipt is missing too where another process settled the intent and pruned it.
	// nil: the caller knows that the intent is open.
	Settle(ctx context.Context, intent string, open func(context.Context) error) (Receipt, error)
	// Prune drops done receipts whose outcomes are audited; the newest stays.
	Prune(ctx context.Context, intents []string) error
	// MakeVault creates the vault's tables where they are missing, and refuses
	// where they no longer fit the tables they copy.
	MakeVault(ctx context.Context, s *Schema, v VaultSpec) error
	// Restore inserts rows of a sealed archive into a table, all or none, with the
	// values that they had: rows calls insert for each, with a value for each column.
	// Columns that the table computes itself are left to it. One that the table does
	// not have, a row whose key is taken, and rows that the table then has in another
	// way, are errors.
	Restore(ctx context.Context, t TableName, columns []SegmentColumn, rows func(insert func(row []any) error) error) (int64, error)
	// Erase does in the engine what the level says after rows are gone, and names
	// the residuals that remain.
	Erase(ctx context.Context, tables []TableName, level Erase) ([]Residual, error)
}

// Residual is a copy that outlives the delete. One that stays until somebody
// acts (free pages, a log that nobody truncates) leaves no date from which the
// data is gone for good.
type Residual struct {
	What  string
	Stays bool
}

// VaultSpec pairs tables with the vault tables that take their rows.
type VaultSpec struct {
	From, Into []TableName
}

// Gatekeeper owns a source's gate: the row that every batch shares and a hold
// takes exclusively.
type Gatekeeper interface {
	// Install creates gate and receipt tables where they are missing and returns
	// the gate. It never changes a gate that exists.
	Install(ctx context.Context, storeUUID string) (Gate, error)
	// InstallSQL is what Install would run, for people who install by hand.
	InstallSQL() string
	// Pass takes the gate exclusively, waits for every batch that shares it, and
	// asks fits whether the gate, as it is now, is one that the caller's store may
	// pass. Then it raises the holds version to at least v, witnesses w, never
	// backwards, and commits. Where no gate is installed it returns installed =
	// false. A gate that knows another store is a state_mismatch refusal; after
	// that, or an error of fits, the gate is as it was.
	Pass(ctx context.Context, storeUUID string, v int64, w Witness, fits func(context.Context, Gate) error) (installed bool, err error)
	// Adopt makes the gate know that store, whatever it knew before.
	Adopt(ctx context.Context, storeUUID string, v int64, size int64, root string) error
	// Witness records the audit log's size and root in the gate row, never
	// backwards.
	Witness(ctx context.Context, storeUUID string, size int64, root string) error
}

// Archived is a source that finds archived rows by what their tables have, whatever
// the configuration says of vaults.
type Archived interface {
	// ArchiveTables are the tables that have the columns of archived rows, and that this
	// user may read, by the catalogue's own names; schemas are those that are known of.
	ArchiveTables(ctx context.Context, schemas []string) ([]TableName, error)
}

// Apart is a source whose gate is not in it: another daemon reaches it by a gate of its
// own, unless the source was made to name this one.
type Apart interface {
	// GateApart is whether a hold installs the gate before it passes it.
	GateApart() bool
}

// Witness is what a gate is given to keep of the audit log: how long it was, over
// all years, and its root there.
type Witness struct {
	Size int64
	Root string
}

// Source is an open source.
type Source interface {
	Inspector
	Matcher
	Actor
	Gatekeeper
	Close() error
}

// Chained is a source whose ranges run into the one that follows them: to find a
// range's end, its engine locks the row after it, and waits for whoever acts there.
// Ranges of such a source act one at a time; others are admitted, commit and are
// audited meanwhile.
type Chained interface {
	// Chained is whether this source is one.
	Chained() bool
}
