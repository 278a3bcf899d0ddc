package engine

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/retentiond/retentiond/retention"
	"go.uber.org/zap"
)

// Throttle says when batches wait, so that production does not feel them. Zero
// values ask for nothing.
type Throttle struct {
	Rate    float64       // rows a second at most, children counted
	Rest    float64       // share of a batch's time to rest after it
	Pause   time.Duration // shortest rest between two batches of one worker
	Lag     time.Duration // wait while a replica is farther behind, or does not say
	Running int           // wait while others run more statements
	Backlog int64         // wait while more is left to purge or to send; see [retention.Pressure]
	Vacuum  bool          // wait while the server tidies the table up
	Window  *Window       // wait outside of it
	Flag    string        // wait while this file exists
}

// asks is whether the source has to be asked for its pressure.
func (t *Throttle) asks() bool { return t.Lag > 0 || t.Running > 0 || t.Backlog > 0 || t.Vacuum }

// rest is how long a worker leaves the source to others after its batch.
func (t *Throttle) rest(took time.Duration) time.Duration {
	return max(t.Pause, time.Duration(t.Rest*float64(took)))
}

// dues is how long that many rows must take.
func (t *Throttle) dues(rows int64) time.Duration {
	if t.Rate <= 0 {
		return 0
	}
	return time.Duration(float64(rows) / t.Rate * float64(time.Second))
}

// over says why the source is too busy, as a word and as a text; empty: it is not.
func (t *Throttle) over(p retention.Pressure) (retention.WaitReason, string) {
	switch {
	case t.Lag > 0 && p.LagUnknown:
		return retention.WaitLag, "a replica does not say how far behind it is"
	case t.Lag > 0 && p.Lag > t.Lag:
		return retention.WaitLag, fmt.Sprintf("a replica is %s behind, more than %s", p.Lag.Round(100*time.Millisecond), t.Lag)
	case t.Running > 0 && p.RunningUnknown:
		return retention.WaitRunning, "the server does not show what others run"
	case t.Running > 0 && p.Running > t.Running:
		return retention.WaitRunning, fmt.Sprintf("%d statements are running, more than %d", p.Running, t.Running)
	case t.Backlog > 0 && p.BacklogUnknown:
		return retention.WaitBacklog, "the server does not show its backlog"
	case t.Backlog > 0 && p.Backlog > t.Backlog:
		return retention.WaitBacklog, fmt.Sprintf("a backlog of %d, more than %d", p.Backlog, t.Backlog)
	case t.Vacuum && p.Vacuuming:
		return retention.WaitVacuum, "the server tidies the table up"
	}
	return "", ""
}

// askEvery is how often a source is asked for its pressure, and how often a wait
// looks again.
const askEvery = time.Second

// yields waits while the source is to be left alone, and says why. It returns
// when the way is free or a stop is asked for.
func (sw *stepWork) yields(ctx context.Context) {
	t := &sw.throttle
	said := ""
	for sw.stop.Err() == nil && sw.remains() {
		if sw.req.Unattended && sw.outside(t.Window) {
			return
		}
		reason, why := sw.busy(ctx, t)
		if why == "" {
			return
		}
		if why != said {
			sw.Log.Warn("batches wait", zap.String("source", sw.step.Source), zap.String("because", why))
			said = why
		}
		p := sw.soFar()
		p.Waits = why
		sw.progress(p)
		began := sw.Now()
		sw.sleep(askEvery)
		sw.waited(reason, sw.Now().Sub(began))
	}
}

// remains: planned rows are left to do; where there are none, there is nothing to
// wait for.
func (sw *stepWork) remains() bool {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	return sw.left() > 0
}

func (sw *stepWork) busy(ctx context.Context, t *Throttle) (retention.WaitReason, string) {
	if t.Window != nil && !t.Window.Open(sw.local()) {
		return retention.WaitWindow, "outside of the window " + t.Window.String()
	}
	if t.Flag != "" {
		if _, err := os.Stat(t.Flag); err == nil {
			return retention.WaitFlag, "the file " + t.Flag + " asks to wait"
		}
	}
	if !t.asks() {
		return "", ""
	}
	sw.mu.Lock()
	fresh := sw.Now().Sub(sw.asked) < askEvery && sw.free
	sw.mu.Unlock()
	if fresh {
		return "", ""
	}
	p, err := sw.source.Pressure(ctx, sw.step.Table)
	reason, why := t.over(p)
	if err != nil {
		reason, why = retention.WaitUnread, fmt.Sprintf("its load cannot be read: %v", err)
	}
	sw.mu.Lock()
	defer sw.mu.Unlock()
	sw.asked, sw.free = sw.Now(), why == ""
	return reason, why
}
