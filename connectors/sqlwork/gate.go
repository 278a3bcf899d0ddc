package sqlwork

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// InstallSQL is the two tables. The gate row itself is written by
// [Source.Install], which knows the store.
func (s *Source) InstallSQL() string { return strings.Join(s.e.InstallSQL(), ";\n") + ";\n" }

// Install creates what is missing and returns the gate. Two processes that
// install at once end with one gate row: its key is fixed.
func (s *Source) Install(ctx context.Context, storeUUID string) (retention.Gate, error) {
	var out retention.Gate
	uuid, err := newUUID()
	if err != nil {
		return out, err
	}
	// Where there is nothing to make, the privilege to make tables is not needed.
	// A source with a single writer has no privileges, and shows here whether it is free.
	if g, there := s.there(ctx); there && !s.e.Alone() {
		return g, nil
	}
	err = s.e.Change(ctx, Loose, s.wait, func(q Session) error {
		// Where the gate is, no right to make tables is needed.
		if out, err = s.ReadGate(ctx, q); err != nil || out.Installed {
			return err
		}
		if err := s.makeOwn(ctx, q); err != nil {
			return err
		}
		if out, err = s.ReadGate(ctx, q); err != nil || out.Installed {
			return err
		}
		_, err := s.say(ctx, q, "INSERT INTO %s (id, source_uuid, store_uuid, holds_version, log_size, log_root) VALUES (1, %s, %s, 0, 0, '')", s.own(gateTable), uuid, storeUUID)
		return err
	})
	switch {
	case s.e.Kind(err) == Duplicate: // another process was first
	case err != nil:
		return out, fmt.Errorf("%s: install the gate: %w", s.e.Name(), err)
	case out.Installed:
		return out, nil
	}
	err = s.e.Look(AtSource(ctx), func(q Session) error {
		out, err = s.ReadGate(ctx, q)
		return err
	})
	return out, err
}

// there is the gate where both tables and the row exist.
func (s *Source) there(ctx context.Context) (g retention.Gate, ok bool) {
	err := s.e.Look(AtSource(ctx), func(q Session) error {
		var err error
		if g, err = s.ReadGate(ctx, q); err != nil || !g.Installed {
			return err
		}
		var n int
		x := s.write("SELECT count(*) FROM %s WHERE 1 = 0", s.own(receiptTable))
		return q.GetContext(ctx, &n, x.Text, x.Args...)
	})
	return g, err == nil && g.Installed
}

// makeOwn makes the two tables where they are missing.
func (s *Source) makeOwn(ctx context.Context, q Session) error {
	for _, text := range s.e.InstallSQL() {
		if _, err := q.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: create gate and receipt tables: %w", s.e.Name(), err)
		}
	}
	return nil
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

// ReadGate reads the gate row; Installed is false where table or row is missing.
// Where a failed statement ends the transaction, a missing table ends it too:
// engines then answer from the catalogue, through [Engine.Own].
func (s *Source) ReadGate(ctx context.Context, q Session) (retention.Gate, error) {
	var g retention.Gate
	there, err := s.e.Installed(ctx, q)
	if err != nil || !there {
		return g, err
	}
	x := s.write("SELECT source_uuid, store_uuid, holds_version, log_size, log_root FROM %s WHERE id = 1", s.own(gateTable))
	err = q.QueryRowxContext(ctx, x.Text, x.Args...).Scan(&g.SourceUUID, &g.StoreUUID, &g.HoldsVersion, &g.LogSize, &g.LogRoot)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return retention.Gate{}, nil
	case err != nil:
		return retention.Gate{}, fmt.Errorf("read the gate: %w", err)
	}
	g.Installed = true
	return s.kept(ctx, g)
}

// known refuses a gate that belongs to another store.
func (s *Source) known(g retention.Gate, storeUUID string) error {
	if g.StoreUUID == storeUUID {
		return nil
	}
	return refusal(retention.RefuseStateMismatch, "%s knows state store %s, not %s: use that store, or adopt this one with check --adopt", s.e.Name(), g.StoreUUID, storeUUID)
}

// Pass takes the gate exclusively, which every batch shares from its first
// statement to its end, for as long as ctx lasts. Where no gate is installed, no
// batch can commit: every batch reads the gate in its own transaction.
func (s *Source) Pass(ctx context.Context, storeUUID string, v int64, w retention.Witness, fits func(context.Context, retention.Gate) error) (installed bool, err error) {
	err = s.e.Change(ctx, Exclusive, 0, func(q Session) error {
		g, err := s.ReadGate(ctx, q)
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
		now := g
		now.HoldsVersion, now.LogSize, now.LogRoot = max(g.HoldsVersion, v), w.Size, w.Root
		if err := s.keep(ctx, g, now, false); err != nil {
			return err
		}
		_, err = s.say(ctx, q, "UPDATE %s SET holds_version = %s, log_size = %s, log_root = %s WHERE id = 1", s.own(gateTable), now.HoldsVersion, w.Size, w.Root)
		return err
	})
	return installed && err == nil, err
}

// Adopt replaces what the gate knows of a store. What a process of another store had
// set aside is ended first: this store may know nothing of it.
func (s *Source) Adopt(ctx context.Context, storeUUID string, v, size int64, root string) error {
	if e, ok := s.e.(Exchanger); ok {
		if err := e.Altering(ctx, func(ctx context.Context) error { return s.tidy(ctx, e) }); err != nil {
			return err
		}
	}
	return s.e.Change(ctx, Exclusive, s.wait, func(q Session) error {
		g, err := s.ReadGate(ctx, q)
		switch {
		case err != nil:
			return err
		case !g.Installed:
			return refusal(retention.RefuseGate, "%s has no gate to adopt: run check --install", s.e.Name())
		}
		now := g
		now.StoreUUID, now.HoldsVersion, now.LogSize, now.LogRoot = storeUUID, v, size, root
		if err := s.keep(ctx, g, now, true); err != nil {
			return fmt.Errorf("%s: adopt: %w", s.e.Name(), err)
		}
		if _, err := s.say(ctx, q, "UPDATE %s SET store_uuid = %s, holds_version = %s, log_size = %s, log_root = %s WHERE id = 1", s.own(gateTable), storeUUID, v, size, root); err != nil {
			return fmt.Errorf("%s: adopt: %w", s.e.Name(), err)
		}
		return nil
	})
}

// Witness moves log_size and log_root forward. The same size with another root
// is a log that was rewritten: a state_mismatch refusal.
func (s *Source) Witness(ctx context.Context, storeUUID string, size int64, root string) error {
	return s.e.Change(ctx, Exclusive, s.wait, func(q Session) error {
		g, err := s.ReadGate(ctx, q)
		switch {
		case err != nil:
			return err
		case !g.Installed:
			return refusal(retention.RefuseGate, "%s has no gate: run check --install", s.e.Name())
		case g.StoreUUID != storeUUID:
			return s.known(g, storeUUID)
		case g.LogSize == size && size > 0 && g.LogRoot != root:
			return refusal(retention.RefuseStateMismatch, "%s witnessed another audit log of %d entries: run audit verify", s.e.Name(), size)
		case g.LogSize >= size:
			return nil
		}
		now := g
		now.LogSize, now.LogRoot = size, root
		if err := s.keep(ctx, g, now, false); err != nil {
			return err
		}
		_, err = s.say(ctx, q, "UPDATE %s SET log_size = %s, log_root = %s WHERE id = 1", s.own(gateTable), size, root)
		return err
	})
}

// GateSQL are the two tables in the words that every engine knows, with its own
// type for identifiers, which are never compared by language, and for text.
func GateSQL(gate, receipt, rows, id, text, suffix string) []string {
	return []string{
		`CREATE TABLE IF NOT EXISTS ` + gate + ` (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  source_uuid ` + id + ` NOT NULL,
  store_uuid ` + id + ` NOT NULL,
  holds_version BIGINT NOT NULL,
  log_size BIGINT NOT NULL,
  log_root ` + id + ` NOT NULL
)` + suffix,
		`CREATE TABLE IF NOT EXISTS ` + receipt + ` (
  intent ` + id + ` NOT NULL PRIMARY KEY,
  state ` + id + ` NOT NULL CHECK (state IN ('done', 'abandoned')),
  ` + rows + ` BIGINT NOT NULL,
  detail ` + text + ` NOT NULL,
  digest ` + id + ` NOT NULL,
  at ` + id + ` NOT NULL
)` + suffix,
	}
}
