package postgres

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// pressureSQL asks the primary. A standby whose place is not shown to this role
// has said nothing.
const pressureSQL = `SELECT extract(epoch FROM clock_timestamp())::float8, (pg_current_wal_lsn() - '0/0')::float8,
  (SELECT min(CASE WHEN replay_lsn IS NULL THEN -1 ELSE (replay_lsn - '0/0')::float8 END) FROM pg_stat_replication WHERE application_name <> 'pg_basebackup'),
  (SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend' AND application_name <> current_setting('application_name')),
  NOT (pg_has_role('pg_read_all_stats', 'USAGE') OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)),
  coalesce((SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots), 0)::bigint,
  EXISTS (SELECT 1 FROM pg_stat_progress_vacuum WHERE relid = to_regclass($1::text))`

// Pressure tells how busy the primary is. It needs pg_monitor to see the standbys.
func (s *Source) Pressure(ctx context.Context, t retention.TableName) (out retention.Pressure, err error) {
	err = s.Change(ctx, sqlwork.Loose, time.Second, func(q sqlwork.Session) error {
		var now, written float64
		var replayed sql.NullFloat64
		if err := q.QueryRowxContext(ctx, pressureSQL, s.Dialect().Table(at(t, s.schema)).Text).
			Scan(&now, &written, &replayed, &out.Running, &out.RunningUnknown, &out.Backlog, &out.Vacuuming); err != nil {
			return err
		}
		if replayed.Valid {
			out.Lag, out.LagUnknown = s.marks.lag(now, written, replayed.Float64)
		}
		return nil
	})
	return out, err
}

// marks remember where the log was, and when. The server's own replay_lag stands
// still while replay is paused, and is NULL before and after: what a standby has
// replayed is held against what was written when.
type marks struct {
	mu   sync.Mutex
	list []mark // in order of time, and so of place
}

type mark struct{ at, place float64 } // seconds since 1970; bytes of log

// mostMarks bounds what is remembered of a standby that follows no more: the
// oldest mark says how far behind it is.
const mostMarks = 4096

// lag is for how long at least the standby has not replayed what was written. It
// is unknown where the log was never asked about at a place that the standby has
// reached, and the standby has not all of it.
func (m *marks) lag(now, written, replayed float64) (behind time.Duration, unknown bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	reached := 0
	for reached < len(m.list) && m.list[reached].place <= replayed {
		reached++
	}
	seen := reached > 0
	m.list = m.list[max(0, reached-1):]
	for _, x := range m.list {
		if x.place > replayed {
			behind = time.Duration((now - x.at) * float64(time.Second))
			break
		}
	}
	if n := len(m.list); n < mostMarks && (n == 0 || m.list[n-1].at < now && m.list[n-1].place <= written) {
		m.list = append(m.list, mark{now, written})
	}
	return max(0, behind), replayed < 0 || replayed < written && !seen
}
