package policies

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// anonymise reads mark and verify, and checks the columns against them.
func (d *decoder) anonymise(m *mapping, a *retention.Action) {
	if v := m.get("mark"); v != nil {
		a.Mark = d.text(v, "mark")
	}
	if v := m.get("verify"); v != nil {
		a.Verify = d.verify(v, a.Columns, m.get("columns") != nil)
	}
	d.checkColumns(m, a)
}

// checkColumns refuses an anonymisation that could not tell which rows are
// done, or that changes nothing.
func (d *decoder) checkColumns(m *mapping, a *retention.Action) {
	changed := false
	for _, c := range a.Columns {
		at := &yaml.Node{Line: c.Pos.Line, Column: c.Pos.Col}
		changed = changed || c.Func != retention.Keep
		if c.Func == retention.Random && !m.has("mark") {
			d.fail(at, "mark: a timestamp column that records that the row is done",
				"random of the column %s needs mark: its result cannot be recognised", c.Column)
		}
		if a.Mark != "" && c.Column == a.Mark && c.Func != retention.Keep {
			d.fail(at, c.Column+": keep", "the column %s is the mark and cannot be changed otherwise", c.Column)
		}
	}
	if !changed && len(a.Columns) > 0 && m.get("columns") != nil && d.clean(m.get("columns")) {
		d.fail(m.keys["columns"], "every column that tells who it was about must change", "the anonymisation keeps every column")
	}
}

// clean reports whether nothing below the node was refused.
func (d *decoder) clean(n *yaml.Node) bool {
	if d.bad[n] {
		return false
	}
	for _, c := range n.Content {
		if !d.clean(c) {
			return false
		}
	}
	return true
}

// verify reads {k, quasi, allow}: how many rows must be alike.
func (d *decoder) verify(n *yaml.Node, columns []retention.Change, known bool) *retention.KAnonymity {
	const hint = "verify: {k: 5, quasi: [birth_year, postcode]}"
	m, ok := d.mapping(n, shapeVerify, "verify")
	if !ok {
		return nil
	}
	v := &retention.KAnonymity{}
	v.K = int(d.integer(m.need("k", hint), "k", 2, 1_000_000))
	v.Quasi = d.texts(m.need("quasi", hint), "quasi")
	if a := m.get("allow"); a != nil {
		v.Allow = d.share(a, "allow", true)
	}
	if q := m.get("quasi"); q != nil && known {
		d.checkQuasi(q, columns)
	}
	return v
}

// checkQuasi refuses a quasi-identifier that columns does not name.
func (d *decoder) checkQuasi(n *yaml.Node, columns []retention.Change) {
	var names []string
	for _, c := range columns {
		names = append(names, c.Column)
	}
	for _, q := range n.Content {
		if q.Kind == yaml.ScalarNode && !d.bad[q] && !slices.Contains(names, q.Value) {
			d.fail(q, didYouMean(q.Value, names), "quasi names %q, which columns does not", q.Value)
		}
	}
}
