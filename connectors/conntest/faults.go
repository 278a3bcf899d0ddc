package conntest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func faultCases() []testCase {
	return []testCase{
		{name: "CancelledAtEveryPoint", run: faultPoints},
		{name: "CancelledBeforeCommit", run: faultCancelled},
		{name: "CancelledBeforeStart", run: faultNeverStarted},
		{name: "Closed", run: faultClosed},
		{name: "LockedByAnother", run: faultLocked},
	}
}

// faultPoints stops a batch at each point of its life: before the commit nothing
// of it remains, after it all of it, and the receipt says which.
func faultPoints(t *testing.T, h Harness) {
	for p := retention.PointBegun; p <= retention.PointCommitted; p++ {
		if p >= retention.PointSealing && p <= retention.PointRemoving {
			continue // of archives, and of files
		}
		t.Run(p.String(), func(t *testing.T) {
			f := setup(t, h, family)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b := f.deletion(f.from("p"), 1, 2)
			b.Action.Children = kids()
			var passed []retention.Point
			b.Reached = func(at retention.Point) {
				passed = append(passed, at)
				if at == p {
					cancel()
				}
			}
			_, err := f.s.Apply(ctx, b)
			if !slices.IsSorted(passed) || !slices.Contains(passed, p) {
				t.Fatalf("the batch passed %v", passed)
			}
			state := f.settle(b.Intent).State
			switch left := strings.Join(f.rows("SELECT id FROM p UNION ALL SELECT id FROM c UNION ALL SELECT id FROM g"), " "); {
			case p < retention.PointCommitting && err == nil, p == retention.PointCommitted && err != nil:
				t.Errorf("apply says %v", err)
			case err != nil && (left != "1 2 3 1 2 3 4 1 2 3" || state != retention.ReceiptAbandoned),
				err == nil && (left != "3 4 3" || state != retention.ReceiptDone):
				t.Errorf("apply says %v, the receipt %s, the rows %q", err, state, left)
			}
		})
	}
}

// faultCancelled stops the batch as late as the suite can: while its receipt is
// being sealed, after the rows were deleted.
func faultCancelled(t *testing.T, h Harness) {
	f := setup(t, h, family)
	ctx, cancel := context.WithCancel(t.Context())
	b := f.deletion(f.from("p"), 1, 2)
	b.Action.Children = kids()
	b.Seal = func(int64, []retention.Key) string { cancel(); return "late" }
	if _, err := f.s.Apply(ctx, b); err == nil {
		t.Error("a cancelled batch said that it went through")
	}
	f.wantIDs("p", "1 2 3")
	f.wantIDs("c", "1 2 3 4")
	f.wantState(b.Intent, retention.ReceiptAbandoned)
	b = f.deletion(f.from("p"), 1, 2) // the source is as good as before
	b.Action.Children = kids()
	f.wantOutcome(b, 2, retention.Spared{})
}

func faultNeverStarted(t *testing.T, h Harness) {
	f := setup(t, h, three)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := f.deletion(f.from("p"), 1)
	if _, err := f.s.Apply(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want it to wrap context.Canceled", err)
	}
	if r, err := f.s.Settle(ctx, b.Intent, nil); err == nil {
		t.Errorf("a cancelled settling said %+v", r)
	}
	f.wantIDs("p", "1 2 3")
	f.wantState(b.Intent, retention.ReceiptAbandoned)
}

func faultClosed(t *testing.T, h Harness) {
	f := setup(t, h, three)
	s := f.db.Open(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b := f.deletion(f.from("p"), 1)
	if _, err := s.Apply(t.Context(), b); err == nil {
		t.Error("a closed source applied a batch")
	}
	if _, err := s.Count(t.Context(), f.from("p").Selection, noHolds(), nil); err == nil {
		t.Error("a closed source counted")
	}
	if _, err := s.Settle(t.Context(), b.Intent, nil); !errors.Is(err, retention.ErrUnsettled) {
		t.Errorf("settling at a closed source: %v, want ErrUnsettled", err)
	}
	if _, err := s.Pass(t.Context(), storeUUID, 1, retention.Witness{}, anyGate); err == nil {
		t.Error("a pass through a closed source counted")
	}
	f.wantIDs("p", "1 2 3")
}

// faultLocked: a batch does not wait for ever, and says that it may be tried
// again.
func faultLocked(t *testing.T, h Harness) {
	f := setup(t, h, three)
	release := f.db.Lock(t, "p")
	b := f.deletion(f.from("p"), 1)
	start := time.Now()
	_, err := f.s.Apply(t.Context(), b)
	if !errors.Is(err, retention.ErrLocked) {
		t.Errorf("got the error %v, want ErrLocked", err)
	}
	if d := time.Since(start); d > 15*time.Second {
		t.Errorf("the batch waited %s", d)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if r, err := f.s.Settle(ctx, "run/9/9", nil); err != nil && !errors.Is(err, retention.ErrUnsettled) || err == nil && r.State != retention.ReceiptAbandoned {
		t.Errorf("settling beside a lock: %+v, %v", r, err)
	}
	release()
	f.wantIDs("p", "1 2 3")
	f.wantState(b.Intent, retention.ReceiptAbandoned)
	f.wantOutcome(f.deletion(f.from("p"), 1), 1, retention.Spared{})
}
