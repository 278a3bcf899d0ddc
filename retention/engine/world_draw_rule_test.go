package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func calendarPeriods() []wPeriod { // from the shortest to the longest
	return []wPeriod{
		{Text: "0 days"}, {Days: 3, Text: "3 jours"}, {Weeks: 2, Text: "2 weeks"}, {Months: 1, Text: "1 month"}, {Days: 90, Text: "P90D"},
		{Years: 1, Text: "1 an"}, {Months: 13, Text: "13 mois"}, {Years: 1, Months: 6, Text: "1 year 6 months"}, {Years: 3, Text: "3 years"}, {Years: 10, Text: "P10Y"},
	}
}

func exactPeriods() []wPeriod {
	return []wPeriod{
		{Exact: true, Text: "0 seconds"}, {Exact: true, Seconds: 900, Text: "15 minutes"},
		{Exact: true, Seconds: 36 * 3600, Text: "PT36H"}, {Exact: true, Seconds: 2000 * 3600, Text: "2000 hours"},
	}
}

func (g *gen) rules() {
	if g.vaults {
		g.w.Rules = append(g.w.Rules, g.archiving(archivingRule, g.w.Datasets[0]))
		if g.chance(40, "a minimum") {
			g.w.Rules = append(g.w.Rules, g.lasting("r6", g.w.Datasets[0]))
		}
	}
	for i := 0; i <= g.upTo(3, "rules"); i++ {
		d := pick(g, "dataset", g.w.Datasets...)
		g.w.Rules = append(g.w.Rules, g.rule(fmt.Sprintf("r%d", i), d))
	}
	if g.w.Zone2 != "" { // no policy without a rule
		d := pick(g, "second's dataset", g.ofSecond()...)
		g.w.Rules = append(g.w.Rules, g.rule("r9", d))
		if !slices.ContainsFunc(g.w.Rules, func(r *wRule) bool { return !g.w.dataset(r.Dataset).Second }) {
			g.w.Rules = append(g.w.Rules, g.rule("r8", g.w.Datasets[0]))
		}
	}
	slices.SortStableFunc(g.w.Rules, func(a, b *wRule) int {
		return strings.Compare(g.w.dataset(b.Dataset).policy(), g.w.dataset(a.Dataset).policy())
	})
}

// archivingRule is the rule of a vault world that archives.
const archivingRule = "r7"

// archiving draws a rule that archives soon and ends later.
func (g *gen) archiving(id string, d *wDataset) *wRule {
	t, r := g.w.table(d.Table), &wRule{ID: id, Dataset: d.Name}
	if r.Clock = g.clock(t); g.chance(70, "a clock of its own") {
		c := t.Columns[t.at(clocksOf(t, g.as)[0])]
		r.Clock = wClock{Members: []wMember{{Column: c.Name, As: g.as[t.Name+"."+c.Name]}}}
	}
	if g.chance(15, "where") {
		r.Where = g.where(t)
	}
	periods := calendarPeriods()
	at := g.upTo(4, "archive after")
	r.Stages = []wStage{{Keep: periods[at], Then: "archive"}, {Keep: periods[at+1+g.upTo(len(periods)-2-at, "end after")], Then: "delete"}}
	return r
}

// lasting draws a legal minimum by a clock of the row.
func (g *gen) lasting(id string, d *wDataset) *wRule {
	t, r := g.w.table(d.Table), &wRule{ID: id, Dataset: d.Name}
	col := pick(g, "clock of the minimum", clocksOf(t, g.as)...)
	r.Clock = wClock{Members: []wMember{{Column: col, As: g.as[t.Name+"."+col]}}}
	p := pick(g, "lasts", calendarPeriods()...)
	r.AtLeast = &p
	return r
}

// ofSecond are the second policy's datasets; where none was drawn, one is made.
func (g *gen) ofSecond() []*wDataset {
	var out []*wDataset
	for _, d := range g.w.Datasets {
		if d.Second {
			out = append(out, d)
		}
	}
	if len(out) == 0 {
		out = append(out, g.again(g.mains[0], g.w.Datasets[0]))
		g.w.Datasets = append(g.w.Datasets, out[0])
	}
	return out
}

// asleep makes some rules only report.
func (g *gen) asleep(r *wRule) {
	switch pick(g, "asleep", "", "", "", "", "", "", "", "disabled", "from") {
	case "disabled":
		r.Disabled = true
	case "from":
		day := civil(g.w.AsOf, g.zone).AddDate(0, 0, pick(g, "effective in", 0, 1, -1, 15, 500))
		r.EffectiveFrom = day.Format("2006-01-02") + pick(g, "effective at", "", "", "T12:00:00Z")
	}
}

func (g *gen) rule(id string, d *wDataset) *wRule {
	t := g.w.table(d.Table)
	r := &wRule{ID: id, Dataset: d.Name}
	kinds := []string{"delete", "redact", "anonymise", "archive", "minimum", "redact delete", "report delete", "report"}
	if g.bare[d] {
		kinds = []string{"minimum", "redact", "report", "anonymise"}
	}
	kind := pick(g, "kind", kinds...)
	r.Clock = g.clock(t)
	if kind == "archive" && g.chance(30, "mixed roundings") { // the copy carries the event alone
		for i := range r.Clock.Members {
			r.Clock.Members[i].Round = g.round()
		}
	}
	if g.chance(50, "where") {
		r.Where = g.where(t)
	}
	g.stages(r, t, kind)
	g.asleep(r)
	return r
}

// stages draws periods that rise, and what happens at the end of each.
func (g *gen) stages(r *wRule, t *wTable, kind string) {
	periods := calendarPeriods()
	if g.takesExact(t, &r.Clock) && g.chance(30, "exact") {
		periods = exactPeriods()
	}
	then := strings.Fields(kind)
	if kind == "archive" {
		then = []string{"archive", "delete"}
	}
	if kind == "minimum" {
		p := pick(g, "at least", periods...)
		r.AtLeast = &p
		return
	}
	at, least := g.upTo(len(periods)-len(then), "period"), -1
	for i, k := range then {
		s := wStage{Keep: periods[at], Then: k}
		if k == "redact" || k == "anonymise" {
			g.changes(&s, t)
		}
		if least < 0 && (k == "delete" || k == "redact" || k == "anonymise") {
			least = at
		}
		r.Stages = append(r.Stages, s)
		if i+1 < len(then) {
			at = min(at+1+g.upTo(2, "longer"), len(periods)-1)
		}
	}
	if least >= 0 && g.chance(20, "own minimum") {
		r.AtLeast = &periods[g.upTo(least, "at least")]
	}
}

// takesExact: an exact period needs a time of day.
func (g *gen) takesExact(t *wTable, c *wClock) bool {
	for _, m := range c.Members {
		of, col := t, m.Column
		if m.Related != nil {
			of, col = g.w.table(m.Related.Table), m.Related.Column
		}
		if of.column(col).Decl == "DATE" || m.As == "date" || m.Round != "" || c.Round != "" {
			return false
		}
	}
	return true
}

func (g *gen) clock(t *wTable) wClock {
	c := wClock{}
	c.Group = pick(g, "group", "", "latest", "earliest")
	n := 1
	if c.Group != "" {
		n += g.upTo(2, "members")
		c.NullsOpen = g.chance(50, "nulls open")
		if g.chance(20, "round") {
			c.Round = g.round()
		}
	}
	for range n {
		m := g.member(t)
		if g.chance(map[bool]int{true: 20, false: 12}[c.Group == ""], "own round") {
			m.Round = g.round()
		}
		c.Members = append(c.Members, m)
	}
	return c
}

func (g *gen) round() string { return pick(g, "round to", "month-end", "year-end", "08-31", "02-28") }

func (g *gen) member(t *wTable) wMember {
	var m wMember
	rel := g.relations(t)
	of := t
	if len(rel) > 0 && g.chance(50, "related") {
		m.Related = pick(g, "relation", rel...)
		if g.chance(40, "related where") {
			m.Related.Where = g.simpleOf(g.w.table(m.Related.Table))
		}
		of = g.w.table(m.Related.Table)
	}
	m.Column = pick(g, "column", clocksOf(of, g.as)...)
	if m.Related != nil {
		m.Related.Column = m.Column
	}
	m.As = g.as[of.Name+"."+m.Column]
	if d := of.column(m.Column).Decl; d != "INTEGER" && d != "TIMESTAMPTZ" && g.chance(20, "zone of") {
		m.Zone = pick(g, "member zone", "UTC", "Asia/Kolkata", "America/New_York")
	}
	if g.chance(10, "not before") {
		m.NotBefore = pick(g, "from", "1995-01-01", "2020-06-15")
	}
	if g.chance(10, "not after") {
		m.NotAfter = pick(g, "until", "2030-12-31", "2024-06-30")
	}
	if m.Related != nil {
		m.Column = ""
	}
	return m
}

func clocksOf(t *wTable, as map[string]string) []string {
	var out []string
	for _, c := range t.Columns {
		if _, ok := as[t.Name+"."+c.Name]; ok {
			out = append(out, c.Name)
		}
	}
	return out
}

// relations leads from the table to what hangs on it, and up to sessions.
func (g *gen) relations(t *wTable) []*wRelation {
	var out []*wRelation
	for _, m := range g.mains {
		for i, c := range m.children {
			if m.t == t {
				out = append(out, &wRelation{Table: c.t.Name, On: c.on})
			}
			if c.t == t {
				out = append(out, &wRelation{Table: m.t.Name, On: reversed(c.on)})
			}
			if m.t == t && i == 0 && m.grand != nil {
				out = append(out, &wRelation{Table: m.grand.Name, Via: []wHop{{Table: c.t.Name, On: c.on}}, On: []wPair{{"c_id", "id"}}})
			}
		}
	}
	if t.at("session_id") >= 0 {
		out = append(out, &wRelation{Table: "sessions", On: []wPair{{"id", "session_id"}}})
	}
	if t == g.up {
		out = append(out, &wRelation{Table: g.mains[0].t.Name, On: []wPair{{"session_id", "id"}}})
	}
	return out
}

// where draws a condition on a row of the table.
func (g *gen) where(t *wTable) *wCond {
	switch pick(g, "condition", "plain", "plain", "exists", "not exists") {
	case "exists":
		return g.exists(t)
	case "not exists":
		return &wCond{Op: "not", Parts: []*wCond{g.exists(t)}}
	}
	return g.plain(t)
}

// plain draws a condition on the row's own columns.
func (g *gen) plain(t *wTable) *wCond {
	switch pick(g, "plain condition", "simple", "simple", "not", "or", "and") {
	case "not":
		return &wCond{Op: "not", Parts: []*wCond{g.simpleOf(t)}}
	case "or":
		return &wCond{Op: "or", Parts: []*wCond{g.simpleOf(t), {Op: "not", Parts: []*wCond{g.simpleOf(t)}}}}
	case "and":
		return &wCond{Op: "and", Parts: []*wCond{g.simpleOf(t), g.simpleOf(t)}}
	}
	return g.simpleOf(t)
}

func (g *gen) exists(t *wTable) *wCond {
	rel := g.relations(t)
	if len(rel) == 0 {
		return g.simpleOf(t)
	}
	r := pick(g, "exists in", rel...)
	if g.chance(50, "exists where") {
		r.Where = g.simpleOf(g.w.table(r.Table))
	}
	return &wCond{Op: "exists", Related: r}
}

func (g *gen) simpleOf(t *wTable) *wCond {
	if t == g.up {
		return pick(g, "test", &wCond{Op: "eq", Column: "kind", Values: []cell{text("open")}}, &wCond{Op: "null", Column: "kind"})
	}
	return g.simple()
}

func (g *gen) simple() *wCond {
	if !g.noSQL && g.chance(10, "sql") {
		return &wCond{Op: "sql", Values: []cell{text(pick(g, "sql text", slices.Sorted(maps.Keys(sqlTests()))...))}}
	}
	c := pick(g, "test", "eq", "ne", "in", "not_in", "null", "notnull", "like", "gte", "lt", "gt", "lte", "is")
	switch c {
	case "eq", "ne":
		return &wCond{Op: c, Column: "status", Values: []cell{text("open")}}
	case "in", "not_in":
		return &wCond{Op: c, Column: "status", Values: []cell{text("open"), text("closed")}}
	case "null", "notnull":
		return &wCond{Op: c, Column: pick(g, "of", "status", "amount")}
	case "like":
		return &wCond{Op: c, Column: "status", Values: []cell{text(pick(g, "pattern", "open%", "%d", "_pen"))}}
	case "is":
		return &wCond{Op: "eq", Column: "amount", Values: []cell{integer(120)}}
	}
	return &wCond{Op: c, Column: "amount", Values: []cell{integer(120)}}
}

// changes names every column under anonymise, and some under redact.
func (g *gen) changes(s *wStage, t *wTable) {
	redact := s.Then == "redact"
	if !redact && t.at("done at") >= 0 && g.chance(70, "mark") {
		s.Mark = "done at"
	}
	done := false
	var quasi []string
	for _, c := range t.Columns {
		ch := g.change(c, redact, s.Mark)
		if slices.Contains(t.Key, c.Name) || c.Name == "done at" {
			ch = wChange{Func: "keep"}
		}
		ch.Column = c.Name
		done = done || ch.Func != "keep"
		if ch.Func != "keep" || !redact && c.Name != s.Mark {
			s.Changes = append(s.Changes, ch)
			if slices.Contains([]string{"status", "amount", "born", "name", "nick"}, c.Name) {
				quasi = append(quasi, c.Name)
			}
		}
	}
	if !redact && len(quasi) > 0 && g.chance(30, "verify") {
		s.Verify = &wVerify{K: 2 + g.upTo(1, "k"), Allow: pick(g, "allow", 0, 50, 34), Quasi: quasi[g.upTo(len(quasi)-1, "quasi"):]}
	}
	if !done {
		s.Changes = slices.DeleteFunc(s.Changes, func(c wChange) bool { return c.Column == "status" })
		s.Changes = append(s.Changes, wChange{Column: t.Columns[t.at(statusOf(t))].Name, Func: "set", Text: "gone"})
		s.Changes = slices.DeleteFunc(s.Changes, func(c wChange) bool { return c.Column == statusOf(t) && c.Func == "keep" })
	}
}

func statusOf(t *wTable) string {
	if t.at("status") < 0 {
		return "kind"
	}
	return "status"
}

func (g *gen) change(c wColumn, redact bool, mark string) wChange {
	keep := wChange{Func: "keep"}
	pool := []wChange{keep}
	both := []wChange{{Func: "null"}, {Func: "set", Text: "x"}}
	switch c.Name {
	case "name":
		pool = append(both, wChange{Func: "keep_left", N: 2}, wChange{Func: "keep_right", N: 1})
	case "nick":
		pool = []wChange{{Func: "set", Text: "-"}, {Func: "keep_left", N: 1}, keep}
	case "email":
		pool = append(both, keep)
		if !redact {
			pool = []wChange{{Func: "email_domain"}, {Func: "null"}}
		}
	case "ip":
		pool = []wChange{{Func: "mask_ip"}, {Func: "null"}, keep}
	case "born":
		pool = []wChange{{Func: "truncate", Text: pick(g, "unit", "year", "quarter", "month", "day")}, {Func: "null"}, keep}
	case "amount":
		pool = append(pool, wChange{Func: "null"})
		if !redact {
			pool = append(pool, wChange{Func: "bucket", N: 50}, wChange{Func: "round", N: 100})
		}
	case "token":
		if mark != "" {
			pool = append(pool, wChange{Func: "random", Text: pick(g, "random", "digits", "letters", "token"), N: 12})
		}
	}
	return pick(g, "change of "+c.Name, pool...)
}
