package sqlgen

import (
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// byClockAlone reports whether nothing but one raw value of the row decides its
// class: no condition, hold, minimum or child has a say, and the row can be named.
func (g *Gen) byClockAlone(t row) bool {
	m := g.s.Clock.Members
	if g.s.Clock.Any || len(m) != 1 || m[0].Related != nil || !g.native(t, m[0].Column, m[0]) {
		return false
	}
	others := append(g.nameless(t), g.excluded(t), g.alreadyDone(t), g.held(t, g.s.Reach), g.protected(t, g.s.Minimums), g.blocked(t, g.s.Blocked))
	return isFalse(Or(others...))
}

// countClock is Count where one raw value decides: three counts of one pass tell all
// classes, and no row's class is worked out. What is before the cutoff is not
// unresolved, and NULL is neither.
func (g *Gen) countClock(t row) (Query, error) {
	m := g.s.Clock.Members[0]
	col, c := g.col(t, m.Column), g.column(t, m.Column)
	due := g.before(t, m.Column, m)
	inner := []SQL{
		Raw("count(*) AS n"), Format("count(%s) AS said", col),
		Format("count(*) FILTER (WHERE %s) AS bad", g.unresolved(t, m.Column, m)), Format("count(*) FILTER (WHERE %s) AS due", due),
	}
	counts := map[retention.Class]string{retention.Open: "k.n - k.said", retention.Unresolved: "k.bad", retention.Active: "k.said - k.bad - k.due", retention.Due: "k.due"}
	outer := []SQL{Raw("k.n")}
	for _, k := range retention.ClassOrder() {
		n := counts[k]
		if n == "" {
			n = "0"
		}
		outer = append(outer, Raw(n))
	}
	for _, e := range []struct{ agg, name string }{{"min", "v"}, {"max", "w"}} {
		if e.agg == "max" && !g.s.Newest {
			continue
		}
		inner = append(inner, Format(e.agg+"(%s) FILTER (WHERE %s) AS "+e.name, col, due))
		micros, err := g.d.Clock(Raw("k."+e.name), c, m)
		if err != nil {
			return Query{}, fmt.Errorf("table %s: %w", t.table.Name, err)
		}
		outer = append(outer, micros)
	}
	return g.done(Format("SELECT %s\nFROM (SELECT %s\nFROM %s) AS k", Join(", ", outer...), Join(",\n  ", inner...), g.from(t)))
}
