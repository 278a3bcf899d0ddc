package engine

import (
	"context"

	"github.com/retentiond/retentiond/retention"
)

// A pooled source is a source: each call opens the database where it is closed.

var (
	_ retention.Source  = (*pooled)(nil)
	_ retention.Advisor = (*pooled)(nil)
)

// Describe is that of the database.
func (s *pooled) Describe(ctx context.Context, tables []retention.TableName) (out *retention.Schema, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Describe(ctx, tables)
		return err
	})
	return out, err
}

// ArchiveTables is that of the database.
func (s *pooled) ArchiveTables(ctx context.Context, schemas []string) (out []retention.TableName, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		if a, ok := src.(retention.Archived); ok {
			out, err = a.ArchiveTables(ctx, schemas)
		}
		return err
	})
	return out, err
}

// Count is that of the database.
func (s *pooled) Count(ctx context.Context, sel retention.Selection, h *retention.HoldSet, children []retention.Child) (out retention.Counts, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Count(ctx, sel, h, children)
		return err
	})
	return out, err
}

// Page is that of the database.
func (s *pooled) Page(ctx context.Context, sel retention.Selection, h *retention.HoldSet, after retention.Cursor, limit int) (out retention.Page, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Page(ctx, sel, h, after, limit)
		return err
	})
	return out, err
}

// Ahead is that of the database.
func (s *pooled) Ahead(ctx context.Context, sel retention.Selection, after retention.Cursor, rows int) (out retention.Cursor, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Ahead(ctx, sel, after, rows)
		return err
	})
	return out, err
}

// Partitions is that of the database.
func (s *pooled) Partitions(ctx context.Context, sel retention.Selection, h *retention.HoldSet) (out []retention.Partition, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Partitions(ctx, sel, h)
		return err
	})
	return out, err
}

// Evidence is that of the database.
func (s *pooled) Evidence(ctx context.Context, sel retention.Selection, h *retention.HoldSet, f retention.Find) (out []retention.Evidence, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Evidence(ctx, sel, h, f)
		return err
	})
	return out, err
}

// Pressure is that of the database.
func (s *pooled) Pressure(ctx context.Context, t retention.TableName) (out retention.Pressure, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Pressure(ctx, t)
		return err
	})
	return out, err
}

// Server is that of the database.
func (s *pooled) Server(ctx context.Context) (out retention.Server, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Server(ctx)
		return err
	})
	return out, err
}

// Matched is that of the database.
func (s *pooled) Matched(ctx context.Context, sel retention.Selection, subjectType string, ids []string) (out []string, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Matched(ctx, sel, subjectType, ids)
		return err
	})
	return out, err
}

// Apply is that of the database.
func (s *pooled) Apply(ctx context.Context, b retention.Batch) (out retention.Outcome, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Apply(ctx, b)
		return err
	})
	return out, err
}

// Settle is that of the database.
func (s *pooled) Settle(ctx context.Context, intent string, open func(context.Context) error) (out retention.Receipt, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Settle(ctx, intent, open)
		return err
	})
	return out, err
}

// Erase is that of the database.
func (s *pooled) Erase(ctx context.Context, tables []retention.TableName, level retention.Erase) (out []retention.Residual, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Erase(ctx, tables, level)
		return err
	})
	return out, err
}

// Install is that of the database.
func (s *pooled) Install(ctx context.Context, storeUUID string) (out retention.Gate, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Install(ctx, storeUUID)
		return err
	})
	return out, err
}

// Pass is that of the database.
func (s *pooled) Pass(ctx context.Context, storeUUID string, v int64, w retention.Witness, fits func(context.Context, retention.Gate) error) (out bool, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		out, err = src.Pass(ctx, storeUUID, v, w, fits)
		return err
	})
	return out, err
}

// Prune is that of the database.
func (s *pooled) Prune(ctx context.Context, intents []string) error {
	return s.use(ctx, func(src retention.Source) error { return src.Prune(ctx, intents) })
}

// MakeVault is that of the database.
func (s *pooled) MakeVault(ctx context.Context, live *retention.Schema, v retention.VaultSpec) error {
	return s.use(ctx, func(src retention.Source) error { return src.MakeVault(ctx, live, v) })
}

// Restore is that of the database.
func (s *pooled) Restore(ctx context.Context, t retention.TableName, columns []retention.SegmentColumn, rows func(insert func(row []any) error) error) (n int64, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		n, err = src.Restore(ctx, t, columns, rows)
		return err
	})
	return n, err
}

// Adopt is that of the database.
func (s *pooled) Adopt(ctx context.Context, storeUUID string, v int64, size int64, root string) error {
	return s.use(ctx, func(src retention.Source) error { return src.Adopt(ctx, storeUUID, v, size, root) })
}

// Witness is that of the database.
func (s *pooled) Witness(ctx context.Context, storeUUID string, size int64, root string) error {
	return s.use(ctx, func(src retention.Source) error { return src.Witness(ctx, storeUUID, size, root) })
}

// SmallGroups is that of the database.
func (s *pooled) SmallGroups(ctx context.Context, sel retention.Selection, h *retention.HoldSet, changes []retention.Change, k retention.KAnonymity) (small, all int64, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		small, all, err = src.SmallGroups(ctx, sel, h, changes, k)
		return err
	})
	return small, all, err
}

// Advise is that of the database, where its engine knows roles.
func (s *pooled) Advise(ctx context.Context, w retention.Wants) (out []retention.Advice, err error) {
	err = s.use(ctx, func(src retention.Source) error {
		if adv, ok := src.(retention.Advisor); ok {
			out, err = adv.Advise(ctx, w)
		}
		return err
	})
	return out, err
}

// IndexSQL needs no connection, but a database that was open once.
func (s *pooled) IndexSQL(t retention.TableName, columns []string) string {
	if adv, ok := s.known().(retention.Advisor); ok {
		return adv.IndexSQL(t, columns)
	}
	return ""
}

// Passes needs no connection, but a database that was open once.
func (s *pooled) Passes(sel retention.Selection, a retention.Act) int {
	if src := s.known(); src != nil {
		return src.Passes(sel, a)
	}
	return 1
}

// InstallSQL needs no connection, but a database that was open once.
func (s *pooled) InstallSQL() string {
	if src := s.known(); src != nil {
		return src.InstallSQL()
	}
	return ""
}

// known is the database as it was last opened; nil: it never was.
func (s *pooled) known() retention.Source {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	return s.last
}
