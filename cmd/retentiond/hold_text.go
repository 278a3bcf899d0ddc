package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// hold writes one hold for people.
func (p *printer) hold(x retention.Hold) {
	p.heading("Hold %s for %s: %s", x.ID, x.Matter, holdState(x))
	p.line("  placed      %s by %s (audit entry %d)", instant(x.PlacedAt), x.PlacedBy, x.AuditEntry)
	p.line("  reason      %s", x.Reason)
	p.line("  covers      %s", holdScope(x))
	if x.WhereText != "" {
		p.line("  where       %s", x.WhereText)
	}
	if x.Review != "" {
		p.line("  review      %s", x.Review)
	}
	for _, source := range slices.Sorted(maps.Keys(x.InForce)) {
		p.line("  source      %s: %s", source, passed(x.InForce[source]))
	}
	if len(x.NotCovered) > 0 {
		p.line("  not covered %s: no subject in it that a hold on a person could reach", strings.Join(x.NotCovered, ", "))
	}
	switch x.State {
	case retention.HoldReleased:
		p.line("  released    %s by %s; rows stay held until %s", instant(x.ReleasedAt), x.ReleasedBy, instant(x.GraceUntil))
	case retention.HoldInForce:
		p.line("retentiond touches none of these rows any more. The applications themselves can still delete them: tell their owners.")
	case retention.HoldPlacing:
		p.line("Every new batch already sees the hold; a batch begun before it may still end in a source that is not in force.")
		p.line("The next run, or the daemon, takes it through the sources that have not passed, as soon as they answer.")
	}
}

// waitsFor adds to a hold that is placing the sources that it has not passed yet.
func waitsFor(x retention.Hold, sources []string) retention.Hold {
	if x.State != retention.HoldPlacing {
		return x
	}
	all := map[string]bool{}
	for _, s := range sources {
		all[s] = false
	}
	maps.Copy(all, x.InForce)
	x.InForce = all
	return x
}

func holdState(x retention.Hold) string {
	switch x.State {
	case retention.HoldInForce:
		return "in force"
	case retention.HoldReleased:
		return "released"
	}
	return "placing, not yet in force everywhere"
}

func passed(ok bool) string {
	if ok {
		return "in force"
	}
	return "not passed yet"
}

// holdScope says what a hold covers, without naming more than ten persons.
func holdScope(x retention.Hold) string {
	var parts []string
	if n := len(x.Subjects); n > 10 {
		parts = append(parts, count(int64(n))+" subjects")
	} else {
		for _, s := range x.Subjects {
			parts = append(parts, s.String())
		}
	}
	scope := strings.Join(parts, ", ")
	if len(x.Datasets) == 0 {
		return scope + " in every dataset"
	}
	var sets []string
	for _, d := range x.Datasets {
		if !slices.Contains(sets, d.Dataset) { // a second name of the same database
			sets = append(sets, d.Dataset)
		}
	}
	if scope == "" {
		return strings.Join(sets, ", ")
	}
	return scope + " in " + strings.Join(sets, ", ")
}
