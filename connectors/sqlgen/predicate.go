package sqlgen

import (
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// match is TRUE or FALSE: whether the condition is true of the row. No
// condition is true of every row.
func (g *Gen) match(r row, p *retention.Predicate) SQL { return holdsTrue(g.predicate(r, p)) }

// predicate is the condition in SQL's three values.
func (g *Gen) predicate(r row, p *retention.Predicate) SQL {
	switch {
	case p == nil:
		return sqlTrue
	case p.Test != nil:
		return g.test(r, p.Test)
	case p.Exists != nil:
		x, on := g.reach(r, p.Exists)
		return g.exists(x, on, g.match(x, p.Exists.Where))
	case p.Not != nil:
		return Not(g.predicate(r, p.Not))
	case p.SQL != "":
		return g.fragment(p.SQL)
	case p.All != nil:
		return And(g.predicates(r, p.All)...)
	case p.Any != nil:
		return Or(g.predicates(r, p.Any)...)
	}
	return g.fail("condition on table %s is empty", r.table.Name)
}

func (g *Gen) predicates(r row, ps []retention.Predicate) []SQL {
	out := make([]SQL, len(ps))
	for i := range ps {
		out[i] = g.predicate(r, &ps[i])
	}
	return out
}

func operators() map[retention.Op]string {
	return map[retention.Op]string{
		retention.Eq: "=", retention.Ne: "<>", retention.Lt: "<", retention.Lte: "<=",
		retention.Gt: ">", retention.Gte: ">=", retention.Like: "LIKE",
	}
}

func (g *Gen) test(r row, t *retention.Comparison) SQL {
	col := g.col(r, t.Column)
	switch t.Op {
	case retention.IsNull:
		return Format("%s IS NULL", col)
	case retention.NotNull:
		return Format("%s IS NOT NULL", col)
	case retention.In:
		return g.in(r, t)
	case retention.NotIn:
		return g.notIn(r, t)
	}
	op, known := operators()[t.Op]
	if !known || len(t.Values) != 1 {
		return g.fail("column %s: operator %q takes one value", t.Column, t.Op)
	}
	return g.compare(r, t, op)
}

func (g *Gen) compare(r row, t *retention.Comparison, op string) SQL {
	col, v := g.col(r, t.Column), t.Values[0]
	switch {
	case v.Null && t.Op == retention.Eq:
		return Format("%s IS NULL", col)
	case v.Null && t.Op == retention.Ne:
		return Format("%s IS NOT NULL", col)
	case v.Null:
		return g.fail("column %s: operator %q cannot compare with null", t.Column, t.Op)
	case t.Op == retention.Like:
		return Format("%s LIKE %s", col, Arg(v.Text))
	}
	return Format("%s "+op+" %s", col, g.value(r, t.Column, v))
}

// in lists the values; a null among them matches NULL.
func (g *Gen) in(r row, t *retention.Comparison) SQL {
	list, null := g.list(r, t)
	col := g.col(r, t.Column)
	any := []SQL{}
	if len(list) > 0 {
		any = append(any, Format("%s IN (%s)", col, Join(", ", list...)))
	}
	if null {
		any = append(any, Format("%s IS NULL", col))
	}
	return Or(any...)
}

// notIn is the opposite of in, but a NULL column never matches: unknown is not
// "not among them".
func (g *Gen) notIn(r row, t *retention.Comparison) SQL {
	list, _ := g.list(r, t)
	col := g.col(r, t.Column)
	if len(list) == 0 {
		return Format("%s IS NOT NULL", col)
	}
	return Format("%s NOT IN (%s)", col, Join(", ", list...))
}

func (g *Gen) list(r row, t *retention.Comparison) (list []SQL, null bool) {
	for _, v := range t.Values {
		if v.Null {
			null = true
			continue
		}
		list = append(list, g.value(r, t.Column, v))
	}
	return list, null
}

func (g *Gen) value(r row, column string, s retention.Scalar) SQL {
	v, err := Value(g.column(r, column), s)
	if err != nil {
		return g.fail("table %s: %w", r.table.Name, err)
	}
	return g.bind(Arg(v), g.column(r, column))
}

// fragment takes a reviewed `sql:` condition, but not one that could leave its
// parentheses or smuggle in a parameter.
func (g *Gen) fragment(text string) SQL {
	if why := unclosed(text, g.d.Quotes, g.d.Reserved); why != "" {
		return g.fail("sql: %q: %s", text, why)
	}
	return Raw("(" + text + "\n)")
}

// unclosed says why a fragment cannot stand in parentheses; empty: it can.
func unclosed(text, quotes, reserved string) string {
	if quotes == "" {
		quotes = "'\"`["
	}
	if strings.ContainsAny(text, mark+"\x00") {
		return "control characters are not allowed"
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case strings.HasPrefix(text[i:], "--"), strings.HasPrefix(text[i:], "/*"):
			return "comments are not allowed"
		case c == '\'' && escapes(text[:i]):
			return "strings with escapes (E'…') are not allowed"
		case strings.IndexByte(quotes, c) >= 0:
			end := strings.IndexByte(text[i+1:], closing(c))
			if end < 0 {
				return "a quote is not closed"
			}
			i += end + 1
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return "a parenthesis closes that was not opened"
			}
		case c == ';':
			return "it is more than one expression"
		case strings.IndexByte(reserved, c) >= 0:
			return "parameters are not allowed"
		}
	}
	if depth != 0 {
		return "a parenthesis is not closed"
	}
	if strings.TrimSpace(text) == "" {
		return "it is empty"
	}
	return ""
}

// escapes reports whether a quote after this text opens a string in which a
// backslash can hide the end of the string.
func escapes(before string) bool {
	n := len(before)
	if n == 0 || before[n-1]|0x20 != 'e' {
		return false
	}
	return n == 1 || !identifier(before[n-2])
}

func identifier(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func closing(quote byte) byte {
	if quote == '[' {
		return ']'
	}
	return quote
}
