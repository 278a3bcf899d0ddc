package engine_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors"
	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
)

// stalling is a real source behind a network that loses the answers of its server,
// whatever the context says, while it is stalled.
type stalling struct {
	retention.Source
	stalled *atomic.Bool
	over    <-chan struct{}
}

func (s stalling) Server(ctx context.Context) (retention.Server, error) {
	if s.stalled.Load() {
		<-s.over
	}
	return s.Source.Server(ctx)
}

// twoSources is a racer whose second policy is of a source that may stall: another
// database, or another name of the first.
func twoSources(t *testing.T, file string) (r racer, stalled *atomic.Bool) {
	t.Helper()
	dir := t.TempDir()
	for f := range map[string]bool{"crm.db": true, file: true} {
		db, err := sql.Open("sqlite", filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(raceSQL("sqlite")); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r = newRacer(t, dir, "one", "sqlite", filepath.Join(dir, "crm.db"))
	t.Cleanup(r.close)
	text := strings.NewReplacer("policy: race", "policy: other", "source: db", "source: far").Replace(racePolicy)
	p, problems := policies.Decode("other.yaml", []byte(text), policies.Env{Sources: map[string]policies.SourceKind{"far": policies.SourceSQL}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	p.Rules = nil // it only protects
	r.Policies = append(r.Policies, p)
	stalled = &atomic.Bool{}
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	r.Sources["far"] = &engine.SourceRef{Name: "far", Driver: "sqlite", Open: func(ctx context.Context) (retention.Source, error) {
		src, err := connectors.Default().Open(ctx, "sqlite", connectors.Options{DSN: filepath.Join(dir, file)})
		return stalling{src, stalled, over}, err
	}}
	return r, stalled
}

// A source that does not answer keeps a run that is not about it waiting once, and for
// a few seconds.
func TestStalledSourceOfAnother(t *testing.T) {
	t.Parallel()
	r, stalled := twoSources(t, "far.db")
	stalled.Store(true)
	for i, most := range []time.Duration{25 * time.Second, 8 * time.Second} {
		begun := time.Now()
		report, err := r.Run(t.Context(), engine.RunRequest{Policy: "race"})
		if err != nil || report.Verdict != retention.VerdictOK || len(report.Refusals) > 0 {
			t.Fatalf("run %d: %v, %s %+v", i, err, report.Verdict, report.Refusals)
		}
		if took := time.Since(begun); took > most {
			t.Errorf("run %d waited %s for a source that it is not about", i, took)
		}
	}
}

// Where a source that does not answer is another name of the run's own, what it
// protects there cannot be seen: nothing acts.
func TestStalledOtherName(t *testing.T) {
	t.Parallel()
	r, stalled := twoSources(t, "crm.db")
	for range 2 { // the second sees the identity that the first gave
		if report, err := r.Run(t.Context(), engine.RunRequest{Policy: "race"}); err != nil || len(report.Refusals) > 0 {
			t.Fatal(err, report.Refusals)
		}
	}
	stalled.Store(true)
	report, err := r.Run(t.Context(), engine.RunRequest{Policy: "race"})
	if err != nil || len(report.Refusals) != 1 || report.Refusals[0].Code != retention.RefuseSourceDown || !strings.Contains(report.Refusals[0].Message, "another name") {
		t.Errorf("%v: %+v", err, report.Refusals)
	}
}

// A source's clock is compared with ours as it is when the source is asked, not with
// that of the request, which may have waited since.
func TestClockOfALateQuestion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after time.Duration // our clock, from the source's, until it is opened and from then on
		refused       bool
	}{
		"waited": {-90 * time.Second, 0, false},
		"wrong":  {0, -90 * time.Second, true},
		"ahead":  {0, 90 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := twoSources(t, "far.db")
			var opened atomic.Bool
			r.Now = func() time.Time {
				if opened.Load() {
					return time.Now().Add(c.after)
				}
				return time.Now().Add(c.before)
			}
			r.Sources["db"].Open = opening(r.Sources["db"].Open, &opened)
			r.Sources["far"].Open = opening(r.Sources["far"].Open, &opened)
			p, err := r.Plan(t.Context(), engine.PlanRequest{Policy: "race"})
			if err != nil {
				t.Fatal(err)
			}
			clock := len(p.Refusals) > 0 && p.Refusals[0].Code == retention.RefuseClock
			if clock != c.refused {
				t.Errorf("refusals %+v", p.Refusals)
			}
		})
	}
}

func opening(open func(context.Context) (retention.Source, error), opened *atomic.Bool) func(context.Context) (retention.Source, error) {
	return func(ctx context.Context) (retention.Source, error) {
		defer opened.Store(true)
		return open(ctx)
	}
}
