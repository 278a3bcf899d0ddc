package postgres

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// Erase works on the tables: VACUUM frees what was deleted, VACUUM FULL writes
// the table and its indexes anew, and ANALYZE samples again: the old samples stay
// in the catalogue's file. What could not be done is a residual with its reason,
// not an error.
func (s *Source) Erase(ctx context.Context, tables []retention.TableName, level retention.Erase) ([]retention.Residual, error) {
	var out []retention.Residual
	note := func(stays bool, format string, args ...any) {
		out = append(out, retention.Residual{What: fmt.Sprintf(format, args...), Stays: stays})
	}
	for _, name := range s.tableList(tables) {
		if err := s.vacuum(ctx, name, level, note); err != nil {
			return out, err
		}
	}
	note(true, "values that ANALYZE once sampled, in the catalogue pg_statistic, until they are written over (VACUUM FULL pg_statistic, by the database's owner, rewrites it)")
	note(false, "write-ahead log segments, until they are recycled")
	var archived bool
	var replicas int
	err := s.write.QueryRowxContext(ctx, "SELECT current_setting('archive_mode') <> 'off', (SELECT count(*) FROM pg_replication_slots)::int").Scan(&archived, &replicas)
	if err != nil {
		return out, s.told(ctx, err)
	}
	if archived {
		note(true, "archived write-ahead log (archive_mode is on), until its own retention drops it")
	}
	if replicas > 0 {
		note(false, "%d replication slots: replicas, and the log kept for them, until they follow", replicas)
	} else {
		note(false, "replicas, until they follow")
	}
	return out, ctx.Err()
}

// vacuum cannot run inside a transaction. A lock it does not get in time is a
// residual.
func (s *Source) vacuum(ctx context.Context, table string, level retention.Erase, note func(bool, string, ...any)) error {
	text := ""
	switch level {
	case retention.EraseReclaimed:
		text = "VACUUM (ANALYZE) " + table
	case retention.EraseRewritten:
		text = "VACUUM (FULL, ANALYZE) " + table
	default:
		note(true, "dead rows of %s in table, indexes and TOAST, until a vacuum (erase: rewritten rewrites them)", table)
		return nil
	}
	if _, err := s.write.ExecContext(ctx, text); err != nil {
		if ctx.Err() != nil {
			return s.told(ctx, err)
		}
		note(true, "%s was not %s: %v", table, level, s.told(ctx, err))
		return nil
	}
	if level == retention.EraseReclaimed {
		note(true, "freed space of %s, until new rows are written over it (erase: rewritten rewrites it)", table)
	}
	return nil
}
