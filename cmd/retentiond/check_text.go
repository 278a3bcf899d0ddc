package main

import (
	"strings"

	"github.com/retentiond/retentiond/retention/engine"
)

// showFindings shows what check found, with the policies that did not load,
// and ends with exit 2 where something is an error.
func (a *app) showFindings(h *house, found []engine.Finding) error {
	var end error
	for _, f := range found {
		if f.Level == engine.LevelError {
			end = verdict(exitUsage)
		}
	}
	if a.json() {
		return orElse(a.document(map[string][]engine.Finding{"findings": list(found)}), end)
	}
	p := a.printer()
	for _, level := range []engine.Level{engine.LevelError, engine.LevelWarning, engine.LevelInfo} {
		for _, f := range found {
			if f.Level == level {
				p.finding(f)
			}
		}
	}
	n := len(h.engine.Policies)
	switch {
	case end != nil:
		p.line("%s", p.paint(red, map[bool]string{true: "No rule runs until this is put right.", false: "Some rules will not run until this is put right."}[n == 0]))
	case len(found) == 0:
		p.line("%s fit the live schemas.", plural(int64(n), "policy", "policies"))
	default:
		p.line("No error: %s can run.", plural(int64(n), "policy", "policies"))
	}
	return orElse(p.err, end)
}

func (p *printer) finding(f engine.Finding) {
	style := map[engine.Level]string{engine.LevelError: red, engine.LevelWarning: yellow, engine.LevelInfo: dim}[f.Level]
	place := joined("/", f.Policy, f.Rule)
	if f.Rule == "" {
		place = joined("/", f.Policy, f.Dataset)
	}
	if place == "" {
		place = f.Source
	}
	p.line("%s %s: %s", p.paint(style, string(f.Level)), joined(" ", place, "("+f.Code+")"), f.Message)
	if f.Hint != "" {
		p.line("    %s", f.Hint)
	}
}

// joined joins the words that are not empty.
func joined(sep string, words ...string) string {
	var out []string
	for _, w := range words {
		if w != "" {
			out = append(out, w)
		}
	}
	return strings.Join(out, sep)
}
