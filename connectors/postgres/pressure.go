package postgres

import (
	"context"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// pressureSQL asks the primary. A standby that has replayed all is not behind,
// though its lag is NULL then; one whose place is not shown to this role, or that
// is a log segment behind and says nothing of it, is unknown: replay may be
// paused.
const pressureSQL = `SELECT
  coalesce((SELECT max(extract(epoch FROM replay_lag)) FROM pg_stat_replication), 0)::float8,
  coalesce((SELECT bool_or(replay_lsn IS NULL OR pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) > 16777216 AND coalesce(replay_lag, '0') < interval '1 s')
    FROM pg_stat_replication WHERE application_name <> 'pg_basebackup'), false),
  (SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend' AND application_name <> current_setting('application_name')),
  NOT (pg_has_role('pg_read_all_stats', 'USAGE') OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)),
  coalesce((SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots), 0)::bigint,
  EXISTS (SELECT 1 FROM pg_stat_progress_vacuum WHERE relid = to_regclass($1::text))`

// Pressure tells how busy the primary is. It needs pg_monitor to see the standbys.
func (s *Source) Pressure(ctx context.Context, t retention.TableName) (out retention.Pressure, err error) {
	err = s.Change(ctx, sqlwork.Loose, time.Second, func(q sqlwork.Session) error {
		var lag float64
		if err := q.QueryRowxContext(ctx, pressureSQL, s.Dialect().Table(at(t, s.schema)).Text).
			Scan(&lag, &out.LagUnknown, &out.Running, &out.RunningUnknown, &out.Backlog, &out.Vacuuming); err != nil {
			return err
		}
		out.Lag = time.Duration(lag * float64(time.Second))
		return nil
	})
	return out, err
}
