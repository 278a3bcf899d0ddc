package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// policies writes the world's policies as a person could have. Inner mappings
// are in YAML's flow form, which is JSON.
func (w *world) policies() []string {
	out := []string{w.policy("world", "A generated house", w.Zone)}
	if w.Zone2 != "" {
		out = append(out, w.policy("second", "Another one in the same house", w.Zone2))
	}
	return out
}

func (w *world) policy(name, title, zone string) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "version: 1\npolicy: %s\ntitle: %s\ncontroller: Nobody\ntimezone: %s\nsource: db\n", name, title, zone)
	b.WriteString("limits: {rows: 100000, share: 100%}\n\ndatasets:\n")
	for _, d := range w.Datasets {
		if d.policy() == name {
			d.write(b)
		}
	}
	b.WriteString("\nrules:\n")
	for _, r := range w.Rules {
		if w.dataset(r.Dataset).policy() == name {
			r.write(b)
		}
	}
	return b.String()
}

func (d *wDataset) write(b *strings.Builder) {
	fmt.Fprintf(b, "  %s:\n    table: %s\n", d.Name, flow(d.Table))
	writeSubjects(b, d)
	if len(d.Children) > 0 {
		b.WriteString("    children:\n")
	}
	for _, c := range d.Children {
		m := c.Relation.flow()
		m["then"] = c.Then
		fmt.Fprintf(b, "      - %s\n", flow(m))
	}
}

func writeSubjects(b *strings.Builder, d *wDataset) {
	if len(d.Subjects) == 0 {
		b.WriteString("    subject: none\n    why: nobody is in it\n")
		return
	}
	m := map[string]any{}
	for _, s := range d.Subjects {
		switch {
		case s.Related != nil:
			m[s.Type] = s.Related.flow()
		case len(s.Columns) == 1:
			m[s.Type] = s.Columns[0]
		default:
			m[s.Type] = s.Columns
		}
	}
	fmt.Fprintf(b, "    subject: %s\n", flow(m))
}

func (r *wRule) write(b *strings.Builder) {
	fmt.Fprintf(b, "  - id: %s\n    title: Rule %s\n    dataset: %s\n    approve: never\n", r.ID, r.ID, r.Dataset)
	if r.Disabled {
		b.WriteString("    enabled: false\n")
	}
	if r.EffectiveFrom != "" {
		fmt.Fprintf(b, "    effective_from: %s\n", r.EffectiveFrom)
	}
	fmt.Fprintf(b, "    from: %s\n", flow(r.Clock.flow()))
	if r.Where != nil {
		fmt.Fprintf(b, "    where: %s\n", flow(r.Where.flow()))
	}
	if r.AtLeast != nil {
		fmt.Fprintf(b, "    at_least: %s\n", r.AtLeast.Text)
	}
	if len(r.Stages) == 1 && r.Stages[0].Then != "archive" {
		r.Stages[0].write(b, "    ")
		return
	}
	for i := range r.Stages {
		if i == 0 {
			b.WriteString("    stages:\n")
		}
		b.WriteString("      -\n")
		r.Stages[i].write(b, "        ")
	}
}

func (s *wStage) write(b *strings.Builder, indent string) {
	fmt.Fprintf(b, "%skeep: %s\n%sthen: %s\n", indent, s.Keep.Text, indent, s.Then)
	if s.Then == "archive" {
		fmt.Fprintf(b, "%sto: old\n%swhy: a law\n", indent, indent)
	}
	if s.Mark != "" {
		fmt.Fprintf(b, "%smark: %s\n", indent, flow(s.Mark))
	}
	if v := s.Verify; v != nil {
		fmt.Fprintf(b, "%sverify: {k: %d, quasi: %s, allow: %d%%}\n", indent, v.K, flow(v.Quasi), v.Allow)
	}
	if len(s.Changes) > 0 {
		m := map[string]any{}
		for _, c := range s.Changes {
			m[c.Column] = c.flow()
		}
		fmt.Fprintf(b, "%scolumns: %s\n", indent, flow(m))
	}
}

func (c *wChange) flow() any {
	switch c.Func {
	case "null":
		return nil
	case "keep", "email_domain":
		return c.Func
	case "set", "truncate":
		return map[string]any{c.Func: c.Text}
	case "random":
		return map[string]any{"random": c.Text, "length": c.N}
	case "mask_ip":
		return map[string]any{"mask_ip": []int{24, 48}}
	}
	return map[string]any{c.Func: c.N}
}

func (c *wClock) flow() any {
	if c.Group == "" {
		return c.Members[0].flow()
	}
	var members []any
	for i := range c.Members {
		members = append(members, c.Members[i].flow())
	}
	m := map[string]any{c.Group: members}
	if c.NullsOpen {
		m["nulls"] = "open"
	}
	put(m, "round", roundFlow(c.Round))
	return m
}

func (x *wMember) flow() any {
	m := map[string]any{}
	if x.Related != nil {
		m = x.Related.flow()
	}
	put(m, "as", x.As)
	put(m, "zone", x.Zone)
	put(m, "not_before", x.NotBefore)
	put(m, "not_after", x.NotAfter)
	put(m, "round", roundFlow(x.Round))
	if x.Related == nil && len(m) == 0 {
		return x.Column
	}
	if x.Related == nil {
		m["column"] = x.Column
	}
	return m
}

func put(m map[string]any, key string, v any) { // empty says nothing
	if v != "" && v != nil {
		m[key] = v
	}
}

func roundFlow(r string) any {
	if r == "" || strings.Contains(r, "end") {
		return r
	}
	return map[string]any{"year_end": r}
}

func (r *wRelation) flow() map[string]any {
	m := map[string]any{"table": r.Table, "on": pairs(r.On)}
	var via []any
	for _, h := range r.Via {
		via = append(via, map[string]any{"table": h.Table, "on": pairs(h.On)})
	}
	if via != nil {
		m["via"] = via
	}
	if r.Where != nil {
		m["where"] = r.Where.flow()
	}
	put(m, "column", r.Column)
	return m
}

func pairs(on []wPair) map[string]string {
	m := map[string]string{}
	for _, p := range on {
		m[p.Theirs] = p.Ours
	}
	return m
}

func (c *wCond) flow() any {
	var parts []any
	for _, p := range c.Parts {
		parts = append(parts, p.flow())
	}
	switch c.Op {
	case "and":
		return map[string]any{"all": parts}
	case "or":
		return map[string]any{"any": parts}
	case "not":
		return map[string]any{"not": parts[0]}
	case "exists":
		return map[string]any{"exists": c.Related.flow()}
	case "sql":
		return map[string]any{"sql": c.Values[0].S}
	case "null":
		return map[string]any{c.Column: nil}
	case "notnull":
		return map[string]any{c.Column: map[string]any{"null": false}}
	}
	var values []any
	for _, v := range c.Values {
		if v.T == "integer" {
			values = append(values, v.I)
		} else {
			values = append(values, v.S)
		}
	}
	switch c.Op {
	case "eq":
		return map[string]any{c.Column: values[0]}
	case "in", "not_in":
		return map[string]any{c.Column: map[string]any{c.Op: values}}
	}
	return map[string]any{c.Column: map[string]any{c.Op: values[0]}}
}

func flow(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}
