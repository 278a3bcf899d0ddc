package schedule

import (
	"context"
	"errors"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/retentiond/retentiond/retention"
)

// messageOf is what the log says of an event.
func messageOf(k Kind) string {
	switch k {
	case SlotFired:
		return "a slot is due"
	case SlotMissed:
		return "slots were missed"
	case RunStarted:
		return "a slot's run begins"
	case RunEnded:
		return "a run ended"
	case SlotWaits:
		return "a slot waits"
	case PlanParked:
		return "a plan waits for approval: retentiond approve PLAN --by NAME --reason TEXT"
	case Refused:
		return "a run was refused"
	case StoreDown:
		return "the state store does not answer: nothing acts until it does"
	case StoreUp:
		return "the state store answers again"
	case Stopped:
		return "everything is stopped by the kill switch; retentiond resume ends that"
	case Resumed:
		return "the kill switch is off: slots are run again"
	case BadSchedule:
		return "a schedule cannot be read: its rules stand still"
	case Reloaded:
		return "policies were read again"
	case Draining:
		return "stopping: no slot is begun, batches at work end"
	case Drained:
		return "stopped: nothing is at work"
	}
	return string(k)
}

func levelOf(e Event) zapcore.Level {
	switch e.Kind {
	case StoreDown, BadSchedule:
		return zap.ErrorLevel
	case SlotMissed, PlanParked, Refused, Stopped:
		return zap.WarnLevel
	case SlotFired, Backlog, RunWaits:
		return zap.DebugLevel
	}
	if e.Err != nil && !busyError(e.Err) && !errors.Is(e.Err, context.Canceled) {
		return zap.ErrorLevel
	}
	return zap.InfoLevel
}

// summary is the sums of a report.
func summary(e Event) []zap.Field {
	var planned, done int64
	var spared retention.Spared
	for _, s := range e.Report.Steps {
		planned, done = planned+s.Planned, done+s.Done
		spared.Add(s.Spared)
	}
	return []zap.Field{zap.String("verdict", string(e.Report.Verdict)), zap.Int64("planned", planned), zap.Int64("done", done),
		zap.Int64("spared", spared.Sum()), zap.Int("refusals", len(e.Report.Refusals)), zap.Duration("took", e.Report.Ended.Sub(e.Report.Started))}
}
