package state

import (
	"context"

	"github.com/retentiond/retentiond/retention"
)

// mostForgotten is how many batches are summed up at most.
const mostForgotten = 100_000

// Forgotten is what this store knows to be done in a source since the moment that
// the source's gate knows of: where the source was restored from a copy, its rows
// may be back. A gate that knows no log, or of another database under the same
// name, forgot everything that the name's database did.
func (s *Store) Forgotten(ctx context.Context, name string, g retention.Gate) (f retention.Forgotten, err error) {
	err = s.read(ctx, func(t *tx) error {
		uuid, size := g.SourceUUID, g.LogSize
		var had string
		if _, err := t.get(ctx, &had, "SELECT uuid FROM sources WHERE name = ?", name); err != nil {
			return err
		}
		if had != "" && had != uuid {
			uuid, size = had, 0
		}
		written, err := t.metaInt(ctx, metaWitness+uuid)
		if err != nil || size >= written {
			return err // it went not back
		}
		since, err := t.entryTime(ctx, size)
		if err != nil {
			return err
		}
		var outcomes [][]byte
		if err := t.all(ctx, &outcomes, `SELECT outcome FROM intents WHERE source_uuid = ? AND concluded > ? AND outcome IS NOT NULL
			ORDER BY concluded LIMIT ?`, uuid, since, mostForgotten); err != nil {
			return err
		}
		f.Since = instant(since)
		for _, text := range outcomes {
			var o retention.Outcome
			if err := fromJSON("an outcome", text, &o); err != nil {
				return err
			}
			if o.Done > 0 {
				f.Batches++
				f.Rows += o.Done
			}
		}
		return nil
	})
	return f, wrap(err, "look what source %s forgot", name)
}

// entryTime is when the log, over all years, came to that size; 0: before all that
// is kept.
func (t *tx) entryTime(ctx context.Context, size int64) (at int64, err error) {
	if size <= 0 {
		return 0, nil
	}
	_, err = t.get(ctx, &at, `SELECT e.at FROM audit_logs l JOIN audit_entries e ON e.log = l.log AND e.n = ? - l.base
		WHERE l.base < ? AND l.base + l.size >= ?`, size, size, size)
	return at, err
}
