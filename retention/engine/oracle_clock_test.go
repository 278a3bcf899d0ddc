package engine_test

import (
	"slices"
	"time"
)

// reading is what one value of a clock says.
type reading struct {
	state string // null, bad, ok
	at    time.Time
	round string
}

// oRow is a row in the oracle's world. A row of the vault remembers the rule
// that archived it and what its clock said.
type oRow struct {
	v    []cell
	rule string
	said []reading

	sealed *oSealed
}

type oTable struct {
	def  *wTable
	rows []*oRow
}

func (t *oTable) get(r *oRow, column string) cell { return r.v[t.def.at(column)] }

// oracle holds the world row by row.
type oracle struct {
	w     *world
	asOf  time.Time
	now   time.Time // the store's clock, for the grace of holds
	zone  *time.Location
	live  map[string]*oTable
	vault map[string]*oTable // by the live table's name
	// barred are the rules that do not act, since their archives could not be judged
	// where they go.
	barred map[string]bool
	// archived and ended: rows went to the vault, and out of it.
	archived, ended bool
	late            bool // late holds were placed
}

// place says which tables are meant as the vault's copies.
type place map[string]bool

func (o *oracle) at(p place, table string) *oTable {
	table = physical(table)
	if p[table] && o.vault[table] != nil {
		return o.vault[table]
	}
	return o.live[table]
}

// related lists the rows that a relation leads to, whatever its condition.
func (o *oracle) related(p place, table string, r *oRow, rel *wRelation) []*oRow {
	rows := []*oRow{r}
	for _, h := range rel.hops() {
		near, far := o.at(p, table), o.at(p, h.Table)
		var next []*oRow
		for _, f := range far.rows {
			if slices.ContainsFunc(rows, func(n *oRow) bool { return o.joined(near, far, n, f, h.On) }) {
				next = append(next, f)
			}
		}
		rows, table = next, h.Table
	}
	return rows
}

func (o *oracle) joined(near, far *oTable, n, f *oRow, on []wPair) bool {
	for _, pair := range on {
		a, b := near.get(n, pair.Ours), far.get(f, pair.Theirs)
		if a.null() || b.null() || a != b {
			return false
		}
	}
	return true
}

// clock is open, unresolved, active or over.
func (o *oracle) clock(p place, table string, r *oRow, c *wClock, keep wPeriod) string {
	said, open := o.said(p, table, r, c, keep)
	if open {
		return "open"
	}
	return o.judge(said, c.Group == "earliest", keep)
}

func (o *oracle) judge(said []reading, earliest bool, keep wPeriod) string {
	any, all := false, true
	for _, x := range said {
		if x.state == "bad" {
			return "unresolved"
		}
		is := over(x.at, o.asOf, keep, x.round, o.zone)
		any, all = any || is, all && is
	}
	if earliest && any || !earliest && all {
		return "over"
	}
	return "active"
}

// said lists the readings of all members; open: the clock has not started.
func (o *oracle) said(p place, table string, r *oRow, c *wClock, keep wPeriod) (said []reading, open bool) {
	some := false
	for i := range c.Members {
		m := &c.Members[i]
		xs, waits := o.member(p, table, r, c, m, keep)
		for i := range xs {
			xs[i].round = or(m.Round, c.Round)
		}
		some = some || len(xs) > 0
		open = open || c.NullsOpen && (len(xs) == 0 || waits)
		said = append(said, xs...)
	}
	return said, open || !some
}

// member reads one member; waits: some event of it has not happened.
func (o *oracle) member(p place, table string, r *oRow, c *wClock, m *wMember, keep wPeriod) (xs []reading, waits bool) {
	if m.Related == nil {
		t := o.at(p, table)
		return readings(o.read(t.get(r, m.Column), t.def.column(m.Column).Decl, m, keep)), false
	}
	rows := o.related(p, table, r, m.Related)
	if len(rows) == 0 && o.pointsUp(m.Related) {
		return []reading{{state: "bad"}}, false
	}
	t := o.at(p, m.Related.Table)
	for _, f := range rows {
		is := o.cond(p, m.Related.Table, f, m.Related.Where)
		if is == no || is == unknown && c.Group == "earliest" {
			continue
		}
		x := readings(o.read(t.get(f, m.Related.Column), t.def.column(m.Related.Column).Decl, m, keep))
		waits = waits || len(x) == 0
		xs = append(xs, x...)
	}
	return xs, waits
}

// carried is what an archived row keeps of its clock: the event alone, which is
// over once it is over under each of the rule's roundings.
func carried(said []reading, c *wClock) []reading {
	at := said[0].at
	for _, x := range said {
		if c.Group == "earliest" && x.at.Before(at) || c.Group != "earliest" && x.at.After(at) {
			at = x.at
		}
	}
	var out []reading
	for _, m := range c.Members {
		out = append(out, reading{state: "ok", at: at, round: or(m.Round, c.Round)})
	}
	return out
}

func readings(x reading) []reading {
	if x.state == "null" {
		return nil
	}
	return []reading{x}
}

// pointsUp: every hop leads to at most one row.
func (o *oracle) pointsUp(rel *wRelation) bool {
	for _, h := range rel.hops() {
		for _, k := range o.w.table(h.Table).Key {
			if !slices.ContainsFunc(h.On, func(p wPair) bool { return p.Theirs == k }) {
				return false
			}
		}
	}
	return true
}

// read reads one stored value.
func (o *oracle) read(c cell, decl string, m *wMember, keep wPeriod) reading {
	if c.null() {
		return reading{state: "null"}
	}
	at, ok := o.instant(c, decl, m, keep)
	if !ok || at.Equal(time.Unix(0, 0)) || !o.plausible(at, m) {
		return reading{state: "bad"}
	}
	return reading{state: "ok", at: at}
}

func (o *oracle) plausible(at time.Time, m *wMember) bool {
	from, to := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), o.asOf.AddDate(100, 0, 0)
	if m.NotBefore != "" {
		d, _ := parseISO(m.NotBefore)
		from = startOfDay(d.wall, o.zone)
	}
	if m.NotAfter != "" {
		d, _ := parseISO(m.NotAfter)
		to = startOfDay(d.wall.AddDate(0, 0, 1), o.zone).Add(-1)
	}
	return !at.Before(from) && !at.After(to)
}

func (o *oracle) instant(c cell, decl string, m *wMember, keep wPeriod) (time.Time, bool) {
	as := m.As
	if as == "" && decl == "INTEGER" {
		as = "unix-seconds"
	}
	switch as {
	case "unix-seconds":
		return time.Unix(c.I, 0), c.T == "integer" && c.I != 0 && c.I < 1<<40
	case "unix-milliseconds":
		return time.UnixMilli(c.I), c.T == "integer" && c.I != 0 && c.I < 1<<50
	}
	p, ok := parseISO(c.S)
	switch {
	case c.T != "text" || !ok, p.timed && as == "date" && decl != "DATE", !p.timed && keep.Exact:
		return time.Time{}, false
	case !p.timed:
		return startOfDay(p.wall, o.zone), true
	case p.set:
		return p.wall.Add(-p.offset), true
	}
	zone := o.zone
	if m.Zone != "" {
		zone = mustZone(m.Zone)
	}
	return localTime(p.wall, zone), true
}

func mustZone(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return l
}
