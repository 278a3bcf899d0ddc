package policies

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// changeFuncs lists what an action may do to a column.
func changeFuncs(kind retention.ActionKind) []string {
	redact := []string{"null", "set", "truncate", "mask_ip", "keep_left", "keep_right"}
	if kind == retention.Redact {
		return redact
	}
	return append([]string{"keep"}, append(redact, "bucket", "round", "email_domain", "random")...)
}

// changes reads what becomes of each column.
func (d *decoder) changes(n *yaml.Node, kind retention.ActionKind) []retention.Change {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		d.reject(n, "columns: {name: null}", "columns must be a mapping with at least one column")
		return nil
	}
	var out []retention.Change
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if d.bad[k] || d.bad[v] {
			continue
		}
		c := retention.Change{Column: k.Value, Pos: d.pos(k)}
		if d.change(v, &c, changeFuncs(kind), kind) {
			out = append(out, c)
		}
	}
	return out
}

// change reads one transformation: a word, null, or a mapping of one function.
func (d *decoder) change(v *yaml.Node, c *retention.Change, allowed []string, kind retention.ActionKind) bool {
	switch {
	case isNull(v):
		c.Func = retention.Null
		return true
	case v.Kind == yaml.ScalarNode:
		return d.plainChange(v, c, allowed, kind)
	case v.Kind != yaml.MappingNode:
		d.reject(v, "one of: "+strings.Join(allowed, ", "), "the column %s must have one transformation, not a list", c.Column)
		return false
	}
	m, ok := d.mapping(v, shapeChange, "the change of "+c.Column)
	if !ok {
		return false
	}
	if !d.oneFunc(m, c) {
		return false
	}
	if !slices.Contains(allowed, string(c.Func)) {
		d.reject(v, "one of: "+strings.Join(allowed, ", "), "%s may not use %s (column %s)", kind, c.Func, c.Column)
		return false
	}
	return d.changeArgs(m, c)
}

// plainChange reads keep and email_domain.
func (d *decoder) plainChange(v *yaml.Node, c *retention.Change, allowed []string, kind retention.ActionKind) bool {
	c.Func = retention.ChangeFunc(v.Value)
	plain := c.Func == retention.Keep || c.Func == retention.EmailDomain
	switch {
	case plain && slices.Contains(allowed, v.Value):
		return true
	case plain:
		d.reject(v, "one of: "+strings.Join(allowed, ", "), "%s may not use %s (column %s)", kind, v.Value, c.Column)
	case v.Value == "null":
		d.reject(v, "null without quotes", "the column %s has the text \"null\", not null", c.Column)
	case slices.Contains(keysOf(shapeChange), v.Value):
		d.reject(v, "{"+v.Value+": …}", "%s of the column %s needs a value", v.Value, c.Column)
	default:
		d.reject(v, "{set: "+v.Value+"} sets a value; otherwise "+didYouMean(v.Value, allowed),
			"unknown transformation %q of the column %s", v.Value, c.Column)
	}
	return false
}

// oneFunc finds the one function of a mapping.
func (d *decoder) oneFunc(m *mapping, c *retention.Change) bool {
	var found []string
	for _, key := range keysOf(shapeChange) {
		if key != "length" && m.has(key) {
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		if len(found) > 1 || len(m.node.Content) == 0 || m.has("length") {
			d.fail(m.node, "such as {keep_left: 2}", "the column %s must have exactly one transformation", c.Column)
		}
		return false
	}
	c.Func = retention.ChangeFunc(found[0])
	if c.Func != retention.Random {
		m.refuse("it belongs to random", "has no meaning with "+found[0], "length")
	}
	return m.get(found[0]) != nil
}

// changeArgs reads the function's argument.
func (d *decoder) changeArgs(m *mapping, c *retention.Change) bool {
	arg := m.get(string(c.Func))
	what := string(c.Func) + " of " + c.Column
	before := len(d.problems)
	switch c.Func {
	case retention.Set:
		if s, ok := d.scalar(arg, what); ok && s.Null {
			d.reject(arg, c.Column+": null", "%s cannot be null", what)
		} else {
			c.Value = &s
		}
	case retention.KeepLeft, retention.KeepRight:
		c.N = d.integer(arg, what, 1, 1_000_000)
	case retention.Bucket, retention.RoundTo:
		c.N = d.integer(arg, what, 1, 1_000_000_000_000)
	case retention.Truncate:
		c.Unit = d.word(arg, what, "year", "quarter", "month", "day")
	case retention.MaskIP:
		c.Bits = d.maskBits(arg, what)
	case retention.Random:
		c.Unit = d.word(arg, what, "digits", "letters", "token")
		c.N = d.integer(m.need("length", "{random: token, length: 24}"), "length of "+c.Column, 1, 1000)
	}
	return len(d.problems) == before
}

// maskBits reads [24, 48]: the bits of IPv4 and IPv6 addresses that stay.
func (d *decoder) maskBits(n *yaml.Node, what string) (bits [2]int) {
	const hint = "mask_ip: [24, 48], the bits that stay of IPv4 and IPv6 addresses"
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		d.reject(n, hint, "%s must be a list of two numbers", what)
		return bits
	}
	bits[0] = int(d.integer(n.Content[0], what, 0, 31))
	bits[1] = int(d.integer(n.Content[1], what, 0, 127))
	return bits
}
