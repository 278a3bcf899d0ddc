package conntest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

// batch makes a batch of the keys: an int is an integer key, a retention.Key
// stands for itself.
func (f *fixture) batch(c *choice, act retention.Act, keys ...any) retention.Batch {
	f.n++
	b := retention.Batch{
		Intent: fmt.Sprintf("run/1/%d", f.n), Selection: c.Selection, Action: act, AsOf: cutoff(),
		Admit: func(context.Context, retention.Gate) (*retention.HoldSet, error) { return noHolds(), nil },
		Seal:  func(done int64, keys []retention.Key) string { return fmt.Sprintf("sealed %d of %d", done, len(keys)) },
	}
	for _, k := range keys {
		switch x := k.(type) {
		case int:
			b.Keys = append(b.Keys, retention.Key{int64(x)})
		case retention.Key:
			b.Keys = append(b.Keys, x)
		default:
			b.Keys = append(b.Keys, retention.Key{x})
		}
	}
	return b
}

func (f *fixture) deletion(c *choice, keys ...any) retention.Batch {
	return f.batch(c, retention.Act{Kind: retention.Delete}, keys...)
}

func withHolds(b retention.Batch, h *retention.HoldSet) retention.Batch {
	b.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) { return h, nil }
	return b
}

// apply does the batch and checks that each named key is accounted for, and that the
// receipt says what the outcome says.
func (f *fixture) apply(b retention.Batch) retention.Outcome {
	f.t.Helper()
	out, err := f.s.Apply(f.t.Context(), b)
	if err != nil {
		f.t.Fatalf("apply %s: %v", b.Intent, err)
	}
	if b.ChildrenOf == 0 && b.Range == nil && out.Done+out.Spared.Sum() != int64(len(b.Keys)) {
		f.t.Errorf("done %d + spared %+v is not %d", out.Done, out.Spared, len(b.Keys))
	}
	if r := f.settle(b.Intent); r.State != retention.ReceiptDone || r.Rows != out.Done || r.Digest != out.Digest || out.Digest == "" {
		f.t.Errorf("receipt %+v does not say what the outcome says: %+v", r, out)
	}
	return out
}

func (f *fixture) wantOutcome(b retention.Batch, done int64, spared retention.Spared) retention.Outcome {
	f.t.Helper()
	out := f.apply(b)
	if diff := cmp.Diff(retention.Outcome{Done: done, Spared: spared}, retention.Outcome{Done: out.Done, Spared: out.Spared}); diff != "" {
		f.t.Errorf("outcome (-want +got):\n%s", diff)
	}
	return out
}

// refused checks that the batch fails, that the tables are untouched, and that
// it has no receipt.
func (f *fixture) refused(b retention.Batch, tables ...string) error {
	f.t.Helper()
	before := f.picture(tables)
	_, err := f.s.Apply(f.t.Context(), b)
	if err == nil {
		f.t.Errorf("batch %s went through; it must be refused", b.Intent)
	}
	if diff := cmp.Diff(before, f.picture(tables)); diff != "" {
		f.t.Errorf("a refused batch left traces (-before +after):\n%s", diff)
	}
	if b.Intent != "" {
		f.wantState(b.Intent, retention.ReceiptAbandoned)
	}
	return err
}

func (f *fixture) picture(tables []string) map[string][]string {
	out := map[string][]string{}
	for _, t := range tables {
		out[t] = f.rows("SELECT * FROM " + t + " ORDER BY 1")
	}
	return out
}

func (f *fixture) settle(intent string) retention.Receipt {
	f.t.Helper()
	return settle(f.t, f.s, intent)
}

// settle asks again while the source cannot say.
func settle(t *testing.T, s retention.Source, intent string) retention.Receipt {
	t.Helper()
	for range 20 {
		r, err := s.Settle(t.Context(), intent, nil)
		if err == nil {
			return r
		}
		if !errors.Is(err, retention.ErrUnsettled) {
			t.Fatal(err)
		}
	}
	t.Fatalf("intent %s cannot be settled", intent)
	return retention.Receipt{}
}

func (f *fixture) wantState(intent string, want retention.ReceiptState) {
	f.t.Helper()
	if r := f.settle(intent); r.State != want || r.Intent != intent || r.At.IsZero() {
		f.t.Errorf("intent %s is settled as %+v, want %s", intent, r, want)
	}
}

func (f *fixture) wantRefusal(err error, code retention.RefusalCode) {
	f.t.Helper()
	var r *retention.Refusal
	if !errors.As(err, &r) || r.Code != code {
		f.t.Errorf("got the error %v, want the refusal %s", err, code)
	}
}
