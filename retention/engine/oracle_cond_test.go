package engine_test

import (
	"regexp"
	"strings"
)

// tri is SQL's logic: a condition on NULL is unknown.
type tri int

const (
	no tri = iota
	unknown
	yes
)

func of(b bool) tri {
	if b {
		return yes
	}
	return no
}

// cond is the condition of a row; no condition is true of every row.
func (o *oracle) cond(p place, table string, r *oRow, c *wCond) tri {
	if c == nil {
		return yes
	}
	switch c.Op {
	case "and", "or":
		out := of(c.Op == "and")
		for _, part := range c.Parts {
			x := o.cond(p, table, r, part)
			if c.Op == "and" {
				out = min(out, x)
			} else {
				out = max(out, x)
			}
		}
		return out
	case "not":
		return yes - o.cond(p, table, r, c.Parts[0])
	case "exists":
		for _, f := range o.related(p, table, r, c.Related) {
			if o.cond(p, c.Related.Table, f, c.Related.Where) == yes {
				return yes
			}
		}
		return no
	}
	t := o.at(p, table)
	if c.Op == "sql" {
		return sqlTests()[c.Values[0].S](t.get(r, "status"), t.get(r, "amount"))
	}
	return compare(t.get(r, c.Column), c)
}

// sqlTests are conditions in SQL, each with what it means, written by hand.
func sqlTests() map[string]func(status, amount cell) tri {
	known := func(c cell, b bool) tri {
		if c.null() {
			return unknown
		}
		return of(b)
	}
	return map[string]func(status, amount cell) tri{
		"amount % 2 = 0":             func(_, a cell) tri { return known(a, a.I%2 == 0) },
		"length(status) > 4":         func(s, _ cell) tri { return known(s, len(s.S) > 4) },
		"coalesce(amount, 0) < 120":  func(_, a cell) tri { return of(a.I < 120) },
		"amount BETWEEN 0 AND 200":   func(_, a cell) tri { return known(a, a.I >= 0 && a.I <= 200) },
		"NOT amount > 119":           func(_, a cell) tri { return known(a, a.I <= 119) },
		"amount IS NULL OR amount<0": func(_, a cell) tri { return of(a.null() || a.I < 0) },
		"status = 'it''s -- (' OR status IN ('open', 'closed')": func(s, _ cell) tri {
			return known(s, s.S == "open" || s.S == "closed")
		},
		"CASE WHEN status = 'open' THEN 1 ELSE 0 END = 1": func(s, _ cell) tri { return of(s.S == "open") },
		"status <> 'open' AND amount > 0": func(s, a cell) tri {
			return min(known(s, s.S != "open"), known(a, a.I > 0))
		},
	}
}

func compare(v cell, c *wCond) tri {
	switch c.Op {
	case "null":
		return of(v.null())
	case "notnull":
		return of(!v.null())
	}
	if v.null() {
		return unknown
	}
	switch c.Op {
	case "in", "not_in":
		found := false
		for _, x := range c.Values {
			found = found || order(v, x) == 0
		}
		return of(found == (c.Op == "in"))
	case "like":
		pattern := strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(c.Values[0].S))
		return of(regexp.MustCompile("(?is)^" + pattern + "$").MatchString(v.S))
	}
	n := order(v, c.Values[0])
	return of(map[string]bool{"eq": n == 0, "ne": n != 0, "lt": n < 0, "lte": n <= 0, "gt": n > 0, "gte": n >= 0}[c.Op])
}

// order compares two values of one kind.
func order(a, b cell) int {
	if a.T == "integer" && b.T == "integer" {
		switch {
		case a.I < b.I:
			return -1
		case a.I > b.I:
			return 1
		}
		return 0
	}
	return strings.Compare(a.S, b.S)
}
