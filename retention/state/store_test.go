package state

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// bench is a store on a real file, with a clock that tests move.
type bench struct {
	*Store
	t   *testing.T
	dir string
	mu  sync.Mutex
	at  time.Time
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.Store = b.open()
	return b
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

func (b *bench) options() Options {
	b.t.Helper()
	key, err := audit.LoadOrCreateKey(filepath.Join(b.dir, "audit.key"), "example.org/retention")
	must(b.t, err)
	return Options{DSN: "sqlite:" + filepath.Join(b.dir, "state.db"), Key: key, Clock: b.now}
}

// open opens another handle on the same store.
func (b *bench) open() *Store {
	b.t.Helper()
	s, err := Open(b.t.Context(), b.options())
	must(b.t, err)
	b.t.Cleanup(func() { must(b.t, s.Close()) })
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lease takes the lease and begins a run under it.
func (b *bench) begin(id string) retention.Lease {
	b.t.Helper()
	l, err := b.Lease(b.t.Context(), "test "+id, []string{"rule:shop/carts"})
	must(b.t, err)
	must(b.t, b.BeginRun(b.t.Context(), retention.Run{ID: id, Plan: "p1", AsOf: b.now(), Started: b.now(), Attempt: l.Attempt, By: "alice"}))
	return l
}

func intent(id string, l retention.Lease) retention.Intent {
	return retention.Intent{ID: id, Run: "r1", Attempt: l.Attempt, Source: "crm", SourceUUID: "u1", Policy: "shop", Rule: "carts",
		Stage: 1, Action: retention.Delete, Table: "carts", Planned: 10}
}

func TestRunOfABatch(t *testing.T) {
	b, ctx := setup(t), t.Context()
	l := b.begin("r1")
	must(t, b.Intend(ctx, intent("r1-0-0", l)))
	open, err := b.OpenIntents(ctx)
	must(t, err)
	if len(open) != 1 || open[0].ID != "r1-0-0" || open[0].Planned != 10 {
		t.Fatalf("open intents: %+v", open)
	}
	must(t, b.Conclude(ctx, "r1-0-0", retention.Outcome{Done: 9, Spared: retention.Spared{Held: 1}, Digest: "d"}, false))
	must(t, b.EndRun(ctx, retention.RunReport{Run: "r1", Plan: "p1", Verdict: retention.VerdictOK}))
	c, err := b.Checkpoint(ctx)
	must(t, err)
	if c.Size != 4 || c.Total != 4 || c.Log != "2026" {
		t.Fatalf("checkpoint: %+v", c)
	}
	h, err := b.PlaceHold(ctx, retention.Hold{Matter: "m", Subjects: []retention.SubjectID{{Type: "person", ID: "42"}}, PlacedBy: "bob", Reason: "why"})
	must(t, err)
	set, err := b.Admit(ctx, retention.SourceRecord{Name: "crm", UUID: "u1"}, l.Attempt, retention.Gate{Installed: true, StoreUUID: b.UUID(), LogSize: c.Total, LogRoot: c.Root})
	must(t, err)
	if set.Version != h.Version || len(set.Subjects["person"]) != 1 {
		t.Fatalf("holds: %+v", set)
	}
}

// refused fails unless err is a refusal of that code that says so.
func refused(t *testing.T, err error, code retention.RefusalCode, says string) {
	t.Helper()
	r, ok := errors.AsType[*retention.Refusal](err)
	if !ok || r.Code != code || !strings.Contains(r.Message, says) {
		t.Errorf("got %v, want refusal %s that says %q", err, code, says)
	}
}
