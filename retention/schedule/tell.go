package schedule

import (
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"
)

// Pauses is how long the daemon waits before it asks a store again that does not
// answer: from half a second to half a minute.
func Pauses() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.MaxInterval = 30 * time.Second
	b.Reset()
	return b
}

// change tells of a change only: that something is so, or is so no longer.
func (d *Daemon) change(what string, is bool, e Event) {
	if d.said[what] != is {
		d.said[what] = is
		d.tell(e)
	}
}

// tell logs an event and hands it to the observer.
func (d *Daemon) tell(e Event) {
	fields := []zap.Field{}
	add := func(ok bool, f zap.Field) {
		if ok {
			fields = append(fields, f)
		}
	}
	add(e.Slot.Policy != "", zap.String("policy", e.Slot.Policy))
	add(e.Slot.Set != "", zap.String("schedule", e.Slot.Set))
	add(!e.Slot.At.IsZero(), zap.String("slot", e.Slot.Time()))
	add(e.Try > 1, zap.Int("try", e.Try))
	add(e.Kind == RunStarted, zap.Duration("latency", e.Latency))
	add(e.Run != "", zap.String("run", e.Run))
	add(e.Plan != "", zap.String("plan", e.Plan))
	add(e.Missed.Count > 0, zap.Int64("missed", e.Missed.Count))
	add(e.Missed.Count > 0, zap.String("because", string(e.Missed.Why)))
	add(e.Text != "", zap.String("why", e.Text))
	add(!e.Until.IsZero(), zap.Time("until", e.Until))
	if e.Report != nil {
		fields = append(fields, summary(e)...)
	}
	for _, r := range e.Refusals {
		fields = append(fields, zap.String(r.Rule+" "+string(r.Code), r.Message))
	}
	add(e.Err != nil, zap.Error(e.Err))
	if ce := d.Log.Check(levelOf(e), messageOf(e.Kind)); ce != nil {
		ce.Write(fields...)
	}
	if d.Observe != nil {
		d.Observe(e)
	}
}
