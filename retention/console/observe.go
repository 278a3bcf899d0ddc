package console

import (
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/schedule"
)

// Observe counts what the daemon tells. It never blocks.
func (m *Metrics) Observe(e schedule.Event) {
	slot := func(outcome string, n float64) { m.slots.WithLabelValues(e.Slot.Policy, outcome).Add(n) }
	switch e.Kind {
	case schedule.SlotFired:
		slot("fired", 1)
	case schedule.SlotMissed:
		slot("missed_"+string(e.Missed.Why), float64(max(1, e.Missed.Count)))
	case schedule.SlotWaits:
		slot("waits", 1)
	case schedule.RunStarted:
		m.latency.WithLabelValues(e.Slot.Policy).Observe(e.Latency.Seconds())
	case schedule.RunEnded:
		m.ended(e)
	case schedule.PlanParked, schedule.Refused:
		for _, r := range e.Refusals {
			m.refusals.WithLabelValues(r.Policy, r.Rule, string(r.Code)).Inc()
		}
	case schedule.Reloaded:
		m.reloads.WithLabelValues(outcomeOf(e.Err)).Inc()
	default:
		m.surroundings(e)
	}
}

func outcomeOf(err error) string {
	if err != nil {
		return "failed"
	}
	return "ok"
}

// surroundings follows what is so just now.
func (m *Metrics) surroundings(e schedule.Event) {
	switch e.Kind {
	case schedule.StoreDown:
		m.storeUp.Set(0)
	case schedule.StoreUp:
		m.storeUp.Set(1)
	case schedule.Stopped:
		m.stopped.Set(1)
	case schedule.Resumed:
		m.stopped.Set(0)
	case schedule.BadSchedule:
		m.failedSets.WithLabelValues(e.Slot.Policy).Set(1)
	case schedule.Backlog:
		m.openSlots.Set(float64(e.Open))
		m.mu.Lock()
		m.oldest = e.Oldest
		m.mu.Unlock()
	}
}

// ended counts a run's report, which is valid even beside an error.
func (m *Metrics) ended(e schedule.Event) {
	verdict := "error"
	if e.Report != nil {
		if e.Err == nil && e.Report.Verdict != "" {
			verdict = string(e.Report.Verdict)
		}
		for i := range e.Report.Steps {
			m.step(&e.Report.Steps[i])
		}
		if e.Err == nil && !e.Slot.At.IsZero() && e.Report.SlotOver() {
			m.slots.WithLabelValues(e.Slot.Policy, "done").Inc()
		}
	}
	m.runs.WithLabelValues(e.Slot.Policy, verdict).Inc()
}

func (m *Metrics) step(s *retention.StepReport) {
	m.done.WithLabelValues(s.Policy, s.Rule, s.Source, string(s.Action)).Add(float64(s.Done))
	for reason, n := range map[string]int64{
		"held": s.Spared.Held, "protected": s.Spared.Protected, "blocked": s.Spared.Blocked,
		"changed": s.Spared.Changed, "gone": s.Spared.Gone, "failed": s.Spared.Failed, "not_reached": s.Spared.NotReached,
	} {
		m.spared.WithLabelValues(s.Policy, s.Rule, s.Source, reason).Add(float64(n))
	}
}
