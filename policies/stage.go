package policies

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// stages reads keep+then, which is one stage, or the list of stages, or
// nothing where the rule only protects.
func (d *decoder) stages(m *mapping) []retention.Stage {
	single := []string{"keep", "then", "columns", "mark", "verify", "to", "why"}
	switch {
	case m.has("stages"):
		m.refuse("move it into stages", "has no meaning beside stages", single...)
		return d.stageList(m.get("stages"))
	case m.has("keep") || m.has("then"):
		s := d.stage(m)
		d.checkStages([]retention.Stage{s})
		return []retention.Stage{s}
	case m.has("at_least"):
		m.refuse("add keep: and then:", "has no meaning without then", single[2:]...)
		return nil
	}
	d.fail(m.node, "keep: 3 years with then: delete, or stages, or at_least alone", "%s says neither how long nor what then", m.what)
	return nil
}

// stageList reads the stages, whose periods all count from the rule's clock.
func (d *decoder) stageList(n *yaml.Node) []retention.Stage {
	var out []retention.Stage
	complete := true
	for i, c := range d.items(n, "stages") {
		m, ok := d.mapping(c, shapeStage, stageName(i))
		if !ok {
			complete = false
			continue
		}
		out = append(out, d.stage(m))
	}
	if complete && n != nil {
		d.checkStages(out)
	}
	return out
}

// stage reads one period and its action.
func (d *decoder) stage(m *mapping) retention.Stage {
	s := retention.Stage{Pos: d.pos(m.node)}
	if p := d.period(m.need("keep", "keep: a period, such as 3 years"), "keep"); p != nil {
		s.Keep = *p
	}
	kinds := []string{"delete", "redact", "anonymise", "archive", "report"}
	then := m.need("then", "then: delete, redact, anonymise, archive or report")
	if then != nil && then.Value == "anonymize" {
		s.Action.Kind = retention.Anonymise
	} else {
		s.Action.Kind = retention.ActionKind(d.word(then, "then", kinds...))
	}
	d.action(m, &s.Action)
	return s
}

// action reads the keys of the action, refusing those of another.
func (d *decoder) action(m *mapping, a *retention.Action) {
	kind := a.Kind
	changes := kind == retention.Redact || kind == retention.Anonymise
	switch {
	case kind == "":
		return
	case changes:
		a.Columns = d.changes(m.need("columns", "columns: {name: null}"), kind)
	default:
		m.refuse("then: redact or then: anonymise", "has no meaning under then: "+string(kind), "columns")
	}
	if kind == retention.Anonymise {
		d.anonymise(m, a)
	} else {
		m.refuse("then: anonymise", "has no meaning under then: "+string(kind), "mark", "verify")
	}
	if kind == retention.Archive {
		a.Vault = d.vault(m.need("to", "to: the name of a vault"))
		a.Why = d.text(m.need("why", "why: the legal reason to keep it in an archive"), "why")
	} else {
		m.refuse("then: archive; a legal reference belongs to cite:", "has no meaning under then: "+string(kind), "to", "why")
	}
}

// vault reads the name of a vault, which must be known.
func (d *decoder) vault(n *yaml.Node) string {
	s := d.text(n, "to")
	if s != "" && d.env.checked() && !slices.Contains(d.env.Vaults, s) {
		d.reject(n, didYouMean(s, d.env.Vaults), "unknown vault %q", s)
	}
	return s
}

// checkStages refuses an order of stages that cannot be meant.
func (d *decoder) checkStages(stages []retention.Stage) {
	for i, s := range stages {
		at := &yaml.Node{Line: s.Pos.Line, Column: s.Pos.Col}
		last := i == len(stages)-1
		if s.Action.Kind == retention.Archive && last {
			d.fail(at, "stages: [{keep: …, then: archive, …}, {keep: …, then: delete}]",
				"an archive must end: no later stage deletes it")
		}
		if i > 0 {
			d.checkAfter(stages[i-1], s, at, i)
		}
	}
}

// checkAfter refuses a stage that cannot follow the one before.
func (d *decoder) checkAfter(before, s retention.Stage, at *yaml.Node, i int) {
	known := !before.Keep.IsZero() && !s.Keep.IsZero()
	if known && (before.Keep.Longer(s.Keep) || !s.Keep.Longer(before.Keep)) {
		d.fail(at, "every period counts from the clock, not from the stage before",
			"%s: keep %s is not longer than keep %s of the stage before", stageName(i), s.Keep, before.Keep)
	}
	switch {
	case before.Action.Kind == retention.Delete:
		d.fail(at, "drop the stage, or let the delete come last", "%s: nothing is left after a delete", stageName(i))
	case before.Action.Kind == retention.Archive && s.Action.Kind != retention.Delete && s.Action.Kind != "":
		d.fail(at, "then: delete", "%s: only a delete can follow an archive", stageName(i))
	}
}
