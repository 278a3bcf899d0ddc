package audit

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// TreeHead is where the open log stands. Its row is locked last, by [Tx.Head]:
// appends serialise on it.
type TreeHead struct {
	Log  string    // the open year's log; empty: nothing was ever appended
	Size int64     // its entries
	Base int64     // entries of all logs before it, dropped ones included
	Last time.Time // time of the last entry
	MAC  []byte    // [Key.Seal] of the head
}

// Total is the entries of all logs.
func (h TreeHead) Total() int64 { return h.Base + h.Size }

// Tx is what an append needs of the store's own transaction. Everything it
// writes becomes durable with that transaction, or never was.
type Tx interface {
	// Head locks the tree head until the transaction ends, and reads it.
	Head(ctx context.Context) (TreeHead, error)
	// SetHead replaces it; another log than before closes the one before.
	SetHead(ctx context.Context, h TreeHead) error
	// MayClose reports whether no intent is open: only then a year may close.
	MayClose(ctx context.Context) (bool, error)
	// Hashes reads stored hashes of a log by tlog.StoredHashIndex.
	Hashes(ctx context.Context, log string, indexes []int64) ([]tlog.Hash, error)
	// Put stores an entry and its hashes, the first at tlog.StoredHashIndex(0, n-1).
	Put(ctx context.Context, e NewEntry) error
	// PutCheckpoint stores a signed checkpoint.
	PutCheckpoint(ctx context.Context, c Checkpoint) error
}

// NewEntry is an entry on its way into the store. At, Kind and Run repeat what
// the line says, for indexes.
type NewEntry struct {
	Entry
	At     time.Time
	Kind   Kind
	Run    string
	Hashes []tlog.Hash
}

// Append appends events at the store's time now and returns the number of the
// last, counted from 1 within its year. At the first append of a new year it
// closes the old log, unless an intent is still open: then the old year goes on.
// To a log whose end the key did not write nothing is appended: [ErrTail].
func Append(ctx context.Context, tx Tx, key *Key, now time.Time, events ...Event) (int64, error) {
	h, err := tx.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the audit log's head: %w", err)
	}
	if err := CheckTail(ctx, tx, key, h); err != nil {
		return 0, err
	}
	if h, err = open(ctx, tx, key, now); err != nil {
		return 0, err
	}
	for _, e := range events {
		if err := checkEvent(e); err != nil {
			return 0, err
		}
		if h, err = appendOne(ctx, tx, h, now, e); err != nil {
			return 0, err
		}
	}
	return h.Size, setHead(ctx, tx, key, h)
}

// Period names the log that an append at now goes to; keyed subjects take that
// log's key.
func Period(ctx context.Context, tx Tx, now time.Time) (string, error) {
	h, err := tx.Head(ctx)
	if err != nil {
		return "", err
	}
	rolls, err := rolls(ctx, tx, h, now)
	if err != nil || !rolls {
		return h.Log, err
	}
	return year(now), nil
}

func year(t time.Time) string { return fmt.Sprintf("%04d", t.UTC().Year()) }

// rolls reports whether an append at now begins a new log.
func rolls(ctx context.Context, tx Tx, h TreeHead, now time.Time) (bool, error) {
	if h.Log == "" {
		return true, nil
	}
	had, err := strconv.Atoi(h.Log)
	if err != nil {
		return false, fmt.Errorf("audit log %q is not named by a year: %w", h.Log, err)
	}
	if now.UTC().Year() <= had {
		return false, nil
	}
	return tx.MayClose(ctx)
}

// open returns the head to append to, after closing a year that is over.
func open(ctx context.Context, tx Tx, key *Key, now time.Time) (TreeHead, error) {
	h, err := tx.Head(ctx)
	if err != nil {
		return h, fmt.Errorf("read the audit log's head: %w", err)
	}
	rolls, err := rolls(ctx, tx, h, now)
	if err != nil || !rolls {
		return h, err
	}
	next := TreeHead{Log: year(now), Base: h.Total(), Last: h.Last}
	if h.Log == "" {
		return next, tx.SetHead(ctx, next)
	}
	c, err := Sign(ctx, tx, key, h)
	if err != nil {
		return h, fmt.Errorf("close audit log %s: %w", h.Log, err)
	}
	if err := tx.PutCheckpoint(ctx, c); err != nil {
		return h, fmt.Errorf("close audit log %s: %w", h.Log, err)
	}
	if err := tx.SetHead(ctx, next); err != nil {
		return h, err
	}
	return appendOne(ctx, tx, next, now, Event{Kind: ConfigLoaded, Data: map[string]any{"closed": closedLog{c.Log, c.Size, c.Root, string(c.Note)}}})
}

// closedLog is what a year's first entry holds of the year before.
type closedLog struct {
	Log        string `json:"log"`
	Size       int64  `json:"size"`
	Root       string `json:"root"`
	Checkpoint string `json:"checkpoint"`
}

func appendOne(ctx context.Context, tx Tx, h TreeHead, now time.Time, e Event) (TreeHead, error) {
	n := h.Size + 1
	e.Data = declareStep(e.Data, h.Last, now)
	line, err := encode(n, now, e)
	if err != nil {
		return h, err
	}
	read := tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) { return tx.Hashes(ctx, h.Log, ix) })
	hashes, err := tlog.StoredHashes(h.Size, line, read)
	if err != nil {
		return h, fmt.Errorf("hash audit entry %s/%d: %w", h.Log, n, err)
	}
	entry := NewEntry{Entry: Entry{h.Log, n, line}, At: now, Kind: e.Kind, Run: e.Run, Hashes: hashes}
	if err := tx.Put(ctx, entry); err != nil {
		return h, fmt.Errorf("store audit entry %s/%d: %w", h.Log, n, err)
	}
	h.Size, h.Last = n, now
	return h, nil
}

// maxStep is how far an entry's time may lie before the last one's without
// saying so: clocks are adjusted by that much all the time.
const maxStep = time.Minute

func declareStep(data map[string]any, last, now time.Time) map[string]any {
	if last.Sub(now) <= maxStep {
		return data
	}
	data = maps.Clone(data)
	if data == nil {
		data = map[string]any{}
	}
	data[clockBack] = last.Sub(now).Milliseconds()
	return data
}
