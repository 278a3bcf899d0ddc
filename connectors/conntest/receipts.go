package conntest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

func receiptCases() []testCase {
	return []testCase{
		{name: "EffectAndReceipt", run: receiptEffect},
		{name: "IntentTwice", run: receiptTwice},
		{name: "AbandonedFences", run: receiptFences},
		{name: "SettleWhileApplying", run: receiptInFlight},
		{name: "SettleAgainstApply", run: receiptRace},
		{name: "Prune", run: receiptPrune},
	}
}

const three = `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01')`

func receiptEffect(t *testing.T, h Harness) {
	f := setup(t, h, three)
	b := f.deletion(f.from("p"), 1, 99)
	out := f.wantOutcome(b, 1, retention.Spared{Gone: 1})
	if out.Digest != "sealed 1 of 1" {
		t.Errorf("digest %q is not Seal's over the rows done", out.Digest)
	}
	other := f.db.Open(t)
	if r := settle(t, other, b.Intent); r.State != retention.ReceiptDone || r.Rows != 1 || r.Digest != out.Digest {
		t.Errorf("another process reads the receipt %+v", r)
	}
	nothing := f.deletion(f.from("p"), 1)
	f.wantOutcome(nothing, 0, retention.Spared{Gone: 1}) // nothing to do is settled too
	f.wantState(nothing.Intent, retention.ReceiptDone)
	if _, err := f.s.Settle(t.Context(), "", nil); err == nil {
		t.Error("no intent was settled")
	}
	// One that another process settled, and whose receipt it pruned.
	asked := 0
	over := func(context.Context) error { asked++; return retention.ErrDecided }
	if _, err := f.s.Settle(t.Context(), "run/9/1", over); !errors.Is(err, retention.ErrDecided) {
		t.Errorf("an intent that was settled before: %v", err)
	}
	f.wantOutcome(withIntent(f.deletion(f.from("p"), 2), "run/9/1"), 1, retention.Spared{}) // no receipt fences it
	if r, err := f.s.Settle(t.Context(), b.Intent, over); err != nil || r.State != retention.ReceiptDone || asked != 1 {
		t.Errorf("a receipt that is there tells without the store: %+v, %v, asked %d times", r, err, asked)
	}
}

func withIntent(b retention.Batch, intent string) retention.Batch {
	b.Intent = intent
	return b
}

func receiptTwice(t *testing.T, h Harness) {
	f := setup(t, h, three)
	b := f.deletion(f.from("p"), 1)
	f.wantOutcome(b, 1, retention.Spared{})
	again := f.deletion(f.from("p"), 2)
	again.Intent = b.Intent
	if _, err := f.s.Apply(t.Context(), again); err == nil {
		t.Error("one intent committed twice")
	}
	f.wantIDs("p", "2 3")
	if r := f.settle(b.Intent); r.Rows != 1 || r.State != retention.ReceiptDone {
		t.Errorf("the first receipt was changed: %+v", r)
	}
}

func receiptFences(t *testing.T, h Harness) {
	f := setup(t, h, three)
	other := f.db.Open(t)
	b := f.deletion(f.from("p"), 1)
	if r := settle(t, other, b.Intent); r.State != retention.ReceiptAbandoned {
		t.Fatalf("settled as %+v", r)
	}
	f.refused(b, "p")
	f.wantIDs("p", "1 2 3")
}

// receiptInFlight settles a batch that is inside its transaction: whichever way
// it ends, effect and both answers agree.
func receiptInFlight(t *testing.T, h Harness) {
	f := setup(t, h, three)
	other := f.db.Open(t)
	b, entered, leave := paused(f.deletion(f.from("p"), 1))
	var applied error
	var wg sync.WaitGroup
	wg.Go(func() { _, applied = f.s.Apply(t.Context(), b) })
	<-entered
	settled := make(chan retention.Receipt, 1)
	wg.Go(func() { settled <- settle(t, other, b.Intent) })
	brief(settled)
	close(leave)
	wg.Wait()
	f.wantAgreement(<-settled, applied, b.Intent, "1")
}

// paused is the batch with an Admit that reports that it was reached, and waits.
func paused(b retention.Batch) (_ retention.Batch, entered, leave chan struct{}) {
	entered, leave = make(chan struct{}), make(chan struct{})
	admit := b.Admit
	b.Admit = func(ctx context.Context, g retention.Gate) (*retention.HoldSet, error) {
		close(entered)
		<-leave
		return admit(ctx, g)
	}
	return b, entered, leave
}

func (f *fixture) wantAgreement(r retention.Receipt, applied error, intent, id string) {
	f.t.Helper()
	left := len(f.rows("SELECT id FROM p WHERE id = " + id))
	committed := left == 0
	if (applied == nil) != committed || (r.State == retention.ReceiptDone) != committed {
		f.t.Errorf("row gone: %v, apply: %v, settled as %s", committed, applied, r.State)
	}
	if again := f.settle(intent); again.State != r.State {
		f.t.Errorf("settled as %s and then as %s", r.State, again.State)
	}
}

func receiptRace(t *testing.T, h Harness) {
	f := setup(t, h, "CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text})")
	other := f.db.Open(t)
	for i := range 25 {
		f.exec("INSERT INTO p VALUES (" + cell(i) + ", '2020-01-01')")
		b := f.deletion(f.from("p"), i)
		var applied error
		var r retention.Receipt
		var wg sync.WaitGroup
		wg.Go(func() { _, applied = f.s.Apply(t.Context(), b) })
		wg.Go(func() { r = settle(t, other, b.Intent) })
		wg.Wait()
		f.wantAgreement(r, applied, b.Intent, cell(i))
	}
}

func receiptPrune(t *testing.T, h Harness) {
	f := setup(t, h, three)
	c := f.from("p")
	left, first, second, third := f.deletion(c, 3), f.deletion(c, 1), f.deletion(c, 2), f.deletion(c, 99)
	f.wantState(left.Intent, retention.ReceiptAbandoned)
	f.wantOutcome(first, 1, retention.Spared{})
	f.wantOutcome(second, 1, retention.Spared{})
	f.wantOutcome(third, 0, retention.Spared{Gone: 1})
	if err := f.s.Prune(t.Context(), []string{left.Intent, first.Intent, third.Intent, "unknown"}); err != nil {
		t.Fatal(err)
	}
	f.refused(left, "p") // before anything settles it anew
	f.wantState(second.Intent, retention.ReceiptDone)
	f.wantState(third.Intent, retention.ReceiptDone)      // the newest
	f.wantState(first.Intent, retention.ReceiptAbandoned) // pruned: nothing is known of it
	if err := f.s.Prune(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}
