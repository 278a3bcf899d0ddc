package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// Window is a stretch of each day, by the policy's clocks; From after To crosses
// midnight.
type Window struct{ From, To time.Duration } // since midnight

// ParseWindow reads 22:00-06:00.
func ParseWindow(text string) (*Window, error) {
	var h1, m1, h2, m2 int
	if n, err := fmt.Sscanf(text, "%02d:%02d-%02d:%02d", &h1, &m1, &h2, &m2); err != nil || n != 4 || max(h1, h2) > 23 || max(m1, m2) > 59 || min(h1, m1, h2, m2) < 0 {
		return nil, fmt.Errorf("%q is no window such as 22:00-06:00", text)
	}
	at := func(h, m int) time.Duration { return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute }
	return &Window{at(h1, m1), at(h2, m2)}, nil
}

// Open is whether the wall clock lies in the window.
func (w *Window) Open(t time.Time) bool {
	now := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
	if w.From <= w.To {
		return now >= w.From && now < w.To
	}
	return now >= w.From || now < w.To
}

// String is 22:00-06:00.
func (w *Window) String() string {
	at := func(d time.Duration) string {
		return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
	}
	return at(w.From) + "-" + at(w.To)
}

// Next is the first instant after t, and in its zone, at which the window opens.
func (w *Window) Next(t time.Time) time.Time {
	d := calendar.DateOf(t, t.Location())
	for i := range 3 {
		at := calendar.LocalTime(d.AddDays(i), int(w.From.Hours()), int(w.From.Minutes())%60, 0, 0, t.Location())
		if at.After(t) {
			return at
		}
	}
	return t.Add(24 * time.Hour) // no zone skips three days
}

// windowError ends a step whose source's window closed.
type windowError struct {
	window *Window
	opens  time.Time
}

// Error says when the step goes on.
func (e *windowError) Error() string {
	return fmt.Sprintf("stopped before the end, outside of the window %s: it goes on at %s", e.window, stamp(e.opens))
}

// local is the wall clock of the rule's policy.
func (sw *stepWork) local() time.Time { return sw.now().In(sw.bound.Policy.Zone) }

// outside ends the step where its source's window is closed.
func (sw *stepWork) outside(w *Window) bool {
	now := sw.local()
	if w == nil || w.Open(now) {
		return false
	}
	sw.shut(&windowError{w, w.Next(now)})
	return true
}

// opens is when the window opens that ended the step; zero: none did.
func (sw *stepWork) opens() time.Time {
	var e *windowError
	if errors.As(context.Cause(sw.stop), &e) {
		return e.opens
	}
	return time.Time{}
}

// whyStopped is the error of a step with rows left to do.
func (sw *stepWork) whyStopped() string {
	var e *windowError
	if errors.As(context.Cause(sw.stop), &e) {
		return e.Error()
	}
	return "stopped before the end"
}

// resumes notes when the run can go on: as soon as the first window opens.
func (w *work) resumes(at time.Time) {
	if !at.IsZero() && (w.report.ResumeAt == nil || at.Before(*w.report.ResumeAt)) {
		w.report.ResumeAt = &at
	}
}

// Opens is when some source of the rules may be acted on: now, or when the first
// of their windows opens. Sources of policies that are not loaded are not asked.
func (e *Engine) Opens(policy string, rules []string, now time.Time) time.Time {
	var first time.Time
	for _, p := range e.Policies {
		for i := range p.Rules {
			d := p.Dataset(p.Rules[i].Dataset)
			if p.Name != policy || !has(rules, p.Rules[i].ID) || d == nil {
				continue
			}
			at := e.opensAt(e.oneOf(d.Source), p, now)
			if first.IsZero() || at.Before(first) {
				first = at
			}
		}
	}
	if first.IsZero() {
		return now
	}
	return first
}

func (e *Engine) opensAt(source string, p *retention.Policy, now time.Time) time.Time {
	ref := e.Sources[source]
	if ref == nil || ref.Throttle.Window == nil || ref.Throttle.Window.Open(now.In(p.Zone)) {
		return now
	}
	return ref.Throttle.Window.Next(now.In(p.Zone))
}
