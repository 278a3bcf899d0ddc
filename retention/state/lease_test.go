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

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// TestMain lets tests run this binary again as another process.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STATE_TEST_CHILD"); dir != "" {
		if err := child(dir); err != nil {
			fmt.Println("error:", err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// child takes the lease and does batches until it is killed. It says "ready"
// and then each batch that it has concluded.
func child(dir string) error {
	key, err := audit.LoadOrCreateKey(dir+"/audit.key", "example.org/retention")
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := Open(ctx, Options{DSN: "sqlite:" + dir + "/state.db", Key: key, Clock: time.Now})
	if err != nil {
		return err
	}
	l, err := s.Lease(ctx, "child")
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
func startChild(t *testing.T, dir string, lines int) (cmd *exec.Cmd, said []string) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "STATE_TEST_CHILD="+dir)
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

func TestKilledProcess(t *testing.T) {
	b, ctx := setup(t), t.Context()
	b.at = time.Now()
	cmd, said := startChild(t, b.dir, 12)
	if _, err := b.Lease(ctx, "parent"); !errors.Is(err, retention.ErrBusy) || !strings.Contains(err.Error(), "child has the lease since") {
		t.Errorf("beside a living owner: %v", err)
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed: an error by construction
	l, err := b.Lease(ctx, "parent")
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

func TestLease(t *testing.T) {
	b, ctx := setup(t), t.Context()
	l, err := b.Lease(ctx, "one")
	must(t, err)
	if l.Attempt != 1 || !l.Until.Equal(b.now().Add(retention.LeaseTime)) {
		t.Errorf("lease: %+v", l)
	}
	other := b.open()
	if _, err := other.Lease(ctx, "two"); !errors.Is(err, retention.ErrBusy) {
		t.Errorf("while it lasts: %v", err)
	}
	b.pass(15 * time.Second)
	must(t, b.Renew(ctx, l))
	b.pass(15 * time.Second)
	if _, err := other.Lease(ctx, "two"); !errors.Is(err, retention.ErrBusy) {
		t.Errorf("after a heartbeat: %v", err)
	}
	b.pass(5 * time.Second)
	l2, err := other.Lease(ctx, "two")
	must(t, err)
	if l2.Attempt != 2 {
		t.Errorf("attempt %d", l2.Attempt)
	}
	for name, err := range map[string]error{
		"renew": b.Renew(ctx, l), "begin": b.BeginRun(ctx, retention.Run{ID: "r", Attempt: l.Attempt}), "intend": b.Intend(ctx, intent("i", l)),
	} {
		if !errors.Is(err, retention.ErrFenced) {
			t.Errorf("%s under the old attempt: %v", name, err)
		}
	}
	must(t, b.Unlease(ctx, l)) // not its own any more: nothing happens
	must(t, other.Renew(ctx, l2))
	must(t, other.Unlease(ctx, l2))
	if err := other.Renew(ctx, l2); !errors.Is(err, retention.ErrFenced) {
		t.Errorf("renew after giving back: %v", err)
	}
	l3, err := b.Lease(ctx, "three")
	if err != nil || l3.Attempt != 3 {
		t.Errorf("after giving back: %+v, %v", l3, err)
	}
	if _, err := b.Lease(ctx, ""); err == nil {
		t.Error("a lease without owner is taken")
	}
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
