package policies

import (
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// DecodePredicateJSON reads the condition of a hold, such as
// {"status": {"in": ["open", "late"]}}: the language of where, in which sql is
// refused, because nobody reviews it. The predicate is nil exactly if there are
// problems.
func DecodePredicateJSON(text string) (*retention.Predicate, []Problem) {
	d := newDecoder("where", Env{})
	var p *retention.Predicate
	if strings.TrimSpace(text) == "" {
		d.failAt(1, 1, `such as {"status": "closed"}`, "where is empty")
	} else if d.root = d.parse([]byte(text)); d.root != nil {
		d.inspect(d.root)
		p = d.predicate(d.root, "where")
		d.refuseSQL(p)
	}
	if len(d.problems) > 0 {
		return nil, ordered(d.problems)
	}
	return p, nil
}

// refuseSQL refuses sql at any depth.
func (d *decoder) refuseSQL(p *retention.Predicate) {
	if p == nil {
		return
	}
	if p.SQL != "" {
		d.failAt(p.Pos.Line, p.Pos.Col, "name columns and operators", "sql is not allowed here")
	}
	for i := range p.All {
		d.refuseSQL(&p.All[i])
	}
	for i := range p.Any {
		d.refuseSQL(&p.Any[i])
	}
	d.refuseSQL(p.Not)
	if p.Exists != nil {
		d.refuseSQL(p.Exists.Where)
	}
}
