package console

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Build says which binary this is.
type Build struct{ Version, Revision, Go string }

// Metrics are everything that /metrics shows, in a registry of their own.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time

	slots      *prometheus.CounterVec
	latency    *prometheus.HistogramVec
	runs       *prometheus.CounterVec
	done       *prometheus.CounterVec
	spared     *prometheus.CounterVec
	refusals   *prometheus.CounterVec
	waited     *prometheus.CounterVec
	batches    *prometheus.HistogramVec
	gate       *prometheus.HistogramVec
	notices    *prometheus.CounterVec
	reloads    *prometheus.CounterVec
	storeUp    prometheus.Gauge
	stopped    prometheus.Gauge
	openSlots  prometheus.Gauge
	failedSets *prometheus.GaugeVec

	mu     sync.Mutex
	oldest time.Time // when the oldest open slot was due; zero: none
}

// NewMetrics makes them; now is the clock that ages are told by.
func NewMetrics(b Build, now func() time.Time) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), now: now}
	m.work()
	m.state()
	info := m.gauges("build_info", "This binary: always 1.", "version", "revision", "go")
	info.WithLabelValues(b.Version, b.Revision, b.Go).Set(1)
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: space, Name: "open_slots_oldest_seconds",
			Help: "For how long the oldest slot that is not over has been due; 0: there is none."}, m.oldestSlot),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// space starts the name of every metric of ours.
const space = "retentiond"

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: space, Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: space, Name: name, Help: help}, labels)
	m.registry.MustRegister(g)
	return g
}

func (m *Metrics) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: space, Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

// work is what this process did.
func (m *Metrics) work() {
	m.slots = m.counters("slots_total", "Slots by what became of them: fired, done, waits, missed_WHY.", "policy", "outcome")
	m.latency = m.histograms("slot_latency_seconds", "From when a slot was due to its claim.",
		[]float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 21600}, "policy")
	m.runs = m.counters("runs_total", "Runs by verdict; error: it did not begin or was cut off.", "policy", "verdict")
	m.done = m.counters("rows_done_total", "Rows that were deleted, redacted, anonymised or archived.", "policy", "rule", "source", "action")
	m.spared = m.counters("rows_spared_total", "Planned rows that were left, by reason.", "policy", "rule", "source", "reason")
	m.refusals = m.counters("refusals_total", "Refusals by code, told once per run; an empty rule is a whole policy or run.", "policy", "rule", "code")
	m.waited = m.counters("throttle_wait_seconds_total", "Time that batches waited so that others work undisturbed, by reason.", "policy", "rule", "source", "reason")
	m.batches = m.histograms("batch_seconds", "Time of a batch's transaction in its source.",
		[]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}, "policy", "rule", "source")
	m.gate = m.histograms("gate_wait_seconds", "From a batch's begin to the hold gate that lets it in.",
		[]float64{.0005, .001, .0025, .005, .01, .05, .25, 1, 5}, "source")
	m.notices = m.counters("notifications_total", "Notifications by channel and outcome: sent, failed, dropped.", "channel", "outcome")
	m.reloads = m.counters("policy_reloads_total", "Times that policies were read again: ok, failed.", "outcome")
}

// state is how this process sees its surroundings just now.
func (m *Metrics) state() {
	one := func(name, help string) prometheus.Gauge { return m.gauges(name, help).WithLabelValues() }
	m.storeUp = one("state_up", "1 while the state store answers; at 0 nothing acts.")
	m.storeUp.Set(1)
	m.stopped = one("kill_switch", "1 while everything is stopped (stop-all).")
	m.openSlots = one("open_slots", "Slots that are not over: due, at work or paused.")
	m.failedSets = m.gauges("bad_schedules", "1: the policy's rules of this schedule stand still, since it cannot be read.", "policy")
}

func (m *Metrics) oldestSlot() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.oldest.IsZero() {
		return 0
	}
	return max(0, m.now().Sub(m.oldest).Seconds())
}

// Notified counts a notification of a channel: sent, failed or dropped.
func (m *Metrics) Notified(channel, outcome string) {
	m.notices.WithLabelValues(channel, outcome).Inc()
}

// Batch is told what a batch took in its source, and how long it waited at the hold
// gate (negative: it did not get there).
func (m *Metrics) Batch(policy, rule, source string, took, gate time.Duration) {
	m.batches.WithLabelValues(policy, rule, source).Observe(took.Seconds())
	if gate >= 0 {
		m.gate.WithLabelValues(source).Observe(gate.Seconds())
	}
}

// Waited is told that batches waited, and why: a word.
func (m *Metrics) Waited(policy, rule, source, reason string, d time.Duration) {
	m.waited.WithLabelValues(policy, rule, source, reason).Add(d.Seconds())
}

// Names lists every metric of ours, those without a value yet too.
func (m *Metrics) Names() []string {
	var out []string
	descriptions := make(chan *prometheus.Desc)
	go func() {
		m.registry.Describe(descriptions)
		close(descriptions)
	}()
	for d := range descriptions {
		// A description tells its name only in its text: Desc{fqName: "NAME", …
		if _, rest, ok := strings.Cut(d.String(), `fqName: "`+space+`_`); ok {
			name, _, _ := strings.Cut(rest, `"`)
			out = append(out, space+"_"+name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
