package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

const installSQL = `CREATE TABLE IF NOT EXISTS retentiond_gate (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  source_uuid TEXT NOT NULL,
  store_uuid TEXT NOT NULL,
  holds_version INTEGER NOT NULL,
  log_size INTEGER NOT NULL,
  log_root TEXT NOT NULL
);
` + receiptSQL

const receiptSQL = `CREATE TABLE IF NOT EXISTS retentiond_receipt (
  intent TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('done', 'abandoned')),
  rows INTEGER NOT NULL,
  digest TEXT NOT NULL,
  at TEXT NOT NULL
);
`

// InstallSQL is the two tables. The gate row itself is written by
// [Source.Install], which knows the store.
func (s *Source) InstallSQL() string { return installSQL }

// Install creates what is missing and returns the gate.
func (s *Source) Install(ctx context.Context, storeUUID string) (retention.Gate, error) {
	var out retention.Gate
	uuid, err := newUUID()
	if err != nil {
		return out, err
	}
	err = s.inTx(ctx, batchWait, func(conn *sqlx.Conn) error {
		if _, err := conn.ExecContext(ctx, installSQL); err != nil {
			return fmt.Errorf("sqlite %s: create gate and receipt tables: %w", s.path, err)
		}
		if _, err := conn.ExecContext(ctx, "INSERT INTO retentiond_gate SELECT 1, ?, ?, 0, 0, '' WHERE NOT EXISTS (SELECT 1 FROM retentiond_gate)", uuid, storeUUID); err != nil {
			return fmt.Errorf("sqlite %s: write the gate: %w", s.path, err)
		}
		out, err = readGate(ctx, conn)
		return err
	})
	return out, err
}

// newUUID is a random UUID, version 4.
func newUUID() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("random source uuid: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}

// readGate reads the gate row; Installed is false where table or row is
// missing.
func readGate(ctx context.Context, q sqlx.QueryerContext) (retention.Gate, error) {
	var g retention.Gate
	err := q.QueryRowxContext(ctx, "SELECT source_uuid, store_uuid, holds_version, log_size, log_root FROM main.retentiond_gate WHERE id = 1").
		Scan(&g.SourceUUID, &g.StoreUUID, &g.HoldsVersion, &g.LogSize, &g.LogRoot)
	switch {
	case errors.Is(err, sql.ErrNoRows), err != nil && noTable(err):
		return retention.Gate{}, nil
	case err != nil:
		return retention.Gate{}, fmt.Errorf("read the gate: %w", err)
	}
	g.Installed = true
	return g, nil
}

// known refuses a gate that belongs to another store.
func (s *Source) known(g retention.Gate, storeUUID string) error {
	if g.StoreUUID == storeUUID {
		return nil
	}
	return refusal(retention.RefuseStateMismatch, "%s knows state store %s, not %s: use that store, or adopt this one with check --adopt", s.path, g.StoreUUID, storeUUID)
}

// Pass takes the write lock, which every batch holds from its first statement
// to its end, for as long as ctx lasts. Where no gate is installed, no batch can
// commit: every batch reads the gate in its own transaction.
func (s *Source) Pass(ctx context.Context, storeUUID string, v int64, w retention.Witness, fits func(context.Context, retention.Gate) error) (installed bool, err error) {
	err = s.inTx(ctx, 0, func(conn *sqlx.Conn) error {
		g, err := readGate(ctx, conn)
		if err != nil || !g.Installed {
			return err
		}
		if err := s.known(g, storeUUID); err != nil {
			return err
		}
		if err := fits(ctx, g); err != nil {
			return err
		}
		if g.LogSize >= w.Size {
			w = retention.Witness{Size: g.LogSize, Root: g.LogRoot}
		}
		installed = true
		_, err = conn.ExecContext(ctx, "UPDATE retentiond_gate SET holds_version = max(holds_version, ?), log_size = ?, log_root = ? WHERE id = 1", v, w.Size, w.Root)
		return err
	})
	return installed && err == nil, err
}

// Adopt replaces what the gate knows of a store.
func (s *Source) Adopt(ctx context.Context, storeUUID string, v, size int64, root string) error {
	return s.inTx(ctx, batchWait, func(conn *sqlx.Conn) error {
		r, err := conn.ExecContext(ctx, "UPDATE retentiond_gate SET store_uuid = ?, holds_version = ?, log_size = ?, log_root = ? WHERE id = 1", storeUUID, v, size, root)
		if err != nil && !noTable(err) {
			return fmt.Errorf("sqlite %s: adopt: %w", s.path, err)
		}
		if err != nil || affected(r) != 1 {
			return refusal(retention.RefuseGate, "%s has no gate to adopt: run check --install", s.path)
		}
		return nil
	})
}

// Witness moves log_size and log_root forward. The same size with another root
// is a log that was rewritten: a state_mismatch refusal.
func (s *Source) Witness(ctx context.Context, storeUUID string, size int64, root string) error {
	return s.inTx(ctx, batchWait, func(conn *sqlx.Conn) error {
		g, err := readGate(ctx, conn)
		switch {
		case err != nil:
			return err
		case !g.Installed:
			return refusal(retention.RefuseGate, "%s has no gate: run check --install", s.path)
		case g.StoreUUID != storeUUID:
			return s.known(g, storeUUID)
		case g.LogSize == size && size > 0 && g.LogRoot != root:
			return refusal(retention.RefuseStateMismatch, "%s witnessed another audit log of %d entries: run audit verify", s.path, size)
		case g.LogSize >= size:
			return nil
		}
		_, err = conn.ExecContext(ctx, "UPDATE retentiond_gate SET log_size = ?, log_root = ? WHERE id = 1", size, root)
		return err
	})
}

func affected(r sql.Result) int64 {
	n, err := r.RowsAffected()
	if err != nil {
		return -1
	}
	return n
}
