package policies

import (
	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// isNone reports whether the node is the word none.
func isNone(n *yaml.Node) bool {
	return n != nil && n.Kind == yaml.ScalarNode && n.Value == "none"
}

// subject reads whom a row is about: none with a reason, or types with their
// column, columns or related column.
func (d *decoder) subject(m *mapping, n *yaml.Node, ds *retention.Dataset) {
	switch {
	case isNone(n):
		ds.NoSubject = d.text(m.need("why", "why: the reason why no person is in it"), "why")
	case n.Kind != yaml.MappingNode:
		d.reject(n, "{person: "+plainName(scalarOr(n, "id"))+"}", "subject must be a mapping of types, not %s", kindName(n))
	case len(n.Content) == 0:
		d.reject(n, "{person: column}, or none with why:", "subject is empty")
	default:
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			if d.bad[k] || d.bad[v] {
				continue
			}
			if s, ok := d.subjectType(k, v); ok {
				ds.Subjects = append(ds.Subjects, s)
			}
		}
	}
}

// subjectType reads one type of subject.
func (d *decoder) subjectType(k, v *yaml.Node) (retention.Subject, bool) {
	s := retention.Subject{Type: d.name(k, "a subject type")}
	if d.files != nil {
		if c := d.fileSubject(v, k.Value); c != "" {
			s.Columns = []string{c}
		}
		return s, s.Type != "" && len(s.Columns) > 0
	}
	switch v.Kind {
	case yaml.MappingNode:
		s.Related = d.relation(v, shapeRelation, "the subject "+k.Value)
		if s.Related != nil && s.Related.Column == "" && !hasKey(v, "column") {
			d.fail(v, "column: the column that holds the identifier", "the subject %s has no column", k.Value)
		}
	case yaml.SequenceNode:
		s.Columns = d.texts(v, "the columns of "+k.Value)
	default:
		if c := d.text(v, "the column of "+k.Value); c != "" {
			s.Columns = []string{c}
		}
	}
	return s, s.Type != "" && (len(s.Columns) > 0 || s.Related != nil)
}

// hasKey reports whether the mapping has the key, whatever its value.
func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}
