package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/retentiond/retentiond/retention/audit"
)

// holdEntry is what the hold.* entries say.
type holdEntry struct {
	Hold     string    `json:"hold"`
	Version  int64     `json:"version"`
	Digest   string    `json:"hold_digest"`
	Covers   int       `json:"covers"`
	InForce  bool      `json:"in_force"` // of a hold told again: it was
	Restated bool      `json:"restated"` // told again, with an old version
	Adopted  int64     `json:"adopted"`  // the holds version up to which a person accepted the holds
	Grace    time.Time `json:"grace_until"`
}

// loggedHold is a hold as the log has it.
type loggedHold struct {
	id       string
	placed   string // the entry with its latest form; empty: of a year that was dropped
	log      string // of that entry: its key
	digest   string
	covers   int
	version  int64
	inForce  int64 // the version that came into force
	released string
	grace    time.Time
}

// holdLog is what the log says of all holds.
type holdLog struct {
	holds    map[string]*loggedHold
	order    []*loggedHold
	versions map[int64]bool
	lowest   int64
	adopted  int64
	dropped  bool
}

// holdKinds is written as the index has it, so that the index serves.
const holdKinds = "kind IN ('hold.placed', 'hold.in_force', 'hold.released')"

// holdLog reads the hold.* entries, each proven to be of the sealed tree.
func (t *tx) holdLog(ctx context.Context) (*holdLog, error) {
	l := &holdLog{holds: map[string]*loggedHold{}, versions: map[int64]bool{}}
	var logs []struct {
		headRow
		Dropped bool `db:"dropped"`
	}
	if err := t.all(ctx, &logs, "SELECT log, base, size, last_at, mac, dropped FROM audit_logs ORDER BY log"); err != nil {
		return nil, err
	}
	for _, r := range logs {
		if r.Dropped {
			l.dropped = true
			continue
		}
		if err := t.readHolds(ctx, l, r.headRow); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// readHolds reads those of one log.
func (t *tx) readHolds(ctx context.Context, l *holdLog, r headRow) error {
	head := audit.TreeHead{Log: r.Log, Base: r.Base, Size: r.Size, Last: instant(r.LastAt), MAC: r.MAC}
	if err := audit.CheckTail(ctx, t.log(), t.s.key, head); err != nil {
		return err
	}
	reader := tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) { return t.log().Hashes(ctx, r.Log, ix) })
	root, err := tlog.TreeHash(r.Size, reader)
	if err != nil {
		return err
	}
	var rows []lineRow
	if err := t.all(ctx, &rows, "SELECT log, n, at, kind, run, line FROM audit_entries WHERE log = ? AND "+holdKinds+" ORDER BY n", r.Log); err != nil {
		return err
	}
	for _, e := range rows {
		if err := proven(e, r.Size, root, reader); err != nil {
			return misfit("entry %s/%d of the audit log is not the one that was hashed: %v", e.Log, e.N, err)
		}
		if err := l.add(e); err != nil {
			return misfit("entry %s/%d of the audit log cannot be read: %v", e.Log, e.N, err)
		}
	}
	return nil
}

// proven checks that the tree has this line at this place.
func proven(e lineRow, size int64, root tlog.Hash, r tlog.HashReader) error {
	if e.N < 1 || e.N > size {
		return fmt.Errorf("the log has %d entries", size)
	}
	p, err := tlog.ProveRecord(size, e.N-1, r)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(p, size, root, e.N-1, tlog.RecordHash(e.Line))
}

// add takes one entry, by the kind that its own line says.
func (l *holdLog) add(row lineRow) error {
	head, err := audit.ParseHead(row.Line)
	if err != nil {
		return err
	}
	var e holdEntry
	if err := json.Unmarshal(row.Line, &e); err != nil {
		return err
	}
	h := l.holds[e.Hold]
	if h == nil {
		h = &loggedHold{id: e.Hold}
		l.holds[e.Hold], l.order = h, append(l.order, h)
	}
	where := fmt.Sprintf("%s/%d", row.Log, row.N)
	switch head.Kind {
	case audit.HoldPlaced:
		h.placed, h.log, h.digest, h.covers, h.version = where, row.Log, e.Digest, e.Covers, e.Version
		if e.InForce {
			h.inForce = e.Version
		}
		if e.Adopted > 0 { // whatever was said of it before
			h.released = ""
		}
	case audit.HoldInForce:
		h.inForce = e.Version
		return nil
	case audit.HoldReleased:
		h.released, h.grace = where, e.Grace
	}
	l.adopted = max(l.adopted, e.Adopted)
	if !e.Restated {
		l.versions[e.Version] = true
		if l.lowest == 0 || e.Version < l.lowest {
			l.lowest = e.Version
		}
	}
	return nil
}

// missing is a holds version that no entry tells of, up to the store's; 0: none.
// Those of dropped years come before all others.
func (l *holdLog) missing(version int64) int64 {
	first := int64(1)
	if l.dropped {
		first = max(l.lowest, 1)
	}
	if l.dropped && l.lowest == 0 {
		return 0
	}
	for v := max(first, l.adopted+1); v <= version; v++ {
		if !l.versions[v] {
			return v
		}
	}
	for v := range l.versions {
		if v > version {
			return v
		}
	}
	return 0
}
