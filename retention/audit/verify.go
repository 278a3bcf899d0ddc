package audit

import (
	"context"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Reader is what verification reads: bytes, of which it trusts none.
type Reader interface {
	// Checkpoints lists the stored checkpoints of all logs.
	Checkpoints(ctx context.Context) ([]Checkpoint, error)
	// Logs lists the logs, oldest first, dropped ones included.
	Logs(ctx context.Context) ([]LogInfo, error)
	// Lines returns a log's entries with numbers over after, in order, at most limit.
	Lines(ctx context.Context, log string, after int64, limit int) ([]Stored, error)
	// StoredHashes returns a log's hashes with from ≤ index < to, in order.
	StoredHashes(ctx context.Context, log string, from, to int64) ([]StoredHash, error)
}

// LogInfo is a log as the store lists it.
type LogInfo struct {
	Log     string
	Base    int64 // entries of all logs before
	Size    int64
	MAC     []byte
	Dropped bool // its time was over: entries and keys are gone
}

// Stored is an entry as it is stored, with the columns that repeat its line.
type Stored struct {
	N    int64
	At   time.Time
	Kind Kind
	Run  string
	Line []byte
}

// StoredHash is a stored hash with its tlog.StoredHashIndex.
type StoredHash struct {
	Index int64
	Hash  tlog.Hash
}

// Witness is what a source's gate saw of the log.
type Witness struct {
	Name  string
	Total int64 // Checkpoint.Total
	Root  string
}

// Note is a signed checkpoint from outside the store.
type Note struct {
	Name    string
	Text    []byte
	Outside bool // kept by somebody else, not on this machine
}

// Result is what verification found. Size and Root are the open log's. FirstBad
// is exact while the stored leaf hashes are intact; otherwise the first entry of
// a range between signed checkpoints that ends with LastBad.
type Result struct {
	OK       bool   `json:"ok"`
	Log      string `json:"log"` // the open log, or the bad one
	Size     int64  `json:"size"`
	Root     string `json:"root"`
	FirstBad *int64 `json:"first_bad"`
	LastBad  *int64 `json:"last_bad,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// Verify recomputes every log from its exact lines, and compares it with its
// stored hashes, every signed checkpoint, the notes and the witnesses. Memory
// does not grow with the log. An error means that it could not be read at all.
func Verify(ctx context.Context, r Reader, key *Key, notes []Note, witnesses []Witness) (Result, error) {
	v := verification{r: r, key: key, marks: map[string][]mark{}}
	if err := v.collect(ctx, notes); err != nil {
		return Result{}, err
	}
	v.place(witnesses)
	var last Result
	var bad *Result
	for i, l := range v.logs {
		if l.Dropped {
			continue
		}
		res, err := v.walk(ctx, l, v.follows(i))
		if err != nil {
			return Result{}, err
		}
		if last = res; !res.OK && bad == nil {
			bad = &res
		}
	}
	return v.conclude(last, bad), nil
}

// conclude prefers what is wrong with entries to what is wrong beside them.
func (v *verification) conclude(last Result, bad *Result) Result {
	if bad != nil {
		bad.Size, bad.Root = last.Size, last.Root
		return *bad
	}
	if len(v.logs) == 0 {
		last.OK, last.Root = true, emptyRoot()
	}
	if last.OK && len(v.wrong) > 0 {
		last.OK, last.Reason = false, v.wrong[0].reason
		if at := v.wrong[0].first; at > 0 {
			last.FirstBad = &at
		}
	}
	return last
}
