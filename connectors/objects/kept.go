package objects

import (
	"context"
	"errors"

	"github.com/retentiond/retentiond/connectors/sqlite"
)

// unkept are those of the objects that the store itself does not keep (L4), and how
// many it does. What may not go is not begun: some of its versions would be gone.
func (e *engine) unkept(ctx context.Context, of []Object) (free []Object, kept int64, err error) {
	t, ok := e.tree.(Labeller)
	if !ok || len(of) == 0 {
		return of, 0, nil
	}
	until := make([]string, len(of))
	for i := range until {
		until[i] = Unseen
	}
	if err := t.Label(ctx, of, false, false, func(i int, l Labels) { until[i] = l.Locked }); err != nil {
		return nil, 0, err
	}
	now, err := wallClock(ctx)
	if err != nil {
		return nil, 0, err
	}
	for i, u := range until {
		if u == ForGood || u == Unseen || u >= now { // of one form, or it is not read as past
			kept++
			continue
		}
		free = append(free, of[i])
	}
	return free, kept, nil
}

// wallClock is the machine's, as locks are written. It has a database of its own: the
// lines may be in use by the one who asks.
func wallClock(ctx context.Context) (now string, err error) {
	db, conn, err := sqlite.Private(ctx, sqlite.More{})
	if err != nil {
		return "", err
	}
	err = conn.GetContext(ctx, &now, "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now')")
	return now, errors.Join(err, conn.Close(), db.Close())
}
