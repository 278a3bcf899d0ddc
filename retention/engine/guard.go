package engine

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/schedule"
)

// Bounds of the clock guard: a wrong clock is the shortest way to a wrong DELETE.
const (
	maxSkew = time.Minute
	maxJump = 7 * 24 * time.Hour
)

// guard compares the clock with each source's server, as both were when it was asked,
// and with the last instant that was accepted. It moves that instant forward only within the bounds, or
// when a person accepts the clock.
func (e *Engine) guard(ctx context.Context, p *retention.Plan, v *view, now time.Time, accept bool) error {
	anchor, err := e.Store.Anchor(ctx)
	if err != nil {
		return fmt.Errorf("reading the last accepted time: %w", err)
	}
	why := jump(now, anchor, maxJump+e.longestPause(now))
	for name, d := range v.off {
		if d <= maxSkew {
			continue
		}
		text := fmt.Sprintf("the clock of source %q differs by %s", name, d.Round(time.Second))
		switch {
		case retention.FleetOf(name) == "":
			why = text
		case !accept && v.down[name] == nil: // one tenant's clock stops that tenant
			v.down[name] = refuse(retention.RefuseClock, "%s: if both clocks are right, a person says so: retentiond run --accept-clock", text)
		}
	}
	if why != "" && !accept {
		p.Refusals = append(p.Refusals, *refuse(retention.RefuseClock, "%s: if the clock is right, a person says so: retentiond run --accept-clock", why))
		return nil
	}
	if why != "" || now.After(anchor) {
		if err := e.Store.SetAnchor(ctx, now); err != nil {
			return fmt.Errorf("keeping the accepted time: %w", err)
		}
	}
	return nil
}

// handPause is the pause expected of rules that people run by hand.
const handPause = 31 * 24 * time.Hour

// longestPause is the longest pause expected between two runs: the widest gap
// of any schedule within the coming year.
func (e *Engine) longestPause(now time.Time) time.Duration {
	type timed struct {
		expr string
		zone *time.Location
	}
	seen := map[timed]bool{}
	var longest time.Duration
	for _, p := range e.Policies {
		for i := range p.Rules {
			if t := (timed{cmp.Or(p.Rules[i].Schedule, p.Schedule), p.Zone}); !seen[t] {
				seen[t], longest = true, max(longest, widestGap(t.expr, t.zone, now))
			}
		}
	}
	return longest
}

func widestGap(expr string, zone *time.Location, now time.Time) time.Duration {
	s, err := schedule.Parse(expr, zone)
	if err != nil { // no schedule; a broken one was refused when the policy was loaded
		return handPause
	}
	return s.WidestGap(now)
}

func jump(now, anchor time.Time, most time.Duration) string {
	switch {
	case anchor.IsZero():
		return ""
	case now.Before(anchor.Add(-maxSkew)):
		return fmt.Sprintf("the clock went back: it is %s, and the last time seen was %s", stamp(now), stamp(anchor))
	case now.After(anchor.Add(most)):
		return fmt.Sprintf("the clock jumped forward: it is %s, and the last time seen was %s", stamp(now), stamp(anchor))
	}
	return ""
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
