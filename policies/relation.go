package policies

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// relation reads a related row in one of its shapes; nil where it is none.
func (d *decoder) relation(n *yaml.Node, shape, what string) *retention.Relation {
	m, ok := d.mapping(n, shape, what)
	if !ok {
		return nil
	}
	return d.relationOf(m)
}

// relationOf reads the keys table, on, via, where and column of a mapping.
func (d *decoder) relationOf(m *mapping) *retention.Relation {
	r := &retention.Relation{Pos: d.pos(m.node)}
	r.Table = d.table(m.need("table", "table: the related table"), "the table of "+m.what)
	r.On = d.pairs(m.need("on", "on: {their_column: our_column}"), "on of "+m.what)
	if v := m.get("via"); v != nil {
		for _, c := range d.items(v, "via of "+m.what) {
			if hop, ok := d.mapping(c, shapeHop, "a hop of "+m.what); ok {
				r.Via = append(r.Via, retention.Hop{
					Table: d.table(hop.need("table", "table: the table passed"), "the table of a hop"),
					On:    d.pairs(hop.need("on", "on: {their_column: our_column}"), "on of a hop"),
				})
			}
		}
	}
	if v := m.get("where"); v != nil {
		r.Where = d.predicate(v, "where of "+m.what)
	}
	if v := m.get("column"); v != nil {
		r.Column = d.text(v, "the column of "+m.what)
	}
	return r
}

// pairs reads {their_column: our_column}.
func (d *decoder) pairs(n *yaml.Node, what string) []retention.Pair {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.reject(n, "on: {their_column: our_column}", "%s must be a mapping of columns, not %s", what, kindName(n))
		return nil
	}
	if len(n.Content) == 0 {
		d.reject(n, "on: {their_column: our_column}", "%s is empty", what)
	}
	var out []retention.Pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if d.bad[k] || d.bad[v] {
			continue
		}
		if ours := d.text(v, "our column of "+what); ours != "" {
			out = append(out, retention.Pair{Theirs: k.Value, Ours: ours})
		}
	}
	return out
}

// table reads "table" or "schema.table".
func (d *decoder) table(n *yaml.Node, what string) retention.TableName {
	s := d.text(n, what)
	if s == "" {
		return retention.TableName{}
	}
	parts := strings.Split(s, ".")
	for _, p := range parts {
		if p == "" || len(parts) > 2 || strings.ContainsAny(p, "\x00\n\"`;") {
			d.reject(n, "table or schema.table", "%s cannot be %q", what, s)
			return retention.TableName{}
		}
	}
	if len(parts) == 2 {
		return retention.TableName{Schema: parts[0], Name: parts[1]}
	}
	return retention.TableName{Name: s}
}
