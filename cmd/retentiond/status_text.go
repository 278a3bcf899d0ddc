package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/configs"
)

// redactedState names the state store without its password.
func redactedState(cfg *configs.Config) string { return configs.Redact(cfg.State.Reveal()) }

func (a *app) statusText(h *house, d statusDoc) error {
	p := a.printer()
	p.line("state store   %s", d.State.Store)
	p.line("audit log     %s, %s signed", d.Audit.Origin, plural(d.Audit.Size, "entry", "entries"))
	p.line("kill switch   %s", switchText(p, d.KillSwitch))
	p.line("at work       %s", leasesText(d.Leases))
	p.line("last run      %s", lastRun(d.LastRun))
	for _, w := range d.Waiting {
		p.line("waits         plan %s of %s, made %s; look at it, then:  %s", w.Plan, strings.Join(w.Policies, ", "), instant(w.Made), a.retry("approve %s", w.Plan))
	}
	p.line("holds         %d in force, %d placing, %d released", d.Holds.InForce, d.Holds.Placing, d.Holds.Released)
	p.blank()
	p.sources(d.Sources)
	p.blank()
	g := &grid{cols: []gridColumn{col("policy"), num("rules"), col("file"), col("state")}}
	for _, x := range d.Policies.Loaded {
		g.add(x.Policy, fmt.Sprint(x.Rules), x.File, p.paint(green, "loaded"))
	}
	for _, x := range d.Policies.Failed {
		g.add(x.Policy, "", x.File, p.paint(red, "does not load"))
	}
	p.grid(g)
	for _, f := range h.failed {
		a.printerTo(a.Err).failed(f.File, f.Problems)
	}
	return p.err
}

func switchText(p *printer, s switchDoc) string {
	if !s.On {
		return "off"
	}
	return p.paint(red, "ON") + ": everything is stopped, by " + s.By + ": " + s.Reason
}

func leasesText(leases []leaseDoc) string {
	var who []string
	for _, l := range leases {
		if w := ownerWords(l.Owner); !slices.Contains(who, w) {
			who = append(who, w)
		}
	}
	if len(who) == 0 {
		return "nobody"
	}
	return strings.Join(who, ", ")
}

func lastRun(r *runDoc) string {
	if r == nil {
		return "none yet"
	}
	what := fmt.Sprintf("%s done, %s spared", rowsOf(r.Done), count(r.Spared))
	if r.NotReached > 0 {
		what += ", " + count(r.NotReached) + " not reached"
	}
	return fmt.Sprintf("%s, %s: %s (%s)", r.Run, instant(r.Started), verdictWord(r.Verdict), what)
}
