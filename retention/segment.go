package retention

import (
	"context"
	"slices"
	"time"
)

// A sealed vault keeps archived rows as segments: files, or objects, that only
// the recipients can read. A segment has a name, is written once, and ends as a
// whole.

// Segment is what the signed manifest of a segment says. It has no value of a row.
type Segment struct {
	Vault, Name   string
	Intent        string
	Source        string // name when it was sealed
	SourceUUID    string
	Policy, Rule  string
	Dataset       string
	Stage         int
	Digest        string // of the policy
	Meaning       string // of the rule
	Tables        []SegmentTable
	Rows          int64 // of the rule's table; of its children, where it has nothing else; of files: in it, or some part of them
	First, Last   time.Time
	SealedAt      time.Time
	Ends          time.Time // as the rule was when it was sealed; zero: it did not say
	Plain, Cipher SegmentBytes
	Manifest      string // SHA-256 of the signed manifest
	Recipients    []string
	Minimums      []SegmentMinimum
	From          string   // how the rule's clock was read; empty: of before that was noted
	Ways          []string // by which the index was made, in the words of package bind
	Types         []string // of subjects that the index knows
	// About are the keyed digests of the subjects that the rows are about, as
	// [SealedVault.Digests] makes them.
	About []uint64
	// Loose: the index was made by other rules than those of now. Whom it does not
	// name may be in it.
	Loose bool
	// Bad says why nothing of the segment but its name can be believed; empty: it
	// can. Nothing acts on a bad one.
	Bad string
}

// MayBeAbout reports whether the segment has a row about the subject with the
// digests, or might.
func (s *Segment) MayBeAbout(digests []uint64) bool {
	return s.Loose || slices.ContainsFunc(s.About, func(n uint64) bool { return slices.Contains(digests, n) })
}

// SegmentBytes is the size and the SHA-256 of a content.
type SegmentBytes struct {
	Bytes  int64
	SHA256 string
}

// SegmentTable is a table of which a segment has rows.
type SegmentTable struct {
	Name    TableName
	Child   bool
	Files   bool // its rows are parts of files
	Rows    int64
	Key     []string
	Columns []SegmentColumn
	On      []Pair // child: its columns, and those of the rule's table
	// Subjects are the columns that say whom a row is about, by type.
	Subjects    map[string][]string
	Fingerprint string
}

// SegmentColumn is a column as it was when rows were sealed.
type SegmentColumn struct {
	Name, Decl string
	Kind       Kind
	Generated  bool
}

// SegmentMinimum is how far a legal minimum protected rows of a table when they were
// sealed: until its period is over from Clock. Unknown: for ever, since some row's
// clock was not readable.
type SegmentMinimum struct {
	Policy, Rule string
	Child        string    // table of child rows; empty: the rule's own
	Asks         string    // what the minimum asked then; empty: of before that was noted
	Clock        time.Time // zero: it protected none of the rows
	Unknown      bool
}

// SealedRef names a segment in receipts and in the state store.
type SealedRef struct {
	Vault    string `json:"vault"`
	Name     string `json:"segment"`
	Rows     int64  `json:"rows"`
	Cipher   string `json:"sha256"`
	Manifest string `json:"manifest_sha256"`
}

// KnownSegment is a segment that the state store knows: the outcome of its batch is
// durable.
type KnownSegment struct {
	SealedRef
	Intent       string
	Policy, Rule string
	Expired      bool
}

// SealOrder is what the segments of one batch have in common.
type SealOrder struct {
	Intent             string
	Source, SourceUUID string
	Policy             *Policy
	Rule               *Rule
	Stage              int
	Ways               []string // see [Segment]
	At                 time.Time
	Reached            func(Point) // may be nil
}

// SealTable is a table whose rows follow.
type SealTable struct {
	Table    *Table
	Into     TableName // of a vault in another source: the table that takes them
	Child    bool
	Files    bool // its rows are files: see [FileWriter]
	On       []Pair
	Subjects []Subject // those with columns of the table itself
	Minimums []Minimum
}

// RowWriter takes rows on their way into a vault. A value is nil, int64, uint64,
// float32, float64, string, []byte or bool, exactly as the database has it.
type RowWriter interface {
	// Table begins the rows of a table.
	Table(t SealTable) error
	// Row takes a row: a value for each column, the rule's clock in microseconds
	// since 1970, and for each of the table's minimums its clock, math.MaxInt64
	// where it is not known, nil where it does not protect the row. It returns
	// ErrTooWide once the batch has more bytes than one batch may. It keeps neither
	// of the slices, nor bytes that a value is: the next row is read over them.
	Row(values []any, clock int64, minimums []*int64) error
	// About adds a subject that some row of the batch is about through other rows.
	About(subjectType string, id any) error
}

// Sealing takes one batch's rows and makes segments of them.
type Sealing interface {
	RowWriter
	// Seal encrypts and writes what was taken, and reads it back. On return the
	// segments are durable; on an error nothing of them counts, and
	// [SealedVault.RemoveOf] takes away what is left.
	Seal(ctx context.Context) ([]SealedRef, error)
}

// SealedVault is a sealed vault. Its methods may be called by several goroutines.
type SealedVault interface {
	// Begin begins the segments of one batch.
	Begin(o SealOrder) Sealing
	// Segments reads every manifest and calls f with each, in order of their names,
	// those that do not verify included.
	Segments(ctx context.Context, f func(*Segment) error) error
	// Segment reads one manifest; ErrNotFound.
	Segment(ctx context.Context, name string) (*Segment, error)
	// Has reports whether the segment's rows are there, whatever they are worth.
	Has(ctx context.Context, name string) (bool, error)
	// Remove ends a segment: on return nothing of it is left. One that is not there
	// is no error.
	Remove(ctx context.Context, name string) error
	// Fits is a state_mismatch refusal where the vault's place knows that this state
	// store is older than one with its identity that acted there, or another copy of
	// it. Remove, RemoveOf and Seal ask it themselves.
	Fits(ctx context.Context) error
	// Saw makes the vault's place keep how far this store has come: at least now;
	// adopt: just that, whatever it kept. Durable on return.
	Saw(ctx context.Context, now Seen, adopt bool) error
	// RemoveOf removes what a batch wrote that can never commit.
	RemoveOf(ctx context.Context, intent string) error
	// Digests are how a subject appears in indexes: one in common is a match.
	Digests(subjectType, id string) []uint64
	// Keep asks the vault's place to keep the segment until its end, where it can. It is
	// called once the batch is committed, and again where that may have failed.
	Keep(ctx context.Context, name string) error
	// Check writes and removes a small file or object: a vault that cannot be
	// written is told before the first row is read.
	Check(ctx context.Context) error
}

// Outside is a batch that changes no row of its source: it keeps the source's gate
// while something of its rows that lies elsewhere ends.
type Outside struct {
	// Test says what would be done, under the holds that have not ended. Nothing is
	// done where that is nothing.
	Test func(ctx context.Context, h *HoldSet) (Outcome, error)
	// Do does it. It is called once the receipt is written, and nothing but the
	// commit follows: whoever settles the intent waits for that.
	Do func(ctx context.Context) error
}
