package state

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// RegisterSource adds or renames a source. A name that another source had goes
// over to this one: holds that still wait to pass must pass it too.
func (s *Store) RegisterSource(ctx context.Context, r retention.SourceRecord) error {
	if r.UUID == "" || r.Name == "" {
		return errors.New("register a source: it needs a name and a uuid (check --install gives it one)")
	}
	err := s.write(ctx, func(t *tx) error {
		var had string
		ok, err := t.get(ctx, &had, "SELECT name FROM sources WHERE uuid = ?", r.UUID)
		if err != nil || ok && had == r.Name {
			return err
		}
		if _, err := t.exec(ctx, "DELETE FROM sources WHERE name = ? AND uuid <> ?", r.Name, r.UUID); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "DELETE FROM hold_sources WHERE source = ?", r.Name); err != nil {
			return err
		}
		if !ok {
			_, err := t.exec(ctx, "INSERT INTO sources (uuid, name) VALUES (?, ?)", r.UUID, r.Name)
			return err
		}
		if _, err := t.exec(ctx, "UPDATE hold_sources SET source = ? WHERE source = ?", r.Name, had); err != nil {
			return err
		}
		_, err = t.exec(ctx, "UPDATE sources SET name = ? WHERE uuid = ?", r.Name, r.UUID)
		return err
	})
	return wrap(err, "register source %s", r.Name)
}

// Witnessed remembers the log size that the source's gate was given, never
// backwards: passes and runs that end at once report in any order.
func (s *Store) Witnessed(ctx context.Context, sourceUUID string, total int64) error {
	err := s.write(ctx, func(t *tx) error { return t.keepWitness(ctx, sourceUUID, total) })
	return wrap(err, "remember what source %s witnessed", sourceUUID)
}

func (t *tx) keepWitness(ctx context.Context, sourceUUID string, total int64) error {
	had, err := t.metaInt(ctx, metaWitness+sourceUUID)
	if err != nil || had >= total {
		return err
	}
	return t.setMeta(ctx, metaWitness+sourceUUID, strconv.FormatInt(total, 10))
}

// RegisteredSources lists the registered sources, by name.
func (s *Store) RegisteredSources(ctx context.Context) (out []retention.SourceRecord, err error) {
	err = s.read(ctx, func(t *tx) error {
		out, err = t.sources(ctx)
		return err
	})
	return out, wrap(err, "list the registered sources")
}

func (t *tx) sources(ctx context.Context) ([]retention.SourceRecord, error) {
	var out []retention.SourceRecord
	return out, t.all(ctx, &out, "SELECT name, uuid FROM sources ORDER BY name")
}

// KeepTotals remembers the last exact row count of a table.
func (s *Store) KeepTotals(ctx context.Context, sourceUUID string, n retention.TableName, total int64) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO totals (source_uuid, tab, total, at) VALUES (?, ?, ?, ?)
			ON CONFLICT (source_uuid, tab) DO UPDATE SET total = excluded.total, at = excluded.at`,
			sourceUUID, n.String(), total, micros(t.now))
		return err
	})
	return wrap(err, "keep the total of table %s", n)
}

// Total returns the last exact row count of a table and when it was taken; ok =
// false: none yet.
func (s *Store) Total(ctx context.Context, sourceUUID string, n retention.TableName) (total int64, at time.Time, ok bool, err error) {
	var r struct {
		Total int64 `db:"total"`
		At    int64 `db:"at"`
	}
	err = s.read(ctx, func(t *tx) error {
		ok, err = t.get(ctx, &r, "SELECT total, at FROM totals WHERE source_uuid = ? AND tab = ?", sourceUUID, n.String())
		return err
	})
	return r.Total, instant(r.At), ok, wrap(err, "read the total of table %s", n)
}
