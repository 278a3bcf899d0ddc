package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Pressure tells how busy the server is. The lag is that of the replica which
// planning reads (dsn_read): a primary does not know how far behind its replicas
// are, so without one the lag is unknown. Without the privilege PROCESS the rest
// is: what is not shown is no error, and hides nothing else.
func (s *Source) Pressure(ctx context.Context, _ retention.TableName) (retention.Pressure, error) {
	out, _, err := s.pressure(ctx)
	return out, err
}

// pressure also says why the lag is unknown, where the server said so.
func (s *Source) pressure(ctx context.Context) (out retention.Pressure, why, err error) {
	err = s.Look(sqlwork.AtSource(ctx), func(q sqlwork.Session) error {
		const text = `SELECT
  (SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND IN ('Query', 'Execute') AND ID <> CONNECTION_ID() AND USER <> SUBSTRING_INDEX(USER(), '@', 1)),
  COALESCE((SELECT MAX(COUNT) FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'), 0)`
		err := q.QueryRowxContext(ctx, text).Scan(&out.Running, &out.Backlog)
		if refused(err) { // without PROCESS a list of statements is one of our own
			out.Running, out.RunningUnknown, out.BacklogUnknown = 0, true, true
			return nil
		}
		return err
	})
	if err != nil {
		return out, nil, err
	}
	err = s.Look(ctx, func(q sqlwork.Session) error {
		out.Lag, out.LagUnknown, why = s.lag(ctx, q)
		return ctx.Err()
	})
	if err != nil && ctx.Err() == nil { // a replica that does not answer does not say
		out.LagUnknown, why, err = true, err, nil
	}
	return out, why, err
}

// lag is what the replica says of itself; one that is stopped says NULL, and one
// whose state is not shown is unknown, and why.
func (s *Source) lag(ctx context.Context, q sqlwork.Session) (time.Duration, bool, error) {
	rows, err := q.QueryxContext(ctx, "SHOW SLAVE STATUS")
	if err != nil && !s.maria {
		rows, err = q.QueryxContext(ctx, "SHOW REPLICA STATUS") // MySQL 8.4 has no other
	}
	if err != nil {
		return 0, true, fmt.Errorf("%s: the replica's state is not shown: %w", s.name, err)
	}
	defer rows.Close()
	var worst time.Duration
	unknown := true
	for rows.Next() {
		row := map[string]any{}
		if err := rows.MapScan(row); err != nil {
			return 0, true, err
		}
		behind, ok := behindOf(row)
		if !ok {
			return 0, true, nil
		}
		unknown, worst = false, max(worst, behind)
	}
	return worst, unknown || rows.Err() != nil, rows.Err()
}

func behindOf(row map[string]any) (time.Duration, bool) {
	for name, v := range row {
		if !strings.HasPrefix(name, "Seconds_Behind_") {
			continue
		}
		var text sql.NullString
		if err := text.Scan(v); err != nil || !text.Valid {
			return 0, false
		}
		n, err := strconv.ParseInt(text.String, 10, 64)
		return time.Duration(n) * time.Second, err == nil
	}
	return 0, false
}
