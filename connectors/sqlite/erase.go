package sqlite

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

// Erase works on the whole file, whatever the tables: SQLite has no smaller
// unit. What could not be done is a residual with its reason, not an error.
func (s *engine) Erase(ctx context.Context, _ []retention.TableName, level retention.Erase) ([]retention.Residual, error) {
	conn, err := s.write.Connx(ctx)
	if err != nil {
		return nil, s.down(err)
	}
	defer conn.Close()
	var residuals []retention.Residual
	note := func(what string) { residuals = append(residuals, retention.Residual{What: what, Stays: true}) }
	if level == retention.EraseRewritten {
		if _, err := conn.ExecContext(ctx, "VACUUM"); err != nil {
			note(fmt.Sprintf("not rewritten, VACUUM failed: %v", err))
			level = retention.EraseReclaimed
		}
	} else if level == retention.EraseReclaimed {
		if err := s.reclaim(ctx, conn); err != nil {
			note(fmt.Sprintf("free pages were not given back: %v", err))
		}
	}
	if err := s.leftovers(ctx, conn, level, note); err != nil {
		return residuals, s.down(err)
	}
	residuals = append(residuals, retention.Residual{What: "replicas of the file, until they follow"})
	return residuals, ctx.Err()
}

// reclaim gives free pages back to the system where the file was made for it.
func (s *engine) reclaim(ctx context.Context, conn *sqlx.Conn) error {
	var mode int
	if err := conn.GetContext(ctx, &mode, "PRAGMA auto_vacuum"); err != nil || mode != 2 {
		return err
	}
	_, err := conn.ExecContext(ctx, "PRAGMA incremental_vacuum")
	return err
}

// leftovers names the copies that are still in the files.
func (s *engine) leftovers(ctx context.Context, conn *sqlx.Conn, level retention.Erase, note func(string)) error {
	var journal string
	var secure int
	if err := conn.GetContext(ctx, &journal, "PRAGMA journal_mode"); err != nil {
		return err
	}
	if err := conn.GetContext(ctx, &secure, "PRAGMA secure_delete"); err != nil {
		return err
	}
	switch {
	case level == retention.EraseRewritten:
	case secure == 0:
		note("free pages of the database file (erase: rewritten rewrites it)")
	case secure == 2:
		note("free pages of the database file that secure_delete=FAST left (erase: rewritten rewrites it)")
	}
	if journal != "wal" {
		return nil
	}
	if level == retention.EraseLogical || level == "" {
		note("write-ahead log (-wal), until a truncating checkpoint")
		return nil
	}
	var blocked, frames, moved int
	if err := conn.QueryRowxContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&blocked, &frames, &moved); err != nil {
		note(fmt.Sprintf("write-ahead log (-wal): the checkpoint failed: %v", err))
	} else if blocked != 0 {
		note("write-ahead log (-wal): a reader kept the checkpoint from truncating it; the next erase tries again")
	}
	return nil
}
