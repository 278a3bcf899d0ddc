package console

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// Store is what is read of the state store.
type Store interface {
	Now(ctx context.Context) (time.Time, error)
	ListRuns(ctx context.Context, id string, limit int) ([]retention.Run, error)
	Plan(ctx context.Context, id string) (retention.SavedPlan, error)
	OpenIntents(ctx context.Context) ([]retention.Intent, error)
	ListHolds(ctx context.Context, id, matter string) ([]retention.Hold, error)
	// LogState is the size of the audit log, all years together, and an error where
	// it could not be signed now.
	LogState(ctx context.Context) (int64, error)
}

// SourceState is how a source was when it was last asked.
type SourceState struct {
	Name string
	Code string // empty: it answers and may be acted on; else a refusal's code
	// Forgotten is how many rows the state store knows to be done that a source which
	// went back in time forgot.
	Forgotten int64
}

// PolicyState is which policies are in force.
type PolicyState struct {
	Loaded, Failed int
}

// Facts are what one look at everything found. They are not changed afterwards.
type Facts struct {
	At       time.Time // of the store's clock
	Done     time.Time // by the process's clock
	Store    error     // it does not answer: what follows is from the look before
	Log      error     // it could not be signed: nothing acts
	LogSize  int64
	Intents  int
	Holds    map[retention.HoldState]int
	Reviews  []retention.Hold // in force, with a review date that has come
	Waiting  []string         // plans that wait for an approval
	Known    *Known
	Sources  []SourceState
	Policies PolicyState
}

// Looker looks at the state store and the sources, now and then, so that nobody
// who asks does.
type Looker struct {
	Store    Store
	Sources  func(ctx context.Context) []SourceState // asks each source
	Policies func() PolicyState
	Now      func() time.Time
	// Every is how often the store is looked at; sources are asked a quarter as often.
	Every time.Duration
	// Told is given each look, on the Looker's own goroutine; nil: nobody.
	Told func(Facts)

	facts  atomic.Pointer[Facts]
	known  *Known
	last   map[string]bool // runs that were learned
	mu     sync.Mutex      // one look at a time
	looks  int
	states []SourceState
}

// patience is how long one look may take.
const patience = 20 * time.Second

// Run looks until ctx is done.
func (l *Looker) Run(ctx context.Context) {
	t := time.NewTicker(max(time.Second, l.Every))
	defer t.Stop()
	for {
		l.Look(ctx)
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// Facts are those of the last look; nil before the first.
func (l *Looker) Facts() *Facts { return l.facts.Load() }

// Look looks once.
func (l *Looker) Look(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if (l.looks%4 == 0 || l.states == nil) && l.Sources != nil {
		asked, done := context.WithTimeout(ctx, patience)
		l.states = l.Sources(asked)
		done()
	}
	l.looks++
	ask, done := context.WithTimeout(ctx, patience)
	defer done()
	f := Facts{}
	if before := l.Facts(); before != nil {
		f = *before
	}
	f.Sources = l.states
	if l.Policies != nil {
		f.Policies = l.Policies()
	}
	f.Store = l.store(ask, &f)
	if ctx.Err() != nil {
		return
	}
	f.Done = l.Now()
	l.facts.Store(&f)
	if l.Told != nil {
		l.Told(f)
	}
}

// store reads everything of the state store into f.
func (l *Looker) store(ctx context.Context, f *Facts) error {
	now, err := l.Store.Now(ctx)
	if err != nil {
		return err
	}
	open, err := l.Store.OpenIntents(ctx)
	if err != nil {
		return err
	}
	holds, err := l.Store.ListHolds(ctx, "", "")
	if err != nil {
		return err
	}
	if err := l.runs(ctx); err != nil {
		return err
	}
	waiting, err := l.waiting(ctx)
	if err != nil {
		return err
	}
	f.At, f.Intents, f.Known, f.Waiting = now, len(open), l.known.clone(), waiting
	f.Holds, f.Reviews = reviewed(holds, now)
	f.LogSize, f.Log = l.Store.LogState(ctx)
	return nil
}

// Runs that are read at the first look, and at each later one.
const (
	firstRuns = 200
	laterRuns = 50
)

// runs learns from the runs that ended since.
func (l *Looker) runs(ctx context.Context) error {
	limit := laterRuns
	if l.known == nil {
		limit = firstRuns
	}
	runs, err := l.Store.ListRuns(ctx, "", limit)
	if err != nil {
		return err
	}
	known, last := newKnown(), map[string]bool{}
	if l.known != nil {
		known = l.known.clone()
	}
	runs = slices.DeleteFunc(runs, func(r retention.Run) bool { return r.Report == nil })
	slices.SortStableFunc(runs, func(a, b retention.Run) int { return cmp.Compare(a.Ended.UnixMicro(), b.Ended.UnixMicro()) })
	for i := range runs {
		last[runs[i].ID] = true
		if l.last[runs[i].ID] {
			continue
		}
		plan, err := l.Store.Plan(ctx, runs[i].Plan)
		if errors.Is(err, retention.ErrNotFound) {
			continue // its time was over
		}
		if err != nil {
			return err
		}
		known.learn(&runs[i], &plan.Plan)
	}
	l.known, l.last = known, last
	return nil
}

// planLife is how long a plan waits for an approval.
const planLife = 7 * 24 * time.Hour

// waiting are the parked plans that nobody decided, and that can still be.
func (l *Looker) waiting(ctx context.Context) (out []string, err error) {
	for id := range l.known.Parked {
		p, err := l.Store.Plan(ctx, id)
		switch {
		case errors.Is(err, retention.ErrNotFound):
			delete(l.known.Parked, id)
		case err != nil:
			return nil, err
		case p.State != retention.PlanMade || l.Now().Sub(p.Plan.MadeAt) > planLife:
			delete(l.known.Parked, id)
		default:
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, nil
}

// reviewed counts holds by state, and finds those whose review date has come.
func reviewed(holds []retention.Hold, now time.Time) (counts map[retention.HoldState]int, due []retention.Hold) {
	counts = map[retention.HoldState]int{}
	for _, h := range holds {
		counts[h.State]++
		if h.State != retention.HoldReleased && h.Review != "" && h.Review <= now.UTC().Format(time.DateOnly) {
			due = append(due, h)
		}
	}
	return counts, due
}
