package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/console"
	"github.com/retentiond/retentiond/retention/schedule"
)

// memory remembers as the state store does, for one process; down: it does not answer.
type memory struct {
	mu   sync.Mutex
	told map[string]time.Time
	now  func() time.Time
	down bool
}

func (m *memory) NoticeDue(_ context.Context, cause string, within time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return false, errors.New("down")
	}
	if at, ok := m.told[cause]; ok && m.now().Sub(at) < within {
		return false, nil
	}
	m.told[cause] = m.now()
	return true, nil
}

func (m *memory) NoticesOver(_ context.Context, prefix string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.told {
		if strings.HasPrefix(k, prefix) {
			delete(m.told, k)
		}
	}
	return nil
}

// sink keeps what it is sent; slow: it takes for ever.
type sink struct {
	mu   sync.Mutex
	got  []string
	slow chan struct{}
	fail bool
}

func (s *sink) Name() string { return "sink" }

func (s *sink) Send(ctx context.Context, n Notice) error {
	if s.slow != nil {
		select {
		case <-s.slow:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.fail {
		return errors.New("no")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, n.Cause)
	return nil
}

// told runs a center over what f does with it, and returns what was sent.
func told(t *testing.T, m *memory, f func(c *Center, at func(time.Duration))) []string {
	t.Helper()
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	m.now = clock
	s := &sink{}
	c := &Center{Marks: m, Channels: []Channel{s}, Now: clock, Log: zap.NewNop()}
	flush := func() { // everything that waits is taken and sent
		ctx, stop := context.WithCancel(t.Context())
		stop()
		c.Run(ctx)
	}
	f(c, func(d time.Duration) { flush(); mu.Lock(); now = now.Add(d); mu.Unlock() })
	flush()
	return s.got
}

func refusedEvent(code retention.RefusalCode) schedule.Event {
	return schedule.Event{Kind: schedule.Refused, Run: "r-1", Refusals: []retention.Refusal{{Policy: "shop", Rule: "logs", Code: code, Message: "secret text"}}}
}

// Once per cause, not at every slot; again after a day; at once when it comes back.
func TestOncePerCause(t *testing.T) {
	ok := schedule.Event{Kind: schedule.RunEnded, Slot: retention.SlotID{Policy: "shop"}, Report: &retention.RunReport{Steps: []retention.StepReport{{Policy: "shop", Rule: "logs"}}}}
	got := told(t, &memory{told: map[string]time.Time{}}, func(c *Center, later func(time.Duration)) {
		for range 5 {
			c.Observe(refusedEvent(retention.RefuseLimitRows))
			later(time.Minute)
		}
		c.Observe(refusedEvent(retention.RefuseSchemaDrift))
		later(24 * time.Hour)
		c.Observe(refusedEvent(retention.RefuseLimitRows))
		later(time.Minute)
		c.Observe(ok)
		c.Observe(refusedEvent(retention.RefuseLimitRows))
	})
	limit := "refusal:shop/logs:limit_rows"
	if want := fmt.Sprint([]string{limit, "refusal:shop/logs:schema_drift", limit, limit}); fmt.Sprint(got) != want {
		t.Errorf("told %v, want %v", got, want)
	}
}

// While the state store is down, one process tells once by itself.
func TestStoreDownIsToldOnce(t *testing.T) {
	got := told(t, &memory{told: map[string]time.Time{}, down: true}, func(c *Center, later func(time.Duration)) {
		for range 3 {
			c.Observe(schedule.Event{Kind: schedule.StoreDown, Err: errors.New("x")})
			later(time.Minute)
		}
	})
	if len(got) != 1 || got[0] != "state_down" {
		t.Errorf("told %v", got)
	}
}

// What could not be sent is told again when its cause comes again.
func TestWhatWasNotSentComesAgain(t *testing.T) {
	m := &memory{told: map[string]time.Time{}, now: time.Now}
	bad := &sink{fail: true}
	counts := map[string]int{}
	c := &Center{Marks: m, Channels: []Channel{bad}, Now: time.Now, Log: zap.NewNop(), Counted: func(_, o string) { counts[o]++ }}
	for range 2 {
		c.Observe(refusedEvent(retention.RefuseLimitRows))
		ctx, stop := context.WithCancel(t.Context())
		stop()
		c.Run(ctx)
	}
	if counts["failed"] != 2 {
		t.Errorf("%v", counts)
	}
}

// A channel that hangs blocks neither the daemon nor another channel, and what is
// too much is dropped and counted.
func TestTellingNeverBlocks(t *testing.T) {
	hangs, quick := &sink{slow: make(chan struct{})}, &sink{}
	var mu sync.Mutex
	counts := map[string]int{}
	c := &Center{Marks: &memory{told: map[string]time.Time{}, now: time.Now}, Channels: []Channel{hangs, quick}, Now: time.Now, Log: zap.NewNop(),
		Counted: func(_, o string) { mu.Lock(); defer mu.Unlock(); counts[o]++ }}
	began := time.Now()
	for i := range 4 * queued {
		c.Tell(Notice{Cause: fmt.Sprint(i)})
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("telling took %s", took)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	c.Run(ctx)
	if took := time.Since(began); took > lastWords+20*time.Second {
		t.Errorf("a channel that hangs held the end up for %s", took)
	}
	if len(quick.got) != queued || counts["dropped"] != 3*queued || counts["failed"] == 0 {
		t.Errorf("%d sent, %v", len(quick.got), counts)
	}
}

func TestFactsThatNeedSomebody(t *testing.T) {
	on := console.RuleOn{Policy: "shop", Rule: "logs", Source: "crm"}
	f := console.Facts{
		Waiting: []string{"p-1"}, Reviews: []retention.Hold{{ID: "h-1", Review: "2026-02-01", Matter: "secret", Reason: "secret"}},
		Sources: []console.SourceState{{Name: "crm", Code: "state_mismatch", Forgotten: 12}, {Name: "billing", Code: "source_down"}},
		Known: &console.Known{Rules: map[console.RuleOn]console.Backlog{on: {Classes: retention.Classes{Due: 30}}},
			Before: map[console.RuleOn][]int64{on: {20, 10}}},
		Policies: console.PolicyState{Loaded: 1, Failed: 1}, Log: errors.New("x"),
	}
	got := told(t, &memory{told: map[string]time.Time{}}, func(c *Center, later func(time.Duration)) { c.Facts(f); later(time.Minute); c.Facts(f) })
	want := "[approval:p-1 review:h-1:2026-02-01 audit_log policies restored:crm: backlog:shop/logs/crm]"
	if fmt.Sprint(got) != want {
		t.Errorf("told %v, want %s", got, want)
	}
}

func TestGrows(t *testing.T) {
	for text, want := range map[string]bool{"": false, "3 2": false, "3 2 1": true, "3 3 1": false, "2 3 1": false, "9 5 1 7": true, "0 0 0": false} {
		var counts []int64
		for _, f := range strings.Fields(text) {
			var n int64
			if _, err := fmt.Sscan(f, &n); err != nil {
				t.Fatal(err)
			}
			counts = append(counts, n)
		}
		if got := grows(counts); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
