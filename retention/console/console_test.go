package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/schedule"
)

// books is what a state store tells, from memory.
type books struct {
	at    time.Time
	err   error
	log   error
	runs  []retention.Run
	plans map[string]retention.SavedPlan
	holds []retention.Hold
	asked int // plans that were read
}

func (b *books) Now(context.Context) (time.Time, error) { return b.at, b.err }
func (b *books) ListRuns(context.Context, string, int) ([]retention.Run, error) {
	return slices.Clone(b.runs), b.err
}
func (b *books) Plan(_ context.Context, id string) (retention.SavedPlan, error) {
	b.asked++
	p, ok := b.plans[id]
	if !ok {
		return p, retention.ErrNotFound
	}
	return p, b.err
}
func (b *books) OpenIntents(context.Context) ([]retention.Intent, error) {
	return make([]retention.Intent, 2), b.err
}
func (b *books) ListHolds(context.Context, string, string) ([]retention.Hold, error) {
	return b.holds, b.err
}
func (b *books) LogState(context.Context) (int64, error) { return 42, b.log }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ran is a run at hour h that found due rows, the oldest 10 days over its time, and did some.
func (b *books) ran(id string, h int, due, done int64, refusals ...retention.Refusal) {
	at := noon.Add(time.Duration(h) * time.Hour)
	cutoff := at.AddDate(-1, 0, 0)
	oldest := cutoff.AddDate(0, 0, -10)
	b.plans[id] = retention.SavedPlan{State: retention.PlanMade, Plan: retention.Plan{ID: id, AsOf: at, MadeAt: at, Steps: []retention.Step{{
		Policy: "shop", Rule: "logs", Stage: 1, Source: "crm", Cutoff: cutoff, OldestDue: &oldest,
		Classes: retention.Classes{Due: due, Active: 7, Held: 3, Unresolved: 1, Total: due + 11}}}}}
	slot := &retention.SlotRun{SlotID: retention.SlotID{Policy: "shop", Set: "0 * * * *", At: at, Zone: "UTC"}}
	r := &retention.RunReport{Run: "r" + id, Plan: id, Ended: at, Verdict: retention.VerdictOK, Refusals: refusals}
	if len(refusals) > 0 {
		r.Verdict = retention.VerdictRefused
	} else {
		r.Steps = []retention.StepReport{{Policy: "shop", Rule: "logs", Stage: 1, Source: "crm", Action: retention.Delete, Planned: due, Done: done,
			Spared: retention.Spared{Held: due - done}, Batches: 1}}
	}
	b.runs = append([]retention.Run{{ID: r.Run, Plan: id, Ended: at, Report: r, Slot: slot}}, b.runs...)
}

func look(b *books, sources ...SourceState) (*Metrics, *Looker) {
	now := func() time.Time { return noon.Add(4 * time.Hour) }
	m := NewMetrics(Build{"v1", "abc", "go1.26"}, now)
	l := &Looker{Store: b, Now: now, Every: time.Hour, Sources: func(context.Context) []SourceState { return sources },
		Policies: func() PolicyState { return PolicyState{Loaded: 2, Failed: 1} }}
	m.Known(l)
	return m, l
}

// ask gets a path over real HTTP.
func ask(t *testing.T, s *Server, method, path string) (int, string) {
	t.Helper()
	h := httptest.NewServer(s.Handler())
	defer h.Close()
	req, err := http.NewRequestWithContext(t.Context(), method, h.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// value is a metric's value as /metrics shows it; empty: it is not there.
func value(metrics, series string) string {
	for _, line := range strings.Split(metrics, "\n") {
		if v, ok := strings.CutPrefix(line, "retentiond_"+series+" "); ok {
			return v
		}
	}
	return ""
}

func wantValues(t *testing.T, metrics string, want map[string]string) {
	t.Helper()
	for series, v := range want {
		if got := value(metrics, series); got != v {
			t.Errorf("%s is %q, want %q", series, got, v)
		}
	}
}

func TestMetricsOfWhatIsKnown(t *testing.T) {
	b := &books{at: noon.Add(4 * time.Hour), plans: map[string]retention.SavedPlan{}, holds: []retention.Hold{
		{ID: "h1", State: retention.HoldInForce, Review: "2026-02-28"}, {ID: "h2", State: retention.HoldInForce, Review: "2027-01-01"}, {ID: "h3", State: retention.HoldReleased, Review: "2020-01-01"}}}
	b.ran("p1", 0, 100, 100)
	b.ran("p2", 2, 50, 20)
	m, l := look(b, SourceState{Name: "crm"}, SourceState{Name: "billing", Code: "source_down"})
	l.Look(t.Context())
	_, text := ask(t, &Server{Metrics: m, Look: l, Log: zap.NewNop()}, http.MethodGet, "/metrics")
	rule := `{policy="shop",rule="logs",source="crm"}`
	wantValues(t, text, map[string]string{
		"overdue_rows" + rule: "30", "count_age_seconds" + rule: "7200", "overdue_oldest_seconds" + rule: "871200",
		`rows{class="held",policy="shop",rule="logs",source="crm"}`:          "3",
		`rows{class="unresolved",policy="shop",rule="logs",source="crm"}`:    "1",
		`rule_last_success_timestamp_seconds{policy="shop",rule="logs"}`:     "1.7723736e+09",
		`last_success_timestamp_seconds{policy="shop",schedule="0 * * * *"}`: "1.7723736e+09",
		"audit_entries": "42", "audit_signable": "1", "open_intents": "2", "holds_review_due": "1", `holds{state="in_force"}`: "2",
		`source_up{source="crm"}`: "1", `source_up{source="billing"}`: "0", `source_refused{code="source_down",source="billing"}`: "1",
		`policies{state="failed"}`: "1", "look_age_seconds": "0", `build_info{go="go1.26",revision="abc",version="v1"}`: "1",
	})
	before := b.asked
	l.Look(t.Context())
	if b.asked != before {
		t.Error("runs that are known already were read again")
	}
}

// A run that was refused leaves its rows overdue, and no success.
func TestRefusedRowsStayOverdue(t *testing.T) {
	b := &books{at: noon, plans: map[string]retention.SavedPlan{}}
	b.ran("p1", 0, 10, 10)
	b.ran("p2", 1, 20, 0, retention.Refusal{Policy: "shop", Rule: "logs", Code: retention.RefuseLimitRows})
	b.ran("p3", 2, 30, 0, retention.Refusal{Policy: "shop", Code: retention.RefuseSourceDown})
	_, l := look(b)
	l.Look(t.Context())
	k := l.Facts().Known
	on := RuleOn{"shop", "logs", "crm"}
	if got := k.Rules[on].Left(); got != 30 {
		t.Errorf("%d left, want 30", got)
	}
	if diff := cmp.Diff([]int64{20, 0}, k.Before[on]); diff != "" {
		t.Error(diff)
	}
	if at := k.Succeeded["shop/logs"]; !at.Equal(noon) {
		t.Errorf("last success %s", at)
	}
}

func TestPlansThatWait(t *testing.T) {
	b := &books{at: noon, plans: map[string]retention.SavedPlan{}}
	for i, id := range []string{"waits", "decided", "gone", "old"} {
		b.ran(id, i, 1, 0)
		b.runs[0].Report.Parked = id
	}
	decided, old := b.plans["decided"], b.plans["old"]
	decided.State = retention.PlanApproved
	old.Plan.MadeAt = noon.AddDate(0, 0, -8)
	b.plans["decided"], b.plans["old"] = decided, old
	delete(b.plans, "gone")
	_, l := look(b)
	l.Look(t.Context())
	if diff := cmp.Diff([]string{"waits"}, l.Facts().Waiting); diff != "" {
		t.Error(diff)
	}
}

func TestCountersFollowEvents(t *testing.T) {
	m, l := look(&books{})
	slot := retention.SlotID{Policy: "shop", Set: "0 * * * *", At: noon, Zone: "UTC"}
	report := &retention.RunReport{Verdict: retention.VerdictPartial, Steps: []retention.StepReport{{Policy: "shop", Rule: "logs", Source: "crm", Action: retention.Delete,
		Planned: 10, Done: 7, Spared: retention.Spared{Held: 2, Gone: 1}}}}
	for _, e := range []schedule.Event{
		{Kind: schedule.SlotFired, Slot: slot}, {Kind: schedule.RunStarted, Slot: slot, Latency: 3 * time.Second},
		{Kind: schedule.RunEnded, Slot: slot, Report: report}, {Kind: schedule.RunEnded, Slot: slot, Report: &retention.RunReport{}, Err: errors.New("x")},
		{Kind: schedule.Refused, Slot: slot, Refusals: []retention.Refusal{{Policy: "shop", Rule: "logs", Code: retention.RefuseLimitRows, Message: "secret"}}},
		{Kind: schedule.SlotMissed, Slot: slot, Missed: retention.MissedSlots{Count: 4, Why: retention.MissedDown}},
		{Kind: schedule.StoreDown, Err: errors.New("x")}, {Kind: schedule.Stopped}, {Kind: schedule.Backlog, Open: 3, Oldest: noon},
	} {
		m.Observe(e)
	}
	m.Batch("shop", "logs", "crm", 30*time.Millisecond, time.Millisecond)
	m.Batch("shop", "logs", "crm", 30*time.Millisecond, -1)
	m.Waited("shop", "logs", "crm", "lag", 90*time.Second)
	_, text := ask(t, &Server{Metrics: m, Look: l, Log: zap.NewNop()}, http.MethodGet, "/metrics")
	wantValues(t, text, map[string]string{
		`slots_total{outcome="fired",policy="shop"}`: "1", `slots_total{outcome="done",policy="shop"}`: "1", `slots_total{outcome="missed_down",policy="shop"}`: "4",
		`runs_total{policy="shop",verdict="partial"}`: "1", `runs_total{policy="shop",verdict="error"}`: "1",
		`rows_done_total{action="delete",policy="shop",rule="logs",source="crm"}`:          "7",
		`rows_spared_total{policy="shop",reason="held",rule="logs",source="crm"}`:          "2",
		`refusals_total{code="limit_rows",policy="shop",rule="logs"}`:                      "1",
		`slot_latency_seconds_sum{policy="shop"}`:                                          "3",
		`batch_seconds_count{policy="shop",rule="logs",source="crm"}`:                      "2",
		`gate_wait_seconds_count{source="crm"}`:                                            "1",
		`throttle_wait_seconds_total{policy="shop",reason="lag",rule="logs",source="crm"}`: "90",
		"state_up": "0", "kill_switch": "1", "open_slots": "3", "open_slots_oldest_seconds": "14400",
	})
	if strings.Contains(text, "secret") {
		t.Error("a refusal's message is in the metrics")
	}
}

func TestReadiness(t *testing.T) {
	plans := map[string]retention.SavedPlan{}
	down := errors.New("dial tcp 10.0.0.1: secret")
	for name, c := range map[string]struct {
		b     books
		dead  bool // the loop does not turn
		ready bool
		want  string
	}{
		"all well":             {books{at: noon, plans: plans}, false, true, `"state":"ok"`},
		"the store is down":    {books{err: down}, false, false, `"state":"down"`},
		"the log is cut":       {books{at: noon, plans: plans, log: down}, false, false, `"audit":"unsigned"`},
		"the loop is stuck":    {books{at: noon, plans: plans}, true, false, "does not turn"},
		"a source is down too": {books{at: noon, plans: plans}, false, true, `{"source":"billing","state":"source_down"}`},
	} {
		m, l := look(&c.b, SourceState{Name: "crm"}, SourceState{Name: "billing", Code: "source_down"})
		s := &Server{Metrics: m, Look: l, Log: zap.NewNop(), Alive: func() bool { return !c.dead }}
		if code, _ := ask(t, s, http.MethodGet, "/readyz"); code != http.StatusServiceUnavailable {
			t.Errorf("%s: ready before anything was looked at", name)
		}
		l.Look(t.Context())
		code, body := ask(t, s, http.MethodGet, "/readyz")
		if (code == http.StatusOK) != c.ready || !strings.Contains(body, c.want) || strings.Contains(body, "secret") {
			t.Errorf("%s: %d %s", name, code, body)
		}
		var h Health
		if err := json.Unmarshal([]byte(body), &h); err != nil || h.Ready != c.ready {
			t.Errorf("%s: %v %s", name, err, body)
		}
		if code, _ := ask(t, s, http.MethodGet, "/healthz"); (code == http.StatusOK) == c.dead {
			t.Errorf("%s: alive %d", name, code)
		}
	}
}

// Only what is meant to be asked is answered.
func TestNothingElseIsAnswered(t *testing.T) {
	m, l := look(&books{})
	s := &Server{Metrics: m, Look: l, Log: zap.NewNop()}
	for _, c := range []struct {
		method, path string
		want         int
	}{{"POST", "/healthz", 405}, {"DELETE", "/metrics", 405}, {"GET", "/", 404}, {"GET", "/debug/pprof/", 404}, {"HEAD", "/healthz", 200}} {
		if code, _ := ask(t, s, c.method, c.path); code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, code, c.want)
		}
	}
}

// A port that is taken is tried again; work does not wait for it, and a stop ends all.
func TestPortThatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m, l := look(&books{})
	bound := make(chan string, 1)
	tells, told := observer.New(zap.ErrorLevel)
	l.Now = time.Now
	s := &Server{Listen: taken.Addr().String(), Metrics: m, Look: l, Log: zap.New(tells), Again: 10 * time.Millisecond, Bound: func(at string) { bound <- at }}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { s.Serve(ctx); close(ended) }()
	select {
	case <-bound:
		t.Fatal("it listens where another does")
	case <-time.After(300 * time.Millisecond):
	}
	if n := told.Len(); n < 1 || n > 3 { // at 0, 40 and 200 ms, of 30 tries
		t.Errorf("it was said %d times", n)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	at := <-bound
	answer, err := http.Get("http://" + at + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	// A client that sends headers without end is cut off.
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 4*headerBytes) + "\r\n\r\n"))
	reply, _ := io.ReadAll(c)
	if !strings.Contains(string(reply), "431") {
		t.Errorf("endless headers: %q", reply)
	}
	stop()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
}
