package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Server is the clock, version and gate row of the server that batches go to.
func (s *Source) Server(ctx context.Context) (out retention.Server, err error) {
	err = s.Look(sqlwork.AtSource(ctx), func(q sqlwork.Session) error {
		var now, version, place string
		err := q.QueryRowxContext(ctx, "SELECT "+nowSQL+", current_setting('server_version'), "+placeSQL, s.schema).Scan(&now, &version, &place)
		if err != nil {
			return err
		}
		if out.Now, err = time.Parse(time.RFC3339Nano, now); err != nil {
			return fmt.Errorf("%s: clock %q: %w", s.name, now, err)
		}
		out.Name = "PostgreSQL " + version
		out.Identity = place
		out.Gate, err = s.ReadGate(ctx, q)
		if out.Gate.Installed {
			out.Identity = out.Gate.SourceUUID
		}
		return err
	})
	return out, err
}

// placeSQL tells databases apart: two names of one database have one oid, on a
// server that started once.
const placeSQL = "'postgres:' || (SELECT oid FROM pg_database WHERE datname = current_database()) || ':' || extract(epoch FROM pg_postmaster_start_time())::text || ':' || $1::text"
