package policies

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention/calendar"
)

// period reads a length of time; nil with a problem where it is none.
func (d *decoder) period(n *yaml.Node, what string) *calendar.Period {
	s := d.text(n, what)
	if s == "" {
		return nil
	}
	p, err := calendar.ParsePeriod(s)
	if err != nil {
		d.reject(n, "such as 13 months, 3 years, 90 days, P1Y6M or 36 hours", "%s: %s", what, err)
		return nil
	}
	return &p
}

// location reads the name of a time zone.
func (d *decoder) location(n *yaml.Node, what string) *time.Location {
	s := d.text(n, what)
	if s == "" {
		return nil
	}
	loc, err := calendar.LoadZone(s)
	if err != nil {
		d.reject(n, "such as Europe/Paris or UTC", "%s: %s", what, err)
		return nil
	}
	return loc
}

// round reads month-end, year-end or {year_end: MM-DD}.
func (d *decoder) round(n *yaml.Node) (calendar.Round, bool) {
	const hint = "month-end, year-end or {year_end: 08-31}"
	if n.Kind == yaml.MappingNode {
		m, ok := d.mapping(n, shapeRound, "round")
		if !ok {
			return calendar.Round{}, false
		}
		return d.parseRound(m.need("year_end", hint), "year-end ", hint)
	}
	return d.parseRound(n, "", hint)
}

func (d *decoder) parseRound(n *yaml.Node, prefix, hint string) (calendar.Round, bool) {
	s := d.text(n, "round")
	if s == "" {
		return calendar.Round{}, false
	}
	r, err := calendar.ParseRound(prefix + s)
	if err != nil || (prefix == "" && strings.Contains(s, " ")) {
		d.reject(n, hint, "round cannot be %q", s)
		return calendar.Round{}, false
	}
	return r, true
}

// instant reads a date, which is its first instant in the policy's zone (or
// its last, as an upper bound), or a time with its offset.
func (d *decoder) instant(n *yaml.Node, what string, upper bool) time.Time {
	s := d.text(n, what)
	if s == "" {
		return time.Time{}
	}
	if day, err := calendar.ParseDate(s); err == nil {
		if upper {
			return calendar.StartOfDay(day.AddDays(1), d.zone).Add(-time.Nanosecond)
		}
		return calendar.StartOfDay(day, d.zone)
	}
	if stamp, ok := calendar.ParseStamp(strings.TrimSpace(s)); ok {
		return stamp.Instant(d.zone, d.zone)
	}
	d.reject(n, "a date such as 2026-01-01, or a time such as 2026-01-01T00:00:00+01:00", "%s cannot be %q", what, s)
	return time.Time{}
}
