package engine_test

import (
	"fmt"
	"slices"
	"time"
)

func (g *gen) rows() {
	if g.up != nil {
		g.fill(g.up, 5)
	}
	for _, m := range g.mains {
		g.fill(m.t, 10)
		for _, c := range m.children {
			g.fill(c.t, 9)
		}
		if m.grand != nil {
			g.fill(m.grand, 5)
		}
	}
}

func (g *gen) fill(t *wTable, most int) {
	refs := g.references(t)
	n := pick(g, "rows of "+t.Name, 0, 1, 2, most/2, most-1, most)
	if g.vaults {
		n = max(n, most/2)
	}
	for i := range n {
		var row []cell
		for _, c := range t.Columns {
			if j := slices.Index(refs.columns, c.Name); j >= 0 {
				if j == 0 {
					refs.draw(g)
				}
				row = append(row, refs.values[j])
				continue
			}
			row = append(row, g.cell(t, c, i))
		}
		t.Rows = append(t.Rows, row)
	}
}

// refs are the columns by which a table refers to another, and what is there.
type refs struct {
	columns  []string
	to       [][]cell
	dangling bool
	values   []cell
}

// references finds what the table hangs on.
func (g *gen) references(t *wTable) *refs {
	for _, m := range g.mains {
		for _, c := range m.children {
			if c.t == t && c.on[0].Ours != "person" {
				return refsTo(m.t, m.t.Key, c.on, !c.fk)
			}
		}
		if m.grand == t {
			return refsTo(m.children[0].t, []string{"id"}, []wPair{{"c_id", "id"}}, true)
		}
	}
	if t.at("session_id") >= 0 {
		return refsTo(g.up, []string{"id"}, []wPair{{"session_id", "id"}}, true)
	}
	return &refs{}
}

func refsTo(parent *wTable, key []string, on []wPair, dangling bool) *refs {
	r := &refs{dangling: dangling}
	for _, p := range on {
		r.columns = append(r.columns, p.Theirs)
	}
	for _, row := range parent.Rows {
		var k []cell
		for _, c := range key {
			k = append(k, row[parent.at(c)])
		}
		r.to = append(r.to, k)
	}
	return r
}

func (r *refs) draw(g *gen) {
	r.values = nil
	if len(r.to) > 0 && !g.chance(12, "no parent") {
		r.values = r.to[g.upTo(len(r.to)-1, "parent")]
		return
	}
	for range r.columns {
		v := null()
		if r.dangling && g.chance(50, "dangling") {
			v = integer(9999)
		}
		r.values = append(r.values, v)
	}
}

func (g *gen) cell(t *wTable, c wColumn, i int) cell {
	if as, ok := g.as[t.Name+"."+c.Name]; ok {
		return g.clockCell(c.Decl, as)
	}
	if slices.Contains(t.Key, c.Name) {
		if !c.NotNull && c.Decl == "TEXT" && g.chance(35, "null key") {
			return null()
		}
		return keyCell(t, c, i)
	}
	switch c.Name {
	case "person", "other", "who", "owner":
		n := int64(g.upTo(6, c.Name))
		switch {
		case n == 0:
			return null()
		case c.Decl == "TEXT":
			return text(fmt.Sprint(n))
		}
		return integer(n)
	case "amount":
		return pick(g, "amount", null(), integer(120), integer(119), integer(-7), integer(260))
	case "status", "kind":
		return pick(g, "status", null(), text("open"), text("closed"), text("opened"))
	}
	return g.personalCell(c, i)
}

// keyCell keeps keys apart, and out of the order in which rows were written.
func keyCell(t *wTable, c wColumn, i int) cell {
	n := int64(i*7%11 + 1)
	switch {
	case c.Decl == "TEXT" && len(t.Key) == 2:
		return text(fmt.Sprintf("k'%d", n%3))
	case c.Decl == "TEXT":
		return text(fmt.Sprintf("ké-%d", n))
	}
	return integer(n)
}

func (g *gen) personalCell(c wColumn, i int) cell {
	switch c.Name {
	case "name":
		return pick(g, "name", null(), text("Ann"), text("Bé日本"), text("x"), text(""))
	case "nick":
		return pick(g, "nick", text("-"), text("Zoë"))
	case "email":
		return pick(g, "email", null(), text("a@x.org"), text("b@y@z.fr"), text("none"), text("tail@"))
	case "ip":
		return pick(g, "ip", null(), text("192.168.7.9"), text("2001:db8:1:2::5"), text("10.0.0.0"), text("nowhere"))
	case "born":
		if !g.on.bare && c.Decl == "DATE" {
			return pick(g, "born", null(), text("1990-05-17"), text("1990-01-01"), text("2020-02-29"))
		}
		return pick(g, "born", null(), text("1990-05-17"), text("1990-01-01"), text("1991-11-30 10:11:12.5"), text("1992-02-29T23:59:59+05:30"), text("2021-02-29"), text("?"))
	case "token":
		return text(fmt.Sprintf("token-%d", i))
	case "done at":
		return pick(g, "done at", null(), null(), text("2020-01-01T00:00:00Z"))
	}
	return null()
}

func texts(list ...string) []cell {
	var out []cell
	for _, s := range list {
		out = append(out, text(s))
	}
	return out
}

func badTexts() []cell {
	return texts("n/a", "10:30", "2451545", "2024-02-30", "0001-01-01", "0000-00-00", "0000-00-00 00:00:00", "9999-12-31", "9999-12-31T23:59:59Z",
		"", " 2020-01-01", "2020-01-01 ", "2020-1-5", "20200131", "2020-01-01T25:00", "2020-01-01T10", "1970-01-01T00:00:00Z", "now", "infinity", "31/12/2020", "1900-01-01", "2020-01-01T10:00:00+99:00")
}

func badNumbers() []cell {
	return []cell{integer(0), integer(-1), integer(2451545), integer(253402300799), text("n/a"), text("2020-01-01"), {T: "real", R: 1600000000.5}, {T: "blob", S: "2020-01-01"}}
}

// clockCell draws what a clock may say: often a moment next to where some rule's
// period ends.
func (g *gen) clockCell(decl, as string) cell {
	if g.chance(12, "no clock") {
		return null()
	}
	bad := g.chance(18, "bad clock")
	if !g.on.bare && decl != "TEXT" {
		return g.typedClock(decl, as, bad)
	}
	if decl == "INTEGER" {
		if bad {
			return pick(g, "bad number", badNumbers()...)
		}
		at := g.moment()
		local := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, g.zone)
		if as == "unix-milliseconds" {
			return integer(local.UnixMilli())
		}
		return integer(local.Unix())
	}
	if bad {
		list := badTexts()
		if g.on.bare {
			list = append(list, cell{T: "blob", S: "2020-01-01"}, integer(20200101))
		}
		return pick(g, "bad text", list...)
	}
	at := g.moment()
	date := at.Format("2006-01-02")
	if decl == "DATE" && !g.chance(15, "time in a date") {
		return text(date)
	}
	return text(date + pick(g, "form", "", at.Format("T15:04:05Z"), at.Format(" 15:04:05"), at.Format("T15:04"),
		at.Format("T15:04:05")+".000+02:00", at.Format(" 15:04:05")+".000001-0530", at.Format("T15:04:05")+"-09"))
}

// typedClock draws what a column that keeps to its type may hold.
func (g *gen) typedClock(decl, as string, bad bool) cell {
	at := g.moment()
	switch {
	case decl == "INTEGER" && bad:
		return pick(g, "bad number", integer(0), integer(-1), integer(2451545), integer(253402300799))
	case decl == "INTEGER" && as == "unix-milliseconds":
		return integer(at.UnixMilli())
	case decl == "INTEGER":
		return integer(at.Unix())
	case bad:
		return pick(g, "bad date", texts(g.on.bad[decl]...)...)
	case decl == "DATE":
		return text(at.Format("2006-01-02"))
	}
	form := pick(g, "form", "2006-01-02 15:04:05", "2006-01-02 15:04:05.000001")
	return text(at.Format(form) + pick(g, "offset", g.on.offsets[decl]...))
}

// moment is a civil time, as if in UTC.
func (g *gen) moment() time.Time {
	seen := g.w.AsOf
	if g.w.Later > 0 && g.chance(25, "seen later") {
		seen = seen.AddDate(0, 0, g.w.Later)
	}
	day := civil(seen, g.zone)
	if g.vaults && g.chance(60, "past the archive's begin") {
		p := g.w.Rules[slices.IndexFunc(g.w.Rules, func(r *wRule) bool { return r.ID == archivingRule })].Stages[0].Keep
		return civil(g.w.AsOf, g.zone).AddDate(-p.Years, -p.Months, -7*p.Weeks-p.Days-pick(g, "days past", 1, 2, 3, 5, 8, 12, 40))
	}
	switch pick(g, "moment", "end", "end", "end", "random", "special") {
	case "end":
		p := pick(g, "period's end", g.periods()...)
		if p.Exact {
			at := seen.Add(-time.Duration(p.Seconds) * time.Second).In(g.zone)
			at = at.Add(time.Duration(pick(g, "off by", 0, 1, -1, 3600)) * time.Second)
			return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
		}
		day = day.AddDate(-p.Years, -p.Months, -7*p.Weeks-p.Days+pick(g, "days off", 0, -1, 1, -2, 2, 3, -31, -200, -400, 400))
	case "random":
		day = time.Date(1985+g.upTo(43, "year"), time.Month(1+g.upTo(11, "month")), 1+g.upTo(30, "day"), 0, 0, 0, 0, time.UTC)
	default:
		p, _ := parseISO(pick(g, "special", "2024-01-31", "2024-02-29", "2023-02-28", "2023-03-26", "2024-10-27", "2011-12-29", "2011-12-31", "2024-03-10", "2024-12-31", "2017-10-15", "2020-08-31", "2021-09-01"))
		day = p.wall
	}
	at := pick(g, "time", []int{12, 0, 0}, []int{0, 0, 0}, []int{23, 59, 59}, []int{2, 30, 0}, []int{0, 30, 0}, []int{22, 30, 0}, []int{3, 0, 0})
	return day.Add(time.Duration(at[0])*time.Hour + time.Duration(at[1])*time.Minute + time.Duration(at[2])*time.Second)
}

// periods are those that the rules use.
func (g *gen) periods() []wPeriod {
	out := []wPeriod{{Years: 3}}
	for _, r := range g.w.Rules {
		if r.AtLeast != nil {
			out = append(out, *r.AtLeast)
		}
		for _, s := range r.Stages {
			out = append(out, s.Keep)
		}
	}
	return out
}

func (g *gen) holds() {
	g.noSQL = true
	n, late := g.upTo(2, "holds"), 0
	if g.vaults {
		late = 1 + g.upTo(1, "late holds")
	}
	for i := range n + late {
		h := &wHold{Late: i >= n || g.chance(10, "late")}
		if !h.Late {
			h.Released = pick(g, "released", 0, 0, 10, 29, 31, 40)
		}
		kind := pick(g, "hold", "subject", "dataset", "both")
		if kind != "dataset" {
			for range 1 + g.upTo(1, "subjects") {
				h.Subjects = append(h.Subjects, fmt.Sprintf("%s:%d", pick(g, "type", "person", "person", "staff"), 1+g.upTo(6, "id")))
			}
			slices.Sort(h.Subjects)
			h.Subjects = slices.Compact(h.Subjects)
		}
		if kind != "subject" {
			d := pick(g, "held dataset", g.w.Datasets...)
			h.Datasets = []string{d.Name}
			if g.chance(50, "hold where") {
				h.Where = g.plain(g.w.table(d.Table))
			}
		}
		g.w.Holds = append(g.w.Holds, h)
	}
}
