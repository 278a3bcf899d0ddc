package main

import (
	"maps"
	"slices"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/connectors"
	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention/engine"
)

// spelledOut puts every mistake of a policy that does not load in the place of the
// first one, with its hint, as `policy validate` shows them.
func spelledOut(failed []policies.Failed, found []engine.Finding) []engine.Finding {
	var out []engine.Finding
	for _, x := range found {
		i := slices.IndexFunc(failed, func(f policies.Failed) bool {
			return len(f.Problems) > 0 && x.Policy == f.Policy && x.Message == firstProblem(f)
		})
		if i < 0 {
			out = append(out, x)
			continue
		}
		for _, p := range failed[i].Problems {
			y := x
			y.Rule, y.Message, y.Hint = p.Rule, p.Error(), p.Hint
			out = append(out, y)
		}
	}
	return out
}

// unused are warnings of what the configuration asks for and this build does
// not do: nothing is silent (L11).
func unused(cfg *configs.Config) []engine.Finding {
	var out []engine.Finding
	warn := func(source, code, message string) {
		out = append(out, engine.Finding{Level: engine.LevelWarning, Source: source, Code: code, Message: message})
	}
	drivers := connectors.Default().Drivers()
	for _, name := range slices.Sorted(maps.Keys(cfg.Sources)) {
		s := cfg.Sources[name]
		if !slices.Contains(drivers, s.Driver) {
			warn(name, "driver", "driver "+s.Driver+" comes in a later version: its rules are refused")
			continue
		}
		if !connectors.Fair(s.Driver) && (s.DSNRead != "" || s.Parallel != 0) {
			warn(name, "unused_option", "dsn_read and parallel have no effect on a source of driver "+s.Driver)
		}
	}
	return out
}
