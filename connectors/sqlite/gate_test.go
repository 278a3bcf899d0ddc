package sqlite

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

func refusalCode(err error) retention.RefusalCode {
	var r *retention.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

func TestInstallOnce(t *testing.T) {
	b := setup(t, prospects)
	if installed, err := b.s.Pass(t.Context(), store, 1, retention.Witness{}, anyGate); installed || err != nil {
		t.Errorf("pass without a gate: %v %v", installed, err)
	}
	exec(t, b.app, b.s.InstallSQL()) // by hand, then for real
	first, err := b.s.Install(t.Context(), store)
	if err != nil || !first.Installed || len(first.SourceUUID) != 36 || first.StoreUUID != store {
		t.Fatalf("%+v %v", first, err)
	}
	second, err := b.s.Install(t.Context(), "another")
	if err != nil || cmp.Diff(first, second) != "" {
		t.Errorf("a gate that exists was changed: %+v %v", second, err)
	}
	srv, err := b.s.Server(t.Context())
	if err != nil || cmp.Diff(first, srv.Gate) != "" || time.Since(srv.Now).Abs() > time.Minute || !strings.HasPrefix(srv.Name, "SQLite 3.") {
		t.Errorf("%+v %v", srv, err)
	}
}

func TestStoresAreTold(t *testing.T) {
	b := setup(t, prospects)
	b.install()
	ctx := t.Context()
	if _, err := b.s.Pass(ctx, "other", 1, retention.Witness{}, anyGate); refusalCode(err) != retention.RefuseStateMismatch {
		t.Errorf("pass: %v", err)
	}
	if err := b.s.Witness(ctx, "other", 1, "r"); refusalCode(err) != retention.RefuseStateMismatch {
		t.Errorf("witness: %v", err)
	}
	for _, w := range []struct {
		size int64
		root string
		want retention.RefusalCode
	}{{5, "five", ""}, {3, "three", ""}, {5, "other five", retention.RefuseStateMismatch}, {7, "seven", ""}} {
		if err := b.s.Witness(ctx, store, w.size, w.root); refusalCode(err) != w.want {
			t.Errorf("witness %+v: %v", w, err)
		}
	}
	b.wantRows("SELECT log_size || log_root FROM retentiond_gate", "7seven")
	if err := b.s.Adopt(ctx, "other", 4, 2, "two"); err != nil {
		t.Fatal(err)
	}
	b.wantRows("SELECT store_uuid || holds_version || log_size || log_root FROM retentiond_gate", "other42two")
	for _, v := range []int64{9, 6} {
		if ok, err := b.s.Pass(ctx, "other", v, retention.Witness{}, anyGate); !ok || err != nil {
			t.Errorf("pass: %v %v", ok, err)
		}
	}
	b.wantRows("SELECT holds_version FROM retentiond_gate", "9")
}

// A batch in flight keeps a hold from passing; a batch after the pass sees it.
func TestPassWaitsForBatches(t *testing.T) {
	b := setup(t, prospects)
	b.install()
	other, err := Open(t.Context(), b.path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	inside, goOn := make(chan bool), make(chan bool)
	batch := b.batch(b.selection("prospects", "created_at"), retention.Delete, 2)
	batch.Admit = func(_ context.Context, g retention.Gate) (*retention.HoldSet, error) {
		close(inside)
		<-goOn
		return noHolds(), nil
	}
	applied := make(chan error, 1)
	go func() {
		_, err := b.s.Apply(context.WithoutCancel(t.Context()), batch)
		applied <- err
	}()
	<-inside
	short, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if _, err := other.Pass(short, store, 2, retention.Witness{}, anyGate); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, retention.ErrLocked) {
		t.Errorf("a pass went through a batch in flight: %v", err)
	}
	passed := make(chan error, 1)
	go func() {
		_, err := other.Pass(context.WithoutCancel(t.Context()), store, 2, retention.Witness{}, anyGate)
		passed <- err
	}()
	close(goOn)
	if err := <-applied; err != nil {
		t.Fatal(err)
	}
	if err := <-passed; err != nil {
		t.Fatal(err)
	}
	next := b.batch(b.selection("prospects", "created_at"), retention.Delete, 1)
	next.Admit = func(_ context.Context, g retention.Gate) (*retention.HoldSet, error) {
		if g.HoldsVersion != 2 {
			t.Errorf("the batch after the pass sees version %d", g.HoldsVersion)
		}
		return nil, &retention.Refusal{Code: retention.RefuseHoldUnreadable}
	}
	if _, err := b.s.Apply(t.Context(), next); refusalCode(err) != retention.RefuseHoldUnreadable {
		t.Errorf("got %v", err)
	}
	b.wantRows("SELECT id FROM prospects ORDER BY id", "1", "3", "4", "5")
}

func TestSettle(t *testing.T) {
	b := setup(t, prospects)
	ctx := t.Context()
	r, err := b.s.Settle(ctx, "before-install", nil)
	if err != nil || r.State != retention.ReceiptAbandoned || r.At.IsZero() {
		t.Fatalf("%+v %v", r, err)
	}
	b.install()
	b.describe()
	batch := b.batch(b.selection("prospects", "created_at"), retention.Delete, 2)
	b.apply(batch)
	r, err = b.s.Settle(ctx, batch.Intent, nil)
	if err != nil || r.State != retention.ReceiptDone || r.Rows != 1 || r.Digest != "sealed 1 of 1" {
		t.Errorf("%+v %v", r, err)
	}
	// Once abandoned, the batch can never commit.
	late := b.batch(b.selection("prospects", "created_at"), retention.Delete, 1)
	late.Action.Children = children()
	for range 2 {
		if r, err = b.s.Settle(ctx, late.Intent, nil); err != nil || r.State != retention.ReceiptAbandoned {
			t.Fatalf("%+v %v", r, err)
		}
	}
	if _, err := b.s.Apply(ctx, late); err == nil || !strings.Contains(err.Error(), "settled before") {
		t.Errorf("got %v", err)
	}
	b.wantRows("SELECT id FROM prospects ORDER BY id", "1", "3", "4", "5")
	// An intent commits once.
	if _, err := b.s.Apply(ctx, batch); err == nil {
		t.Error("an intent committed twice")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := b.s.Settle(ended, "x", nil); !errors.Is(err, retention.ErrUnsettled) {
		t.Errorf("got %v", err)
	}
}

func TestPruneKeepsWhatFences(t *testing.T) {
	b := setup(t, prospects)
	b.install()
	sel := b.selection("prospects", "created_at")
	var intents []string
	for i := range 3 {
		batch := b.batch(sel, retention.Delete, 90+i)
		b.apply(batch)
		intents = append(intents, batch.Intent)
	}
	if _, err := b.s.Settle(t.Context(), "gone", nil); err != nil {
		t.Fatal(err)
	}
	if err := b.s.Prune(t.Context(), append(intents, "gone")); err != nil {
		t.Fatal(err)
	}
	b.wantRows("SELECT intent FROM retentiond_receipt ORDER BY state", "gone", intents[2])
}

func TestABusySourceIsLocked(t *testing.T) {
	b := setup(t, prospects)
	b.install()
	c, err := b.app.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := b.s.Apply(short, b.batch(b.selection("prospects", "created_at"), retention.Delete, 1)); !errors.Is(err, retention.ErrLocked) {
		t.Errorf("got %v", err)
	}
	if _, err := c.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
}

// A batch that is interrupted leaves neither a change nor an open transaction.
func TestInterruptedBatch(t *testing.T) {
	b := setup(t, prospects)
	b.install()
	for _, when := range []string{"before commit", "after"} {
		ctx, cancel := context.WithCancel(t.Context())
		batch := b.batch(b.selection("prospects", "created_at"), retention.Delete, 2)
		batch.Intent = when
		if when == "before commit" {
			batch.Seal = func(int64, []retention.Key) string { cancel(); return "" }
		}
		_, err := b.s.Apply(ctx, batch)
		cancel()
		if (err != nil) != (when == "before commit") {
			t.Errorf("%s: %v", when, err)
		}
		want := map[string]string{"before commit": "5", "after": "4"}[when]
		b.wantRows("SELECT count(*) FROM prospects", want)
	}
	exec(t, b.app, "BEGIN IMMEDIATE; ROLLBACK")
}

// anyGate lets a hold pass whatever the gate says.
func anyGate(context.Context, retention.Gate) error { return nil }
