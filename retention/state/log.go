package state

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/retentiond/retentiond/retention/audit"
)

// logTx is the audit log's storage inside a transaction.
type logTx struct{ t *tx }

var _ audit.Tx = logTx{}

func (t *tx) log() logTx { return logTx{t} }

type headRow struct {
	Log    string `db:"log"`
	Base   int64  `db:"base"`
	Size   int64  `db:"size"`
	LastAt int64  `db:"last_at"`
	MAC    []byte `db:"mac"`
}

// Head reads the open log's head. The transaction itself is the lock.
func (l logTx) Head(ctx context.Context) (audit.TreeHead, error) {
	var r headRow
	_, err := l.t.get(ctx, &r, `SELECT l.log, l.base, l.size, l.last_at, l.mac FROM audit_logs l JOIN audit_head h ON h.log = l.log`)
	return audit.TreeHead{Log: r.Log, Base: r.Base, Size: r.Size, Last: instant(r.LastAt), MAC: r.MAC}, err
}

// SetHead stores the head. A new log gets the key for its subjects.
func (l logTx) SetHead(ctx context.Context, h audit.TreeHead) error {
	n, err := l.t.exec(ctx, "UPDATE audit_logs SET size = ?, last_at = ?, mac = ? WHERE log = ?", h.Size, micros(h.Last), h.MAC, h.Log)
	if err != nil || n == 1 {
		return err
	}
	secret, err := audit.NewSecret()
	if err != nil {
		return err
	}
	if _, err := l.t.exec(ctx, "INSERT INTO audit_logs (log, base, size, last_at, mac, secret) VALUES (?, ?, ?, ?, ?, ?)",
		h.Log, h.Base, h.Size, micros(h.Last), h.MAC, secret); err != nil {
		return err
	}
	_, err = l.t.exec(ctx, "INSERT INTO audit_head (id, log) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET log = excluded.log", h.Log)
	return err
}

// MayClose reports whether no intent is open and the entry itself ends none.
func (l logTx) MayClose(ctx context.Context) (bool, error) {
	if l.t.pinned {
		return false, nil
	}
	var one int
	open, err := l.t.get(ctx, &one, "SELECT 1 FROM intents WHERE concluded = 0 LIMIT 1")
	return !open, err
}

// Put stores an entry with its hashes.
func (l logTx) Put(ctx context.Context, e audit.NewEntry) error {
	if _, err := l.t.exec(ctx, "INSERT INTO audit_entries (log, n, at, kind, run, line) VALUES (?, ?, ?, ?, ?, ?)",
		e.Log, e.N, micros(e.At), string(e.Kind), e.Run, e.Line); err != nil {
		return err
	}
	first := tlog.StoredHashIndex(0, e.N-1)
	return l.t.insert(ctx, "audit_hashes (log, idx, hash)", "", len(e.Hashes), func(i int) []any {
		return []any{e.Log, first + int64(i), e.Hashes[i][:]}
	})
}

// PutCheckpoint stores a checkpoint; the same tree signed again is the same one.
func (l logTx) PutCheckpoint(ctx context.Context, c audit.Checkpoint) error {
	_, err := l.t.exec(ctx, "INSERT INTO audit_checkpoints (log, size, root, note, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (log, size) DO NOTHING",
		c.Log, c.Size, c.Root, c.Note, micros(l.t.now))
	return err
}

type hashRow struct {
	Idx  int64  `db:"idx"`
	Hash []byte `db:"hash"`
}

// Hashes reads stored hashes in the order asked for; a missing one is an error.
func (l logTx) Hashes(ctx context.Context, log string, indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	if len(indexes) == 0 {
		return out, nil
	}
	query, args, err := sqlx.In("SELECT idx, hash FROM audit_hashes WHERE log = ? AND idx IN (?)", log, indexes)
	if err != nil {
		return nil, err
	}
	var rows []hashRow
	if err := l.t.all(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	found := make(map[int64][]byte, len(rows))
	for _, r := range rows {
		found[r.Idx] = r.Hash
	}
	for i, ix := range indexes {
		if copy(out[i][:], found[ix]) != tlog.HashSize {
			return nil, fmt.Errorf("audit log %s: stored hash %d is missing or short; run audit verify", log, ix)
		}
	}
	return out, nil
}

// keyed is how a subject or a name appears in an entry of this transaction.
func (t *tx) keyer(ctx context.Context) (func(string) string, error) {
	period, err := audit.Period(ctx, t.log(), t.now)
	if err != nil {
		return nil, err
	}
	secret, err := t.secret(ctx, period)
	if err != nil {
		return nil, err
	}
	return func(subject string) string { return audit.Keyed(secret, period, subject) }, nil
}

// secret reads a period's key; a period that has not begun begins with it.
func (t *tx) secret(ctx context.Context, period string) ([]byte, error) {
	var secret []byte
	ok, err := t.get(ctx, &secret, "SELECT secret FROM audit_logs WHERE log = ?", period)
	if err != nil || ok && len(secret) > 0 {
		return secret, err
	}
	// The entry that follows opens the log; opening it here gives it its key.
	if _, err := t.record(ctx); err != nil {
		return nil, err
	}
	ok, err = t.get(ctx, &secret, "SELECT secret FROM audit_logs WHERE log = ?", period)
	if err == nil && (!ok || len(secret) == 0) {
		err = fmt.Errorf("audit log %s has no key for subjects; restore the state store from a copy", period)
	}
	return secret, err
}

// salted is how free text appears in an entry; the salt is kept with the log.
func (t *tx) salted(ctx context.Context, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	salt, err := audit.NewSecret()
	if err != nil {
		return "", err
	}
	period, err := audit.Period(ctx, t.log(), t.now)
	if err != nil {
		return "", err
	}
	digest := audit.Salted(salt, text)
	_, err = t.exec(ctx, "INSERT INTO audit_salts (log, digest, salt) VALUES (?, ?, ?)", period, digest, salt)
	return digest, err
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
