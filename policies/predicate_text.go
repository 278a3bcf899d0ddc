package policies

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// PredicateText writes a condition for people, near to SQL. It is no SQL: it is
// never sent to a database.
func PredicateText(p *retention.Predicate) string {
	switch {
	case p == nil:
		return ""
	case p.All != nil:
		return joined(p.All, " and ")
	case p.Any != nil:
		return joined(p.Any, " or ")
	case p.Not != nil:
		return "not (" + PredicateText(p.Not) + ")"
	case p.Exists != nil:
		return existsText(p.Exists)
	case p.Test != nil:
		return testText(p.Test)
	}
	return "sql(" + p.SQL + ")"
}

// joined writes members with the word between, and brackets where they are
// joined themselves.
func joined(ps []retention.Predicate, word string) string {
	parts := make([]string, len(ps))
	for i := range ps {
		parts[i] = PredicateText(&ps[i])
		if len(ps) > 1 && (len(ps[i].All) > 1 || len(ps[i].Any) > 1) {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, word)
}

func existsText(r *retention.Relation) string {
	if r.Where == nil {
		return "exists " + r.Table.String()
	}
	return "exists " + r.Table.String() + " (" + PredicateText(r.Where) + ")"
}

// testText writes one comparison.
func testText(c *retention.Comparison) string {
	values := make([]string, len(c.Values))
	for i, v := range c.Values {
		values[i] = v.Text
		if v.Tag == retention.TagString {
			values[i] = strconv.Quote(v.Text)
		}
	}
	list := strings.Join(values, ", ")
	switch c.Op {
	case retention.IsNull:
		return c.Column + " is null"
	case retention.NotNull:
		return c.Column + " is not null"
	case retention.In:
		return fmt.Sprintf("%s in (%s)", c.Column, list)
	case retention.NotIn:
		return fmt.Sprintf("%s not in (%s)", c.Column, list)
	}
	return c.Column + " " + symbol(c.Op) + " " + list
}

func symbol(op retention.Op) string {
	switch op {
	case retention.Eq:
		return "="
	case retention.Ne:
		return "≠"
	case retention.Lt:
		return "<"
	case retention.Lte:
		return "≤"
	case retention.Gt:
		return ">"
	case retention.Gte:
		return "≥"
	}
	return string(op)
}
