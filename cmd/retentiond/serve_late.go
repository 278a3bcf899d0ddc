package main

import (
	"context"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// The methods of a state store that may not be open yet: each passes on, or says
// that it is not.

// Now is the store's clock.
func (l *lateStore) Now(ctx context.Context) (time.Time, error) {
	s, err := l.get()
	if err != nil {
		return time.Time{}, err
	}
	return s.Now(ctx)
}

// ListRuns returns the newest runs first.
func (l *lateStore) ListRuns(ctx context.Context, id string, limit int) ([]retention.Run, error) {
	s, err := l.get()
	if err != nil {
		return nil, err
	}
	return s.ListRuns(ctx, id, limit)
}

// Plan returns a saved plan.
func (l *lateStore) Plan(ctx context.Context, id string) (p retention.SavedPlan, err error) {
	s, err := l.get()
	if err != nil {
		return p, err
	}
	return s.Plan(ctx, id)
}

// OpenIntents lists intents without outcome.
func (l *lateStore) OpenIntents(ctx context.Context) ([]retention.Intent, error) {
	s, err := l.get()
	if err != nil {
		return nil, err
	}
	return s.OpenIntents(ctx)
}

// ListHolds lists the holds.
func (l *lateStore) ListHolds(ctx context.Context, id, matter string) ([]retention.Hold, error) {
	s, err := l.get()
	if err != nil {
		return nil, err
	}
	return s.ListHolds(ctx, id, matter)
}

// LogState is the size of the audit log, and whether it could be signed.
func (l *lateStore) LogState(ctx context.Context) (int64, error) {
	s, err := l.get()
	if err != nil {
		return 0, err
	}
	return s.LogState(ctx)
}

// NoticeDue is true, once, where a cause was not told within that time.
func (l *lateStore) NoticeDue(ctx context.Context, cause string, within time.Duration) (bool, error) {
	s, err := l.get()
	if err != nil {
		return false, err
	}
	return s.NoticeDue(ctx, cause, within)
}

// NoticesOver forgets the causes that begin so.
func (l *lateStore) NoticesOver(ctx context.Context, prefix string) error {
	s, err := l.get()
	if err != nil {
		return err
	}
	return s.NoticesOver(ctx, prefix)
}
