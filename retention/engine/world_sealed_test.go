package engine_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/vault"
)

// sealedVault makes a sealed vault, to a new recipient.
func (h *house) sealedVault(dir string) error {
	var err error
	if h.identity, err = age.GenerateX25519Identity(); err != nil {
		return err
	}
	key, err := audit.LoadKey(filepath.Join(dir, keyFile), auditOrigin)
	if err != nil {
		return err
	}
	h.keeper, err = vault.New(vault.Options{
		Name: "old", Path: filepath.Join(dir, "sealed"), Recipients: []string{h.identity.Recipient().String()}, Store: h.store.UUID(), Key: key, Places: h.store,
	})
	h.engine.Vaults["old"] = engine.Vault{Name: "old", Sealed: true, Keeper: h.keeper}
	return err
}

// sameSegments reads what is new in the vault, and compares what is there with the
// oracle's rows: each is in one segment, and each segment has rows.
func (x *trial) sameSegments(ctx context.Context) error {
	there := map[string]bool{}
	err := x.keeper.Segments(ctx, func(s *retention.Segment) error {
		if s.Bad != "" || s.Last.Sub(s.First) > 32*24*time.Hour {
			return fmt.Errorf("segment %s is bad, or longer than a month: %s", s.Name, s.Bad)
		}
		there[s.Name] = true
		if len(x.o.segmentOf(s.Name)) > 0 {
			return nil
		}
		return x.restored(ctx, s)
	})
	if err != nil {
		return err
	}
	for t, rows := range x.o.sealedRows(func(s *oSealed) bool { return !there[s.segment] }) {
		return fmt.Errorf("%d archived rows of table %q are in no segment", len(rows), t)
	}
	known, err := x.store.Segments(ctx, "old")
	for _, k := range known {
		if !k.Expired && !there[k.Name] || k.Expired && there[k.Name] {
			return fmt.Errorf("segment %s: the vault and the state store differ", k.Name)
		}
	}
	return err
}

// restored restores a segment into tables like those that its rows left, and tells the
// oracle what came back.
func (x *trial) restored(ctx context.Context, s *retention.Segment) error {
	rows, tables := map[string][][]any{}, map[string]retention.SegmentTable{}
	err := x.keeper.Read(ctx, s, []age.Identity{x.identity}, func(t *retention.SegmentTable, row []any) error {
		tables[t.Name.Name] = *t
		rows[t.Name.Name] = append(rows[t.Name.Name], slices.Clone(row))
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		if err := x.restoredTable(ctx, s, tables[name], rows[name]); err != nil {
			return fmt.Errorf("table %q: %w", name, err)
		}
	}
	return nil
}

func (x *trial) restoredTable(ctx context.Context, s *retention.Segment, t retention.SegmentTable, rows [][]any) error {
	const scratch = "came back"
	def := x.w.table(t.Name.Name)
	if _, err := x.app.ExecContext(ctx, "CREATE TABLE "+x.quote(scratch)+" AS SELECT * FROM "+x.quote(def.Name)+" WHERE false"); err != nil {
		return err
	}
	defer func() { _, _ = x.app.Exec("DROP TABLE " + x.quote(scratch)) }() // the next one says so
	n, err := x.opened[0].Restore(ctx, retention.TableName{Schema: t.Name.Schema, Name: scratch}, t.Columns, func(insert func([]any) error) error {
		for _, r := range rows {
			if err := insert(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || int(n) != len(rows) {
		return fmt.Errorf("restored %d of %d rows: %w", n, len(rows), err)
	}
	got, err := x.rows(x.app, scratch, def.Columns)
	if err != nil {
		return err
	}
	return x.o.found(s.Name, s.Intent, def.Name, got)
}
