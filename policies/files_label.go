package policies

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// labelMember reads a clock that objects carry: metadata or a tag.
func (d *decoder) labelMember(n *yaml.Node, shape, key string, outer bounds, out retention.Member) (retention.Member, bool) {
	m, ok := d.mapping(n, shape, "the clock")
	if !ok {
		return out, false
	}
	out.Column = d.label(m, key, true)
	out.As = retention.AsText
	d.zoneOf(m, &out)
	b := d.bounds(m, outer)
	out.Round, out.NotBefore, out.NotAfter = b.round, b.notBefore, b.notAfter
	return out, out.Column != ""
}

// label reads the key of metadata or of a tag, and returns the column of the listing
// that it makes. Keys of metadata tell no upper from lower case.
func (d *decoder) label(m *mapping, kind string, clock bool) string {
	v := m.get(kind)
	key := d.text(v, kind+" of "+m.what)
	if key == "" {
		return ""
	}
	c := retention.FileColumn{Clock: clock}
	if strings.ContainsFunc(key, control) || kind == "metadata" && strings.ContainsAny(key, " :") {
		d.reject(v, "the key alone, without x-amz-meta- before it, such as {metadata: closed-at}", "%s of %s cannot be %q", kind, m.what, key)
		return ""
	}
	if kind == "tag" {
		c.Tag = key
	} else {
		c.Metadata = strings.TrimPrefix(strings.ToLower(key), "x-amz-meta-")
		key = c.Metadata
	}
	if c.Name = kind + " " + key; clock { // a clock is kept as a time, a name as it is
		c.Name += " as a time"
	}
	d.addFileColumn(c)
	return c.Name
}
