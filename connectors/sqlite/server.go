package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Server is this machine's clock as SQLite reads it, and the gate row.
func (s *Source) Server(ctx context.Context) (out retention.Server, err error) {
	err = s.Look(ctx, func(q sqlwork.Session) error {
		out, err = s.server(ctx, q)
		return err
	})
	return out, err
}

func (s *Source) server(ctx context.Context, q sqlwork.Session) (retention.Server, error) {
	var out retention.Server
	var version, now string
	if err := q.QueryRowxContext(ctx, "SELECT sqlite_version(), "+nowSQL).Scan(&version, &now); err != nil {
		return out, s.down(err)
	}
	var err error
	if out.Now, err = time.Parse(time.RFC3339Nano, now); err != nil {
		return out, fmt.Errorf("sqlite %s: clock %q: %w", s.path, now, err)
	}
	out.Name = "SQLite " + version
	out.Gate, err = s.ReadGate(ctx, q)
	out.Identity = s.identity(out.Gate)
	return out, err
}

// nowSQL is the clock as RFC 3339 text.
const nowSQL = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

// Pressure is nothing: SQLite has one writer, and batches rest between.
func (s *Source) Pressure(context.Context, retention.TableName) (retention.Pressure, error) {
	return retention.Pressure{}, nil
}

// identity is the gate's uuid, or the file that every name of it leads to.
func (s *engine) identity(g retention.Gate) string {
	if g.Installed {
		return g.SourceUUID
	}
	path, err := filepath.Abs(s.path)
	if err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
	}
	return "file:" + path
}
