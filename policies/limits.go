package policies

import (
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// limits reads {rows, share}; nil is no limits of one's own.
func (d *decoder) limits(n *yaml.Node) retention.Limits {
	var l retention.Limits
	if n == nil {
		return l
	}
	m, ok := d.mapping(n, shapeLimits, "limits")
	if !ok {
		return l
	}
	if len(n.Content) == 0 {
		d.reject(n, "limits: {rows: 100000, share: 20%}", "limits is empty")
	}
	if v := m.get("rows"); v != nil {
		l.Rows = d.integer(v, "rows", 1, math.MaxInt64)
	}
	if v := m.get("share"); v != nil {
		l.Share = d.share(v, "share", false)
	}
	return l
}

// share reads a part of a whole as 20% or 0.2. A bare 1 could mean either and
// is refused.
func (d *decoder) share(n *yaml.Node, what string, zero bool) float64 {
	s := d.text(n, what)
	if s == "" {
		return 0
	}
	number, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	bare := !percent && !strings.Contains(number, ".") && v != 0
	switch {
	case err != nil || bare || !(v >= 0 && v <= 1) || strings.ContainsAny(number, "xXpP_eE"):
		d.reject(n, "a share of the table: 20% or 0.2", "%s cannot be %q", what, s)
		return 0
	case v == 0 && !zero:
		d.reject(n, "leave the rule disabled instead: enabled: false", "%s must be more than 0", what)
	}
	return v
}
