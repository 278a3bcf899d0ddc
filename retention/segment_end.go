package retention

import (
	"time"

	"github.com/retentiond/retentiond/retention/calendar"
)

// EndOf is the instant at which a row with that clock is over for the period, under
// every rounding of the rule's clock: an archive carries the clock as it was before
// rounding.
func EndOf(clock time.Time, p *Policy, r *Rule, keep calendar.Period) time.Time {
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	var out time.Time
	for i := range r.Clock.Members {
		if _, at := calendar.Due(clock, keep, zone, r.Clock.Members[i].Round); at.After(out) {
			out = at
		}
	}
	return out.UTC()
}
