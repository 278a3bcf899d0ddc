package policies

import (
	"slices"

	"github.com/retentiond/retentiond/retention/spelling"
	"go.yaml.in/yaml/v3"
)

// mapping is a YAML mapping whose keys are known words.
type mapping struct {
	d      *decoder
	node   *yaml.Node
	what   string // for messages: "the rule", "a child"
	keys   map[string]*yaml.Node
	values map[string]*yaml.Node
	meant  map[string]bool // known keys that an unknown one probably is
}

// mapping reads a node as a mapping of the shape, refusing unknown keys; false
// where it is none.
func (d *decoder) mapping(n *yaml.Node, shape, what string) (*mapping, bool) {
	if d.bad[n] {
		return nil, false
	}
	if n.Kind != yaml.MappingNode {
		d.reject(n, "", "%s must be a mapping, not %s", what, kindName(n))
		return nil, false
	}
	m := &mapping{d: d, node: n, what: what, keys: map[string]*yaml.Node{}, values: map[string]*yaml.Node{}, meant: map[string]bool{}}
	known := keysOf(shape)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if d.bad[k] {
			continue
		}
		if !slices.Contains(known, k.Value) {
			d.unknownKey(k, known, what)
			m.meant[spelling.Nearest(k.Value, known)] = true
			continue
		}
		m.keys[k.Value], m.values[k.Value] = k, v
	}
	return m, true
}

// unknownKey refuses a key.
func (d *decoder) unknownKey(k *yaml.Node, known []string, what string) {
	d.fail(k, didYouMean(k.Value, known), "unknown key %q in %s", k.Value, what)
}

// has reports whether the key was written, well or badly.
func (m *mapping) has(key string) bool { return m.values[key] != nil }

// get returns the value of the key; nil where it is not written or was
// reported before.
func (m *mapping) get(key string) *yaml.Node {
	v := m.values[key]
	if v == nil || m.d.bad[v] {
		return nil
	}
	return v
}

// need returns the value of a required key, or reports that it is missing; a
// misspelt one was reported before.
func (m *mapping) need(key, hint string) *yaml.Node {
	if !m.has(key) && !m.meant[key] {
		m.d.fail(m.node, hint, "%s has no %s", m.what, key)
	}
	return m.get(key)
}

// refuse reports each of the keys that is written although it has no meaning.
func (m *mapping) refuse(hint, because string, keys ...string) {
	for _, key := range keys {
		if k := m.keys[key]; k != nil {
			m.d.fail(k, hint, "%s: %s", key, because)
		}
	}
}
