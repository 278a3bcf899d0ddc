package conntest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func gateCases() []testCase {
	return []testCase{
		{name: "Install", run: gateInstall},
		{name: "InstallByHand", run: gateByHand},
		{name: "InstallTwiceAtOnce", run: gateAtOnce},
		{name: "NotInstalled", run: gateMissing},
		{name: "PassWaitsForBatches", run: gatePassWaits},
		{name: "PassHonoursDeadline", run: gateDeadline},
		{name: "Version", run: gateVersion},
		{name: "OtherStore", run: gateMismatch},
		{name: "PassAsksStore", run: gateAsks},
		{name: "PassWitnesses", run: gatePassWitnesses},
		{name: "Witness", run: gateWitness},
	}
}

// anyGate lets a hold pass whatever the gate says.
func anyGate(context.Context, retention.Gate) error { return nil }

const otherStore = "22222222-2222-4222-8222-222222222222"

func (f *fixture) gate() retention.Gate {
	f.t.Helper()
	s, err := f.s.Server(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if s.Name == "" || time.Since(s.Now).Abs() > time.Hour {
		f.t.Errorf("server %+v", s)
	}
	return s.Gate
}

// blank is a database without gate.
func blank(t *testing.T, h Harness, script string) *fixture {
	t.Helper()
	f := &fixture{t: t, h: h, db: h.Fresh(t)}
	f.exec(script)
	f.s = f.db.Open(t)
	f.describe()
	return f
}

func gateInstall(t *testing.T, h Harness) {
	f := setup(t, h, three)
	first := f.gate()
	if !first.Installed || first.StoreUUID != storeUUID || len(first.SourceUUID) != 36 || first.HoldsVersion != 0 || first.LogSize != 0 {
		t.Errorf("a new gate: %+v", first)
	}
	if _, err := f.s.Pass(t.Context(), storeUUID, 7, retention.Witness{}, anyGate); err != nil {
		t.Fatal(err)
	}
	b := f.deletion(f.from("p"), 1)
	f.wantOutcome(b, 1, retention.Spared{})
	for _, store := range []string{storeUUID, otherStore} {
		g, err := f.s.Install(t.Context(), store)
		if err != nil || g.SourceUUID != first.SourceUUID || g.StoreUUID != storeUUID || g.HoldsVersion != 7 {
			t.Errorf("install again gives %+v, %v", g, err)
		}
	}
	f.wantState(b.Intent, retention.ReceiptDone)
	if second := setup(t, h, three).gate(); second.SourceUUID == first.SourceUUID {
		t.Error("two sources have one uuid")
	}
}

func gateByHand(t *testing.T, h Harness) {
	f := blank(t, h, three)
	for _, text := range strings.Split(f.s.InstallSQL(), ";\n") {
		if strings.TrimSpace(text) != "" {
			f.run(text)
		}
	}
	if g, err := f.s.Install(t.Context(), storeUUID); err != nil || !g.Installed {
		t.Fatalf("install after the tables were made by hand: %+v, %v", g, err)
	}
	f.wantOutcome(f.deletion(f.from("p"), 1), 1, retention.Spared{})
}

func gateAtOnce(t *testing.T, h Harness) {
	f := blank(t, h, three)
	var wg sync.WaitGroup
	uuids := make([]string, 4)
	for i := range uuids {
		s := f.db.Open(t)
		wg.Go(func() {
			g, err := s.Install(t.Context(), storeUUID)
			if err != nil {
				t.Error(err)
			}
			uuids[i] = g.SourceUUID
		})
	}
	wg.Wait()
	for _, u := range uuids {
		if u != f.gate().SourceUUID {
			t.Errorf("installs at once saw the gates %v, the source has %s", uuids, f.gate().SourceUUID)
		}
	}
	f.wantRows("SELECT count(*) FROM retentiond_gate", "1")
}

// gateMissing: planning needs no gate, acting does.
func gateMissing(t *testing.T, h Harness) {
	f := blank(t, h, three)
	if g := f.gate(); g.Installed {
		t.Errorf("gate %+v", g)
	}
	f.wantClasses(f.from("p"), noHolds(), "due due due")
	if installed, err := f.s.Pass(t.Context(), storeUUID, 1, retention.Witness{}, anyGate); installed || err != nil {
		t.Errorf("pass: %v, %v", installed, err)
	}
	_, err := f.s.Apply(t.Context(), f.deletion(f.from("p"), 1))
	f.wantRefusal(err, retention.RefuseGate)
	f.wantIDs("p", "1 2 3")
	f.wantRefusal(f.s.Adopt(t.Context(), storeUUID, 1, 1, "r"), retention.RefuseGate)
}

// brief gives a goroutine that must wait the time to go wrong.
func brief[T any](done chan T) (early bool) {
	select {
	case v := <-done:
		done <- v
		return true
	case <-time.After(150 * time.Millisecond):
		return false
	}
}

// gatePassWaits is L3: once Pass returns, no batch that began before can still
// commit.
func gatePassWaits(t *testing.T, h Harness) {
	f := setup(t, h, three)
	other := f.db.Open(t)
	b, entered, leave := paused(f.deletion(f.from("p"), 1))
	applied, passed := make(chan error, 1), make(chan error, 1)
	go func() { _, err := f.s.Apply(t.Context(), b); applied <- err }()
	<-entered
	go func() { _, err := other.Pass(t.Context(), storeUUID, 5, retention.Witness{}, anyGate); passed <- err }()
	if brief(passed) {
		t.Error("a pass went by while a batch was inside its transaction")
	}
	close(leave)
	if err := <-passed; err != nil {
		t.Fatal(err)
	}
	f.wantIDs("p", "2 3") // the batch has ended, not only been told to
	if err := <-applied; err != nil {
		t.Fatal(err)
	}
	f.wantHoldsVersion(5)
}

func (f *fixture) wantHoldsVersion(want int64) {
	f.t.Helper()
	if g := f.gate(); g.HoldsVersion != want {
		f.t.Errorf("the gate's holds version is %d, want %d", g.HoldsVersion, want)
	}
	b := f.deletion(f.from("p"), 99)
	b.Admit = func(_ context.Context, g retention.Gate) (*retention.HoldSet, error) {
		if g.HoldsVersion != want {
			f.t.Errorf("a batch sees holds version %d, want %d", g.HoldsVersion, want)
		}
		return noHolds(), nil
	}
	f.apply(b)
}

func gateDeadline(t *testing.T, h Harness) {
	f := setup(t, h, three)
	other := f.db.Open(t)
	b, entered, leave := paused(f.deletion(f.from("p"), 1))
	applied := make(chan error, 1)
	go func() { _, err := f.s.Apply(t.Context(), b); applied <- err }()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if installed, err := other.Pass(ctx, storeUUID, 5, retention.Witness{}, anyGate); err == nil || installed {
		t.Errorf("a pass that ran out of time said %v, %v", installed, err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("the pass took %s for a deadline of 200ms", d)
	}
	close(leave)
	if err := <-applied; err != nil {
		t.Fatal(err)
	}
	f.wantHoldsVersion(0)
}

func gateVersion(t *testing.T, h Harness) {
	f := setup(t, h, three)
	for _, v := range []struct{ pass, want int64 }{{3, 3}, {2, 3}, {9, 9}} {
		if installed, err := f.s.Pass(t.Context(), storeUUID, v.pass, retention.Witness{}, anyGate); err != nil || !installed {
			t.Fatalf("pass: %v, %v", installed, err)
		}
		f.wantHoldsVersion(v.want)
	}
}

func gateMismatch(t *testing.T, h Harness) {
	f := setup(t, h, three)
	installed, err := f.s.Pass(t.Context(), otherStore, 5, retention.Witness{}, anyGate)
	f.wantRefusal(err, retention.RefuseStateMismatch)
	if installed {
		t.Error("a pass of another store counted")
	}
	f.wantRefusal(f.s.Witness(t.Context(), otherStore, 5, "x"), retention.RefuseStateMismatch)
	uuid := f.gate().SourceUUID
	if err := f.s.Adopt(t.Context(), otherStore, 4, 40, "root40"); err != nil {
		t.Fatal(err)
	}
	want := retention.Gate{Installed: true, SourceUUID: uuid, StoreUUID: otherStore, HoldsVersion: 4, LogSize: 40, LogRoot: "root40"}
	if g := f.gate(); g != want {
		t.Errorf("adopted: %+v, want %+v", g, want)
	}
	_, err = f.s.Pass(t.Context(), storeUUID, 5, retention.Witness{}, anyGate)
	f.wantRefusal(err, retention.RefuseStateMismatch)
}

// gateAsks is L3: a hold of a store that went back does not pass, and its
// version is not written over the one that was passed before.
func gateAsks(t *testing.T, h Harness) {
	f := setup(t, h, three)
	if _, err := f.s.Pass(t.Context(), storeUUID, 3, retention.Witness{Size: 30, Root: "r30"}, anyGate); err != nil {
		t.Fatal(err)
	}
	was := f.gate()
	var asked retention.Gate
	older := &retention.Refusal{Code: retention.RefuseStateMismatch, Message: "older"}
	installed, err := f.s.Pass(t.Context(), storeUUID, 4, retention.Witness{Size: 40, Root: "r40"}, func(_ context.Context, g retention.Gate) error {
		asked = g
		return older
	})
	f.wantRefusal(err, retention.RefuseStateMismatch)
	if installed || asked != was {
		t.Errorf("installed %v, asked of %+v, the gate is %+v", installed, asked, was)
	}
	if g := f.gate(); g != was {
		t.Errorf("a refused pass left %+v, not %+v", g, was)
	}
}

// gatePassWitnesses is L3, L8: a gate keeps the log that holds the hold, and no
// older one.
func gatePassWitnesses(t *testing.T, h Harness) {
	f := setup(t, h, three)
	for _, p := range []struct {
		v    int64
		w    retention.Witness
		want retention.Witness
	}{
		{1, retention.Witness{Size: 10, Root: "r10"}, retention.Witness{Size: 10, Root: "r10"}},
		{2, retention.Witness{Size: 12, Root: "r12"}, retention.Witness{Size: 12, Root: "r12"}},
		{3, retention.Witness{Size: 11, Root: "r11"}, retention.Witness{Size: 12, Root: "r12"}},
	} {
		if _, err := f.s.Pass(t.Context(), storeUUID, p.v, p.w, anyGate); err != nil {
			t.Fatal(err)
		}
		if g := f.gate(); g.HoldsVersion != p.v || g.LogSize != p.want.Size || g.LogRoot != p.want.Root {
			t.Errorf("after pass %d: %+v, want %+v", p.v, g, p.want)
		}
	}
}

func gateWitness(t *testing.T, h Harness) {
	f := setup(t, h, three)
	want := func(size int64, root string) {
		t.Helper()
		if g := f.gate(); g.LogSize != size || g.LogRoot != root {
			t.Errorf("witnessed %d %q, want %d %q", g.LogSize, g.LogRoot, size, root)
		}
	}
	for _, w := range []struct {
		size int64
		root string
	}{{10, "r10"}, {12, "r12"}} {
		if err := f.s.Witness(t.Context(), storeUUID, w.size, w.root); err != nil {
			t.Fatal(err)
		}
		want(w.size, w.root)
	}
	if err := f.s.Witness(t.Context(), storeUUID, 11, "r11"); err != nil {
		t.Logf("an older log: %v", err)
	}
	want(12, "r12")
	f.wantRefusal(f.s.Witness(t.Context(), storeUUID, 12, "forged"), retention.RefuseStateMismatch)
	want(12, "r12")
}
