package policies

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// predicate reads a condition: a mapping is an AND of its keys.
func (d *decoder) predicate(n *yaml.Node, what string) *retention.Predicate {
	if n == nil || d.bad[n] {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.reject(n, "such as {status: closed}", "%s must be a mapping of columns, not %s", what, kindName(n))
		return nil
	}
	if len(n.Content) == 0 {
		d.reject(n, "leave it out to mean every row", "%s is empty", what)
		return nil
	}
	var all []retention.Predicate
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if d.bad[k] || d.bad[v] {
			continue
		}
		if slices.Contains(combinators(), k.Value) {
			all = d.combinator(all, k, v)
		} else {
			all = d.comparisons(all, k, v)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return &all[0]
	}
	return &retention.Predicate{All: all, Pos: d.pos(n)}
}

// combinator reads all, any, not, exists or sql.
func (d *decoder) combinator(to []retention.Predicate, k, v *yaml.Node) []retention.Predicate {
	p := retention.Predicate{Pos: d.pos(k)}
	switch k.Value {
	case "all":
		p.All = d.predicates(v, "all")
	case "any":
		p.Any = d.predicates(v, "any")
	case "not":
		p.Not = d.predicate(v, "not")
	case "exists":
		p.Exists = d.relation(v, shapeExists, "exists")
	case "sql":
		p.SQL = d.text(v, "sql")
	}
	if p.All == nil && p.Any == nil && p.Not == nil && p.Exists == nil && p.SQL == "" {
		return to
	}
	return append(to, p)
}

// predicates reads the list under all or any.
func (d *decoder) predicates(n *yaml.Node, what string) []retention.Predicate {
	if n.Kind != yaml.SequenceNode {
		d.reject(n, what+" is a combinator: "+what+": [{…}, {…}]; a column of that name needs sql:",
			"%s must be a list of conditions, not %s", what, kindName(n))
		return nil
	}
	var out []retention.Predicate
	for _, c := range d.items(n, what) {
		if p := d.predicate(c, "a condition of "+what); p != nil {
			out = append(out, *p)
		}
	}
	return out
}

// comparisons reads the tests of one column.
func (d *decoder) comparisons(to []retention.Predicate, k, v *yaml.Node) []retention.Predicate {
	test := func(at *yaml.Node, op retention.Op, values ...retention.Scalar) {
		c := &retention.Comparison{Column: k.Value, Op: op, Values: values}
		to = append(to, retention.Predicate{Test: c, Pos: d.pos(at)})
	}
	switch v.Kind {
	case yaml.SequenceNode:
		d.reject(v, k.Value+": {in: […]}", "the column %s has a list without an operator", k.Value)
	case yaml.MappingNode:
		d.operators(k, v, test)
	default:
		switch s, ok := d.scalar(v, "the value of "+k.Value); {
		case ok && s.Null:
			test(k, retention.IsNull)
		case ok:
			test(k, retention.Eq, s)
		}
	}
	return to
}

// operators reads {gte: 120, lt: 200}: every one of them must hold.
func (d *decoder) operators(k, v *yaml.Node, test func(*yaml.Node, retention.Op, ...retention.Scalar)) {
	m, ok := d.mapping(v, shapeOps, "the tests of "+k.Value)
	if !ok {
		return
	}
	if len(v.Content) == 0 {
		d.reject(v, "such as {gte: 120}", "the column %s has no test", k.Value)
	}
	for i := 0; i+1 < len(v.Content); i += 2 {
		op := v.Content[i]
		arg := m.get(op.Value)
		if arg == nil || m.keys[op.Value] != op {
			continue
		}
		d.operator(k.Value, op, arg, test)
	}
}

// operator reads one operator with its value or values.
func (d *decoder) operator(column string, op, arg *yaml.Node, test func(*yaml.Node, retention.Op, ...retention.Scalar)) {
	what := op.Value + " of " + column
	switch retention.Op(op.Value) {
	case retention.IsNull:
		switch v, ok := d.boolean(arg, what); {
		case ok && v:
			test(op, retention.IsNull)
		case ok:
			test(op, retention.NotNull)
		}
	case retention.In, retention.NotIn:
		if values := d.values(arg, what); len(values) > 0 {
			test(op, retention.Op(op.Value), values...)
		}
	default:
		if s, ok := d.value(arg, what); ok {
			test(op, retention.Op(op.Value), s)
		}
	}
}

// value reads a value that may not be null.
func (d *decoder) value(n *yaml.Node, what string) (retention.Scalar, bool) {
	s, ok := d.scalar(n, what)
	if ok && s.Null {
		d.reject(n, "{null: true} or {null: false}", "%s cannot be null: nothing equals or differs from NULL", what)
		return s, false
	}
	return s, ok
}

// values reads the list of in and not_in.
func (d *decoder) values(n *yaml.Node, what string) []retention.Scalar {
	var out []retention.Scalar
	for _, c := range d.items(n, what) {
		if s, ok := d.value(c, "an item of "+what); ok {
			out = append(out, s)
		}
	}
	return out
}
