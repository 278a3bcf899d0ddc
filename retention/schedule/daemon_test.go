package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/state"
)

// world is a state store on a real file under a clock of the test's, with rule sets
// and a runner whose runs end as the test says.
type world struct {
	t     interface{ Fatal(...any) }
	store *state.Store
	sets  []RuleSet

	mu     sync.Mutex
	now    time.Time
	ends   func() (retention.RunReport, error) // nil: well
	ran    map[retention.SlotID]int            // runs of a slot that ended well
	runs   int
	atWork map[retention.RuleSetID]int
	opens  time.Time
	plans  []string
	told   []Event
}

func newWorld(t interface{ Fatal(...any) }, dir string, start time.Time, policies ...*retention.Policy) *world {
	w := &world{t: t, now: start, ran: map[retention.SlotID]int{}, atWork: map[retention.RuleSetID]int{}}
	key, err := audit.LoadOrCreateKey(filepath.Join(dir, "audit.key"), "example.org/retention")
	if err == nil {
		w.store, err = state.Open(context.Background(), state.Options{DSN: "sqlite:" + filepath.Join(dir, "state.db"), Key: key, Clock: w.clock})
	}
	if err != nil {
		t.Fatal(err)
	}
	var bad map[retention.RuleSetID]error
	if w.sets, bad = RuleSets(policies); len(bad) > 0 {
		t.Fatal(bad)
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// daemon is one of any number on the store; turns are made by hand.
func (w *world) daemon(c CatchUp) *Daemon {
	d := &Daemon{Store: w.store, Runner: w, CatchUp: c, Owner: "test", Log: zap.NewNop(), Workers: 2, Observe: func(e Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, e)
	}}
	d.prepare()
	return d
}

// turn makes turns until there is nothing to do.
func (w *world) turn(daemons ...*Daemon) {
	for range 3 {
		for _, d := range daemons {
			if _, err := d.turn(context.Background()); err != nil {
				w.t.Fatal(err)
			}
		}
		for _, d := range daemons {
			d.work.Wait()
		}
	}
}

// Sets are the world's.
func (w *world) Sets() ([]RuleSet, []retention.RuleSetID) { return w.sets, nil }

// Opens is when the test says.
func (w *world) Opens(RuleSet, time.Time) time.Time { return w.opens }

// Settle has nothing to settle.
func (w *world) Settle(context.Context) error { return nil }

// RunPlan notes the plan, and does not come to its end.
func (w *world) RunPlan(_ context.Context, plan string) (retention.RunReport, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plans = append(w.plans, plan)
	return retention.RunReport{Run: "p", Verdict: retention.VerdictPartial, Ended: w.now, Refusals: []retention.Refusal{{Code: retention.RefuseGate}}}, nil
}

// Run ends as the test says.
func (w *world) Run(_ context.Context, j Job) (retention.RunReport, error) {
	w.mu.Lock()
	w.runs++
	w.atWork[j.Slot.RuleSet()]++
	two := w.atWork[j.Slot.RuleSet()] > 1
	w.mu.Unlock()
	if two {
		w.t.Fatal("two slots of a rule set at work at once")
	}
	time.Sleep(time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.atWork[j.Slot.RuleSet()]--
	report, err := retention.RunReport{Verdict: retention.VerdictOK}, error(nil)
	if w.ends != nil {
		report, err = w.ends()
	}
	report.Run, report.Ended = fmt.Sprint("r", w.runs), w.now
	if err == nil && report.SlotOver() {
		w.ran[retention.SlotID{Policy: j.Slot.Policy, Set: j.Slot.Set, At: j.Slot.At}]++
	}
	return report, err
}

// missed counts the slots of a rule set that the audit log says were missed.
func (w *world) missed(id retention.RuleSetID) (n, tried int64) {
	err := w.store.Entries(context.Background(), state.Filter{}, func(line audit.Entry) error {
		var e struct {
			Kind, Policy string
			Set          string `json:"rule_set"`
			Count        int64
			Reason       retention.MissedWhy
		}
		err := json.Unmarshal(line.Line, &e)
		if e.Kind == "slot.missed" && e.Policy == id.Policy && e.Set == id.Set {
			if n += e.Count; e.Reason == retention.MissedAttempts {
				tried += e.Count
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n, tried
}

func policyAt(name, schedule string, loc *time.Location) *retention.Policy {
	return &retention.Policy{Name: name, Zone: loc, Schedule: schedule, Rules: []retention.Rule{{ID: "a", Stages: make([]retention.Stage, 1)}}}
}

// Whatever happens (daemons that are down, die at work, runs that are stopped or
// fail, clocks that change), every slot is run well exactly once, or is in the log
// as missed: none is forgotten, and none is both.
func TestEverySlotOnce(t *testing.T) {
	dirs := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		dir := filepath.Join(dirs, fmt.Sprint(n))
		mustMake(t, dir)
		paris := zone(t, "Europe/Paris")
		start := rapid.SampledFrom([]time.Time{ // before the gap, before the fold, in winter
			time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC), time.Date(2026, 1, 9, 0, 0, 30, 0, time.UTC),
		}).Draw(t, "start")
		schedules := []string{"30 2 * * *", "*/20 * * * *", "0 * * * *"}
		w := newWorld(t, dir, start, policyAt("a", schedules[0], paris), policyAt("b", schedules[1], paris), policyAt("c", rapid.SampledFrom(schedules).Draw(t, "third"), paris))
		defer func() { _ = w.store.Close() }() // the file goes with the test
		mode := rapid.SampledFrom([]CatchUp{CatchUpSkip, CatchUpOne, CatchUpAll}).Draw(t, "catch-up")
		one, two := w.daemon(mode), w.daemon(mode)
		w.turn(one)
		for range rapid.IntRange(5, 25).Draw(t, "steps") {
			w.pass(time.Duration(rapid.IntRange(1, 200).Draw(t, "minutes")) * time.Minute)
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0: // down
			case 1: // a process claims and dies
				_, _, _, err := w.store.ClaimSlot(context.Background(), "dead", func(retention.RuleSetID) bool { return true })
				if err != nil {
					t.Fatal(err)
				}
			case 2:
				w.ends = func() (retention.RunReport, error) { return retention.RunReport{Interrupted: true}, nil }
				w.turn(one, two)
			case 3:
				w.ends = func() (retention.RunReport, error) { return retention.RunReport{}, errors.New("it failed") }
				w.turn(one, two)
			default:
				w.turn(one, two)
			}
			w.ends = nil
		}
		open := []retention.Slot{{}}
		for try := 0; len(open) > 0; try++ { // until nothing is left to try
			w.pass(time.Minute)
			w.turn(one, two)
			var err error
			if open, err = w.store.OpenSlots(context.Background()); err != nil || try > 200 {
				t.Fatalf("open at the end: %v %v", open, err)
			}
		}
		for _, s := range w.sets {
			var all, done int64
			for at := range s.Schedule.Slots(start, w.now) {
				all++
				switch w.ran[retention.SlotID{Policy: s.Policy, Set: s.Set, At: at}] {
				case 0:
				case 1:
					done++
				default:
					t.Fatalf("the slot %s of %s was run more than once", at, s.Policy)
				}
			}
			missed, tried := w.missed(s.RuleSetID) // as often as a slot is: whoever claimed it died, or its runs failed
			if done+missed != all || mode == CatchUpAll && missed > tried && all < most {
				t.Fatalf("%s %s: of %d slots %d were run and %d missed", s.Policy, s.Set, all, done, missed)
			}
		}
	})
}

func mustMake(t interface{ Fatal(...any) }, dir string) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}
