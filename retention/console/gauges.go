package console

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/retentiond/retentiond/retention"
)

// known shows the facts of the last look as gauges; before the first there are none.
type known struct {
	look *Looker
	m    *Metrics
	desc map[string]*prometheus.Desc
}

// Known adds the gauges of what a Looker knows.
func (m *Metrics) Known(l *Looker) {
	k := &known{look: l, m: m, desc: map[string]*prometheus.Desc{}}
	for _, d := range knownGauges() {
		k.desc[d.name] = prometheus.NewDesc(prometheus.BuildFQName(space, "", d.name), d.help, d.labels, nil)
	}
	m.registry.MustRegister(k)
}

type gauge struct {
	name, help string
	labels     []string
}

func knownGauges() []gauge {
	rule := []string{"policy", "rule", "source"}
	return []gauge{
		{"overdue_rows", "Rows that were due at the last exact count and have not been done since.", rule},
		{"overdue_oldest_seconds", "For how long the oldest of them has been due, at most; 0: there is none.", rule},
		{"rows", "Rows by class at the last exact count.", append(rule[:3:3], "class")},
		{"count_age_seconds", "How old the last exact count is: it is made when a run plans.", rule},
		{"rule_last_success_timestamp_seconds", "When a run last did everything that the rule had to do.", rule[:2]},
		{"last_success_timestamp_seconds", "When a slot of the schedule last went well for all its rules.", []string{"policy", "schedule"}},
		{"audit_entries", "Entries of the audit log, all years together.", nil},
		{"audit_signable", "1 while the audit log could be signed; at 0 nothing acts.", nil},
		{"open_intents", "Batches without an outcome: at work, or left by a crash until they are settled.", nil},
		{"holds", "Holds by state.", []string{"state"}},
		{"holds_review_due", "Holds in force whose review date has come.", nil},
		{"plans_waiting", "Plans that wait for a person's approval.", nil},
		{"source_up", "1: the source answered when it was last asked, and may be acted on.", []string{"source"}},
		{"source_refused", "1: why a source may not be acted on.", []string{"source", "code"}},
		{"policies", "Policy files: loaded, or failed (their rules stand still).", []string{"state"}},
		{"look_age_seconds", "How old what these gauges say of the state store is.", nil},
	}
}

// Describe lists the gauges.
func (k *known) Describe(out chan<- *prometheus.Desc) {
	for _, d := range k.desc {
		out <- d
	}
}

// Collect shows them.
func (k *known) Collect(out chan<- prometheus.Metric) {
	f := k.look.Facts()
	if f == nil {
		return
	}
	put := func(name string, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(k.desc[name], prometheus.GaugeValue, v, labels...)
	}
	for _, s := range f.Sources {
		put("source_up", flag(s.Code == ""), s.Name)
		if s.Code != "" {
			put("source_refused", 1, s.Name, s.Code)
		}
	}
	put("policies", float64(f.Policies.Loaded), "loaded")
	put("policies", float64(f.Policies.Failed), "failed")
	if f.Known == nil {
		return // the store never answered
	}
	put("look_age_seconds", max(0, k.m.now().Sub(f.At).Seconds()))
	put("audit_entries", float64(f.LogSize))
	put("audit_signable", flag(f.Log == nil))
	put("open_intents", float64(f.Intents))
	put("plans_waiting", float64(len(f.Waiting)))
	put("holds_review_due", float64(len(f.Reviews)))
	for _, s := range []retention.HoldState{retention.HoldPlacing, retention.HoldInForce, retention.HoldReleased} {
		put("holds", float64(f.Holds[s]), string(s))
	}
	k.rules(f.Known, put)
}

func (k *known) rules(n *Known, put func(string, float64, ...string)) {
	now := k.m.now()
	for on, b := range n.Rules {
		labels := []string{on.Policy, on.Rule, on.Source}
		age := max(0, now.Sub(b.At).Seconds())
		put("overdue_rows", float64(b.Left()), labels...)
		put("count_age_seconds", age, labels...)
		oldest := 0.0
		if b.Left() > 0 {
			oldest = b.Oldest.Seconds() + age
		}
		put("overdue_oldest_seconds", oldest, labels...)
		for _, c := range retention.ClassOrder() {
			put("rows", float64(*b.Classes.Of(c)), append(labels[:3:3], string(c))...)
		}
	}
	for name, at := range n.Succeeded {
		policy, rule, _ := strings.Cut(name, "/")
		put("rule_last_success_timestamp_seconds", float64(at.Unix()), policy, rule)
	}
	for set, at := range n.Sets {
		put("last_success_timestamp_seconds", float64(at.Unix()), set.Policy, set.Set)
	}
}

func flag(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
