package state

import (
	"context"
	"time"
)

// NoticeDue is true, once among all replicas, where the cause was not told within
// that time by the store's clock; durable on return. A cause is a word of ours, and
// holds no personal data.
func (s *Store) NoticeDue(ctx context.Context, cause string, within time.Duration) (due bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		var told int64
		ok, err := t.get(ctx, &told, "SELECT told FROM notices WHERE cause = ?", cause)
		if err != nil || ok && t.now.Sub(instant(told)) < within {
			return err
		}
		due = true
		_, err = t.exec(ctx, "INSERT INTO notices (cause, told) VALUES (?, ?) ON CONFLICT (cause) DO UPDATE SET told = excluded.told", cause, micros(t.now))
		return err
	})
	return due && err == nil, wrap(err, "note what was told")
}

// NoticesOver forgets the causes that begin so. Where there is none, nothing is
// written.
func (s *Store) NoticesOver(ctx context.Context, prefix string) error {
	const such = " FROM notices WHERE substr(cause, 1, ?) = ?"
	var n int64
	err := s.read(ctx, func(t *tx) error {
		_, err := t.get(ctx, &n, "SELECT count(*)"+such, len([]rune(prefix)), prefix)
		return err
	})
	if err == nil && n > 0 {
		err = s.write(ctx, func(t *tx) error {
			_, err := t.exec(ctx, "DELETE"+such, len([]rune(prefix)), prefix)
			return err
		})
	}
	return wrap(err, "note what is over")
}
