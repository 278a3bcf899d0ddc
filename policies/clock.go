package policies

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// bounds is what a clock group says of each member.
type bounds struct {
	round               calendar.Round
	rounded             bool
	notBefore, notAfter time.Time
}

// clock reads `from`: a column, a typed or related one, or latest/earliest of
// several.
func (d *decoder) clock(n *yaml.Node) retention.Clock {
	c := retention.Clock{}
	if n == nil || d.bad[n] {
		return c
	}
	c.Pos = d.pos(n)
	switch {
	case n.Kind == yaml.SequenceNode:
		d.reject(n, "from: {latest: […]} or {earliest: […]}", "from has a list without latest or earliest")
	case n.Kind == yaml.MappingNode && len(n.Content) == 0:
		d.reject(n, "from: a column, or {latest: […]}", "from is empty")
	case n.Kind == yaml.MappingNode && (hasKey(n, "latest") || hasKey(n, "earliest") || hasKey(n, "nulls")):
		d.clockGroup(n, &c)
	default:
		if m, ok := d.member(n, bounds{}); ok {
			c.Members = []retention.Member{m}
		}
	}
	return c
}

// clockGroup reads {latest: […]} or {earliest: […]}.
func (d *decoder) clockGroup(n *yaml.Node, c *retention.Clock) {
	m, ok := d.mapping(n, shapeGroup, "from")
	if !ok {
		return
	}
	c.Earliest = m.has("earliest")
	switch {
	case m.has("latest") && m.has("earliest"):
		d.fail(n, "one of them", "from has both latest and earliest")
	case !m.has("latest") && !m.has("earliest"):
		d.fail(n, "nulls: belongs to latest or earliest", "from has neither latest nor earliest")
	}
	if v := m.get("nulls"); v != nil {
		c.NullsOpen = d.word(v, "nulls", "pass", "open") == "open"
	}
	outer := d.bounds(m, bounds{})
	for _, key := range []string{"latest", "earliest"} {
		for _, item := range d.items(m.get(key), key) {
			if member, ok := d.member(item, outer); ok {
				c.Members = append(c.Members, member)
			}
		}
	}
}

// member reads one member of a clock.
func (d *decoder) member(n *yaml.Node, outer bounds) (retention.Member, bool) {
	out := retention.Member{Pos: d.pos(n), Zone: d.zone}
	if d.bad[n] {
		return out, false
	}
	if d.files != nil && !hasKey(n, "latest") && !hasKey(n, "earliest") {
		return d.fileMember(n, outer, out)
	}
	if n.Kind != yaml.MappingNode {
		out.Column = d.text(n, "the clock's column")
		out.Round, out.NotBefore, out.NotAfter = outer.round, outer.notBefore, outer.notAfter
		return out, out.Column != ""
	}
	if hasKey(n, "latest") || hasKey(n, "earliest") {
		d.reject(n, "one level: list all members together", "latest and earliest cannot be nested")
		return out, false
	}
	if d.files == nil && hasKey(n, "name") && !hasKey(n, "column") {
		d.reject(n, "from: a column; a dataset of files has `files:` instead of `table:`", "a clock from a name needs a dataset of files")
		return out, false
	}
	return d.typedMember(n, outer, out)
}

// typedMember reads a member written as a mapping: an own or a related column.
func (d *decoder) typedMember(n *yaml.Node, outer bounds, out retention.Member) (retention.Member, bool) {
	shape, what := shapeColumn, "the clock"
	if hasKey(n, "table") || hasKey(n, "on") || hasKey(n, "via") {
		shape, what = shapeRelated, "the related clock"
	}
	m, ok := d.mapping(n, shape, what)
	if !ok {
		return out, false
	}
	column := d.text(m.need("column", "column: the column that holds the time"), "the clock's column")
	if shape == shapeRelated {
		out.Related = d.relationOf(m)
		out.Related.Column = column
	} else {
		out.Column = column
	}
	if v := m.get("as"); v != nil {
		out.As = retention.ClockType(d.word(v, "as", "unix-seconds", "unix-milliseconds", "text", "date", "timestamp"))
	}
	if v := m.get("zone"); v != nil {
		if loc := d.location(v, "zone"); loc != nil {
			out.Zone = loc
		}
	}
	b := d.bounds(m, outer)
	out.Round, out.NotBefore, out.NotAfter = b.round, b.notBefore, b.notAfter
	return out, column != ""
}

// bounds reads round, not_before and not_after over what the group says.
func (d *decoder) bounds(m *mapping, b bounds) bounds {
	if v := m.get("round"); v != nil {
		b.round, b.rounded = d.round(v)
	}
	if v := m.get("not_before"); v != nil {
		b.notBefore = d.instant(v, "not_before", false)
	}
	if v := m.get("not_after"); v != nil {
		b.notAfter = d.instant(v, "not_after", true)
	}
	if !b.notBefore.IsZero() && !b.notAfter.IsZero() && !b.notBefore.Before(b.notAfter) {
		d.fail(m.node, "", "not_before is not before not_after: no clock would be plausible")
	}
	return b
}
