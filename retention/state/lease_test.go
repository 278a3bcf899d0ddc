package state

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// TestMain lets tests run this binary again as another process.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STATE_TEST_CHILD"); dir != "" {
		if err := child(dir, os.Getenv("STATE_TEST_DSN")); err != nil {
			fmt.Println("error:", err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// child takes the lease and does batches until it is killed. It says "ready"
// and then each batch that it has concluded.
func child(dir, dsn string) error {
	key, err := audit.LoadOrCreateKey(dir+"/audit.key", "example.org/retention")
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := Open(ctx, Options{DSN: dsn, Key: key, Clock: time.Now})
	if err != nil {
		return err
	}
	l, err := s.Lease(ctx, "child", []string{"rule:shop/carts"})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for i := 0; ; i++ {
		id := fmt.Sprintf("c-%d", i)
		if err := s.Intend(ctx, intent(id, l)); err != nil {
			return err
		}
		if err := s.Conclude(ctx, id, retention.Outcome{Done: 10}, false); err != nil {
			return err
		}
		fmt.Println(id)
		time.Sleep(5 * time.Millisecond) // as a run rests between batches: SQLite's lock knows no queue
	}
}

// startChild starts the child and waits until it has said n lines.
func startChild(t *testing.T, dir, dsn string, lines int) (cmd *exec.Cmd, said []string) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "STATE_TEST_CHILD="+dir, "STATE_TEST_DSN="+dsn)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	for r := bufio.NewScanner(out); len(said) < lines; {
		if !r.Scan() {
			t.Fatalf("the child said only %q", said)
		}
		if strings.HasPrefix(r.Text(), "error:") {
			t.Fatal(r.Text())
		}
		said = append(said, r.Text())
	}
	return cmd, said
}

func TestKilledProcess(t *testing.T) { onEach(t, testKilledProcess) }

func testKilledProcess(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	b.at = time.Now()
	cmd, said := startChild(t, b.dir, b.where(), 12)
	if _, err := b.Lease(ctx, "parent", []string{"rule:shop/carts"}); !errors.Is(err, retention.ErrBusy) || !strings.Contains(err.Error(), "rule shop/carts is taken by a run that is about to begin of child since") {
		t.Errorf("beside a living owner: %v", err)
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed: an error by construction
	l, err := b.Lease(ctx, "parent", []string{"rule:shop/carts"})
	must(t, err) // at once, though its time is not over
	if l.Attempt != 2 {
		t.Errorf("attempt %d after the takeover", l.Attempt)
	}
	// What was said to be concluded is; at most one batch is open; the log is whole.
	outcomes := map[string]int{}
	must(t, b.Entries(ctx, Filter{Kind: audit.BatchOutcome}, func(e audit.Entry) error {
		_, rest, _ := strings.Cut(string(e.Line), `"intent":"`)
		id, _, _ := strings.Cut(rest, `"`)
		outcomes[id]++
		return nil
	}))
	for _, id := range said[1:] {
		if outcomes[id] != 1 {
			t.Errorf("batch %s has %d outcomes", id, outcomes[id])
		}
	}
	open, err := b.OpenIntents(ctx)
	must(t, err)
	if len(open) > 1 {
		t.Errorf("%d intents are open", len(open))
	}
	for _, i := range open {
		if outcomes[i.ID] != 0 {
			t.Errorf("intent %s is open and has an outcome", i.ID)
		}
		must(t, b.Conclude(ctx, i.ID, retention.Outcome{Spared: retention.Spared{Failed: 10}}, true))
	}
	if r := b.verify(); !r.OK {
		t.Errorf("verify: %+v", r)
	}
}

func TestLease(t *testing.T) { onEach(t, testLease) }

func testLease(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	l, err := b.Lease(ctx, "one", []string{"rule:p/a", "source:crm#0", "rule:p/a"})
	must(t, err)
	want := retention.Lease{Owner: "one", Names: []string{"rule:p/a", "source:crm#0"}, Attempt: 1, Since: b.now(), Until: b.now().Add(retention.LeaseTime), Time: retention.LeaseTime}
	if diff := cmp.Diff(want, l); diff != "" {
		t.Error(diff)
	}
	must(t, b.BeginRun(ctx, retention.Run{ID: "r1", Attempt: l.Attempt, Started: b.now()}))
	other := b.open()
	for _, names := range [][]string{{"rule:p/b", "rule:p/a", "source:crm#0"}, {"rule:p/c", "rule:p/a"}} {
		var busy *retention.BusyError
		if _, err := other.Lease(ctx, "two", names); !errors.Is(err, retention.ErrBusy) || !errors.As(err, &busy) || busy.Name != "rule:p/a" || busy.Owner != "one" || busy.Run != "r1" {
			t.Errorf("a name that is taken: %v", err)
		}
	}
	l2, err := other.Lease(ctx, "two", []string{"rule:p/b", "rule:p/c"}) // nothing was kept of what was refused
	must(t, err)
	if l2.Attempt != 2 {
		t.Errorf("beside the first: attempt %d", l2.Attempt)
	}
	leases, err := b.Leases(ctx)
	if diff := cmp.Diff([]retention.Lease{l, l2}, leases); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	must(t, other.Unlease(ctx, l2))
	must(t, b.Renew(ctx, l))
	l3, err := other.Lease(ctx, "three", []string{"rule:p/b"})
	if err != nil || l3.Attempt != 3 {
		t.Errorf("after giving back: %+v, %v", l3, err)
	}
	for _, names := range [][]string{nil, {""}} {
		if _, err := b.Lease(ctx, "four", names); err == nil {
			t.Errorf("a lease of %q is taken", names)
		}
	}
	if _, err := b.Lease(ctx, "", []string{"x"}); err == nil {
		t.Error("a lease without owner is taken")
	}
}

func TestBusySeat(t *testing.T) { onEach(t, testBusySeat) }

func testBusySeat(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	if _, err := b.Lease(ctx, "one", []string{retention.RuleLease("p", "a"), retention.SeatLease("crm#1", 0)}); err != nil {
		t.Fatal(err)
	}
	var busy *retention.BusyError
	if _, err := b.Lease(ctx, "two", []string{retention.RuleLease("p", "b"), retention.SeatLease("crm#1", 0)}); !errors.As(err, &busy) {
		t.Fatal(err)
	}
	if source, seat, ok := busy.Seat(); source != "crm#1" || seat != 0 || !ok || !strings.Contains(busy.Error(), "seat 1 of source crm#1 is taken") {
		t.Errorf("%v is of %s %d %t", busy, source, seat, ok)
	}
	if _, err := b.Lease(ctx, "two", []string{retention.RuleLease("p", "a"), retention.SeatLease("crm#1", 0)}); !errors.As(err, &busy) {
		t.Fatal(err)
	}
	if _, _, ok := busy.Seat(); ok {
		t.Errorf("%v is a seat", busy)
	}
}

// A lease that ran out is over, whole, whoever asks: its run acts no more.
func TestLeaseRunsOut(t *testing.T) { onEach(t, testLeaseRunsOut) }

func testLeaseRunsOut(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	other := b.open()
	l, err := b.Lease(ctx, "one", []string{"rule:p/a", "rule:p/b"})
	must(t, err)
	must(t, b.Intend(ctx, intent("i1", l)))
	b.pass(15 * time.Second)
	must(t, b.Renew(ctx, l))
	b.pass(15 * time.Second)
	if _, err := other.Lease(ctx, "two", []string{"rule:p/b"}); !errors.Is(err, retention.ErrBusy) {
		t.Errorf("after a heartbeat: %v", err)
	}
	if stray, err := other.StrayIntents(ctx); err != nil || len(stray) != 0 {
		t.Errorf("another run may settle %+v of a run that is at work (%v)", stray, err)
	}
	b.pass(5 * time.Second)
	b.fenced(l, "its time is over, and nobody asked")
	if stray, err := other.StrayIntents(ctx); err != nil || len(stray) != 1 || stray[0].ID != "i1" {
		t.Errorf("stray: %+v, %v", stray, err)
	}
	b.pass(-10 * time.Second) // a clock that goes back gives nothing back
	b.fenced(l, "after its intent was let go")
	l2, err := other.Lease(ctx, "two", []string{"rule:p/b"})
	must(t, err)
	if l2.Attempt != 2 {
		t.Errorf("attempt %d", l2.Attempt)
	}
	b.fenced(l, "one of its names is another's")
	must(t, other.Renew(ctx, l2))
	b.pass(time.Hour)
	l3, err := b.Lease(ctx, "one", []string{"rule:p/a"})
	if err != nil || l3.Attempt != 3 {
		t.Errorf("%+v, %v", l3, err)
	}
	b.fenced(l2, "taken by nobody, but over")
}

// fenced asks everything that an attempt is asked for.
func (b *bench) fenced(l retention.Lease, when string) {
	b.t.Helper()
	ctx := b.t.Context()
	_, admitted := b.Admit(ctx, retention.SourceRecord{Name: "crm", UUID: "u1"}, l.Attempt, retention.Gate{})
	for name, err := range map[string]error{
		"renew": b.Renew(ctx, l), "begin": b.BeginRun(ctx, retention.Run{ID: "r", Attempt: l.Attempt}), "intend": b.Intend(ctx, intent("i", l)), "admit": admitted,
	} {
		if !errors.Is(err, retention.ErrFenced) {
			b.t.Errorf("%s, %s: %v", when, name, err)
		}
	}
}

func TestUnleaseIsOnce(t *testing.T) { onEach(t, testUnleaseIsOnce) }

func testUnleaseIsOnce(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	l := b.begin("r1")
	must(t, b.Unlease(ctx, l))
	b.fenced(l, "given back")
	l2 := b.begin("r2")
	if err := b.Unlease(ctx, l); !errors.Is(err, retention.ErrFenced) {
		t.Errorf("given back twice: %v", err)
	}
	must(t, b.Renew(ctx, l2))
}

// A store of before names had leases goes on with its attempts, and whoever was at
// work under the old lease is fenced.
func TestLeaseOfBefore(t *testing.T) {
	b, ctx := setup(t, onFile), t.Context()
	b.sql("DELETE FROM meta WHERE name = ?", metaAttempt)
	b.sql("INSERT INTO lease (name, owner, process, attempt, since, until) VALUES ('run', 'old', '', 41, 1, 9000000000000000)")
	for _, index := range []string{"lease_attempt", "runs_quiet", "plans_made"} {
		b.sql("DROP INDEX " + index)
	}
	for _, table := range []string{"schedules", "slots", "parked", "notices", "approvals", "segments"} {
		b.sql("DROP TABLE " + table)
	}
	for _, column := range []string{"slot_policy", "slot_set", "slot_at", "slot_zone", "slot_attempt", "quiet"} {
		b.sql("ALTER TABLE runs DROP COLUMN " + column)
	}
	for _, column := range []string{"vault", "segment", "vault_uuid"} {
		b.sql("ALTER TABLE intents DROP COLUMN " + column)
	}
	b.sql("DELETE FROM "+versionTable+" WHERE version_id >= ?", 4)
	s := b.open()
	l, err := s.Lease(ctx, "new", []string{"rule:p/a"})
	if err != nil || l.Attempt != 42 {
		t.Fatalf("%+v, %v", l, err)
	}
	b.fenced(retention.Lease{Attempt: 41}, "after the migration")
}

func TestProcessGone(t *testing.T) {
	self := thisProcess()
	tests := []struct {
		name  string
		owner process
		gone  bool
	}{
		{"itself", self, false},
		{"the pid reused by another start", process{self.space, self.pid, "1"}, true},
		{"no such process", process{self.space, 1 << 30, "1"}, true},
		{"on another host", process{"elsewhere", 1 << 30, "1"}, false},
		{"start unknown", process{self.space, 1 << 30, ""}, false},
	}
	for _, tt := range tests {
		if got := self.gone(tt.owner.String()); got != tt.gone {
			t.Errorf("%s: gone = %v", tt.name, got)
		}
	}
	if self.gone("") || self.gone("garbled") {
		t.Error("an owner that cannot be read is not gone")
	}
}
