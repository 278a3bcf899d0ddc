package policies

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// inspect refuses what the language does not take from YAML, in the whole
// tree: anchors, aliases, merge keys, explicit tags, duplicate keys, and keys
// without a value. A node found bad is left out of the rest of the decoding.
func (d *decoder) inspect(n *yaml.Node) {
	d.inspectNode(n)
	if d.bad[n] {
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		d.inspectMapping(n)
	case yaml.SequenceNode:
		for _, c := range n.Content {
			d.inspect(c)
			d.inspectEmpty(c, "a list item")
		}
	}
}

// inspectNode refuses features of the node itself.
func (d *decoder) inspectNode(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		d.reject(n, "write the value out", "a YAML alias (*%s) is not allowed", n.Value)
	case n.Anchor != "":
		d.reject(n, "write the value out where it is used", "a YAML anchor (&%s) is not allowed", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		d.reject(n, "write the value without a tag", "a YAML tag (%s) is not allowed", n.ShortTag())
	}
}

// inspectMapping refuses merge keys, duplicate keys and empty values.
func (d *decoder) inspectMapping(n *yaml.Node) {
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if !d.inspectKey(k) {
			d.bad[v] = true
			continue
		}
		if first := seen[k.Value]; first != nil {
			d.reject(k, "keep one of them", "the key %q is there twice (first on line %d)", k.Value, first.Line)
			d.bad[v] = true
			continue
		}
		seen[k.Value] = k
		d.inspectItem(n, k, v)
		if empty(v) && n.Style&yaml.FlowStyle != 0 && strings.Contains(k.Value, " ") {
			d.reject(k, "put quotes around a text with a comma in it", "a comma cuts the text before %q", k.Value)
			d.bad[v] = true
		} else if empty(v) {
			d.rejectFrom(k, v, "write a value; null where nothing is meant", "the key %q has no value", k.Value)
		} else {
			d.inspectNull(v)
		}
	}
}

// inspectItem goes down, with the rule's id known for the rules of the policy.
func (d *decoder) inspectItem(parent, k, v *yaml.Node) {
	if parent != d.root || k.Value != "rules" || v.Kind != yaml.SequenceNode {
		d.inspect(v)
		return
	}
	d.inspectNode(v)
	for _, item := range v.Content {
		d.rule = idOf(item)
		d.inspect(item)
		d.inspectEmpty(item, "a list item")
		d.rule = ""
	}
}

// inspectKey reports whether the key is a plain one.
func (d *decoder) inspectKey(k *yaml.Node) bool {
	d.inspectNode(k)
	switch {
	case d.bad[k]:
	case k.Kind != yaml.ScalarNode:
		d.reject(k, "", "a key must be a word")
	case k.Tag == "!!merge" || k.Value == "<<":
		d.reject(k, "write the keys out", "a YAML merge key (<<) is not allowed")
	case strings.TrimSpace(k.Value) == "":
		d.reject(k, "", "a key must not be empty")
	default:
		return true
	}
	return false
}

// inspectEmpty refuses a list item without a value.
func (d *decoder) inspectEmpty(n *yaml.Node, what string) {
	if empty(n) {
		d.reject(n, "write a value; null where nothing is meant", "%s has no value", what)
		return
	}
	d.inspectNull(n)
}

// inspectNull refuses the other spellings of null: only the word itself is
// clearly meant.
func (d *decoder) inspectNull(n *yaml.Node) {
	if isNull(n) && n.Value != "null" && !empty(n) {
		d.reject(n, "write null", "%q is not read as null", n.Value)
	}
}

// empty reports whether nothing was written.
func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && isNull(n)
}

// isNull reports whether the node is an unquoted null of any spelling.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// idOf returns the id of a rule's mapping, where it has one.
func idOf(n *yaml.Node) string {
	if n.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "id" && n.Content[i+1].Kind == yaml.ScalarNode {
			return n.Content[i+1].Value
		}
	}
	return ""
}
