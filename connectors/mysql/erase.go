package mysql

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// Erase rebuilds the tables where level is rewritten. What could not be done is a
// residual with its reason, not an error.
func (e *engine) Erase(ctx context.Context, tables []retention.TableName, level retention.Erase) ([]retention.Residual, error) {
	var out []retention.Residual
	note := func(stays bool, format string, args ...any) {
		out = append(out, retention.Residual{What: fmt.Sprintf(format, args...), Stays: stays})
	}
	conn, err := e.write.Connx(ctx)
	if err != nil {
		return nil, e.down(err)
	}
	defer conn.Close()
	for _, n := range tables {
		if level != retention.EraseRewritten {
			continue
		}
		if _, err := conn.ExecContext(ctx, "ALTER TABLE "+e.words.Table(n).Text+" FORCE"); err != nil {
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			note(true, "table %s was not rewritten: %v", n, e.denied(err))
		}
	}
	switch level {
	case retention.EraseRewritten:
		note(false, "the file system's free blocks that held the old table files, until they are written over")
	default:
		note(true, "free space in the pages of the tables' files, where purge left the deleted rows (erase: rewritten rewrites them)")
	}
	note(false, "the redo and undo logs, until they are written over and purged")
	var logged bool
	if err := conn.GetContext(ctx, &logged, "SELECT @@global.log_bin"); err != nil {
		return out, e.down(err)
	}
	if logged {
		note(false, "the binary logs, which hold every deleted row once more, until they expire (binlog_expire_logs_seconds)")
	}
	note(false, "replicas, until they follow, and backups, until they are replaced")
	return out, ctx.Err()
}
