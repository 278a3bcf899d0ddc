package engine_test

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// gen draws a world. Draws shrink towards fewer rows, plain names and no
// special case.
type gen struct {
	*rapid.T
	on    *ground
	w     *world
	zone  *time.Location
	as    map[string]string // how a clock column is read, by table.column
	mains []*gMain
	up    *wTable
	bare  map[*wDataset]bool // another name of a table: its children are declared elsewhere
	noSQL bool               // conditions as holds take them
	// vaults: rows go to a vault away, and the later look finds some of them over.
	vaults bool
}

// gMain is a table that a dataset governs, with what hangs on it.
type gMain struct {
	t        *wTable
	clocks   []string
	children []*gChild
	grand    *wTable // rows of the first child's rows
}

type gChild struct {
	t  *wTable
	on []wPair
	fk bool
}

func (g *gen) upTo(n int, what string) int { return rapid.IntRange(0, n).Draw(g.T, what) }
func (g *gen) chance(percent int, what string) bool {
	return rapid.IntRange(0, 99).Draw(g.T, what) >= 100-percent
}

func pick[V any](g *gen, what string, list ...V) V { return list[g.upTo(len(list)-1, what)] }

func drawWorld(t *rapid.T, on *ground) *world { return draw(t, on, false) }

// drawVaultWorld draws a world whose first rule archives.
func drawVaultWorld(t *rapid.T, on *ground) *world { return draw(t, on, true) }

func draw(t *rapid.T, on *ground, vaults bool) *world {
	g := &gen{T: t, on: on, w: &world{}, as: map[string]string{}, bare: map[*wDataset]bool{}, vaults: vaults}
	if on.name != "sqlite" {
		g.w.On = on.name
	}
	g.when()
	g.tables()
	g.datasets()
	g.rules()
	g.vault()
	g.rows()
	g.holds()
	return g.w
}

func (g *gen) when() {
	w := g.w
	w.Zone = g.anyZone()
	if g.chance(25, "second policy") {
		w.Zone2 = w.Zone
		if g.chance(40, "second zone") {
			w.Zone2 = g.anyZone()
		}
	}
	g.zone = mustZone(w.Zone)
	if len(g.on.zones) > 0 {
		w.Session = pick(g, "session", g.on.zones...)
	}
	day := pick(g, "as-of", "2025-06-15", "2025-03-01", "2025-02-28", "2024-02-29", "2025-03-30", "2025-03-09", "2012-01-05", "2018-11-04", "2025-10-26", "2025-03-31", "2025-05-31", "2023-10-31", "2025-12-31", "2026-01-01")
	p, _ := parseISO(day)
	hour := pick(g, "hour", 12, 0, 1, 2, 3, 22, 23)
	d := p.wall
	w.AsOf = time.Date(d.Year(), d.Month(), d.Day(), hour, 30*g.upTo(1, "half"), 0, 0, g.zone).UTC()
	w.Later = pick(g, "later", 0, 1, 20, 400, 2000)
	w.ByPlan = g.chance(40, "by plan")
	w.Approve = g.chance(30, "approve")
}

// vault draws where archived rows go.
func (g *gen) vault() {
	if g.vaults {
		g.w.Vault, g.w.Approve = pick(g, "vault", "sealed", "elsewhere", "sealed"), true
		g.w.Later = g.laterLook()
		return
	}
	for _, r := range g.w.Rules {
		if r.archives() && g.chance(15, "vault away") {
			g.w.Vault = pick(g, "vault", "elsewhere", "sealed", "sealed")
			return
		}
	}
}

// laterLook is when some archived rows are over and others are not, or all are.
func (g *gen) laterLook() int {
	st := g.w.Rules[slices.IndexFunc(g.w.Rules, func(r *wRule) bool { return r.ID == archivingRule })].Stages
	days := func(p wPeriod) int { return p.Years*365 + p.Years/4 + p.Months*30 + p.Months/2 + 7*p.Weeks + p.Days }
	look := days(st[1].Keep) - days(st[0].Keep) - pick(g, "look before", 2, 3, 5, 8, 12)
	if look < 1 || g.chance(30, "look late") {
		return pick(g, "later look", 400, 2000, 4000)
	}
	return look
}

func (g *gen) anyZone() string {
	return pick(g, "zone", "UTC", "Europe/Paris", "America/Havana", "Pacific/Apia", "America/Sao_Paulo", "Asia/Kolkata")
}

func (g *gen) tables() {
	names := [][]string{{"people", "People of ours", "select"}, {"orders", "Order Lines", "group"}, {"crédits", "a-b", "it's"}}
	if g.chance(40, "sessions") {
		g.up = &wTable{Name: "sessions", Key: []string{"id"}, Columns: []wColumn{
			{Name: "id", Decl: "INTEGER"}, g.clockColumn("sessions", "ended"), {Name: "owner", Decl: g.idDecl()}, {Name: "kind", Decl: "TEXT"},
		}}
		g.w.Tables = append(g.w.Tables, g.up)
	}
	most := 2
	if g.vaults {
		most = 1
	}
	for i := 0; i <= g.upTo(most, "tables"); i++ {
		g.main(pick(g, "table name", names[i]...))
	}
}

func (g *gen) idDecl() string { return pick(g, "identifiers", "INTEGER", "TEXT") }

func (g *gen) clockColumn(table, name string) wColumn {
	decl := pick(g, "clock type", "TEXT", "DATE", "INTEGER", "DATETIME", "TIMESTAMP", "TEXT")
	if g.on.zone && g.chance(30, "with a zone") {
		decl = "TIMESTAMPTZ"
	}
	as := ""
	switch {
	case !g.on.bare && decl == "TEXT": // the type says nothing, so the policy does
		as = "text"
	case !g.on.bare && decl == "INTEGER":
		as = pick(g, "unit", "unix-seconds", "unix-milliseconds")
	case decl == "INTEGER" && g.chance(40, "milliseconds"):
		as = "unix-milliseconds"
	case decl == "INTEGER" && g.chance(30, "seconds"):
		as = "unix-seconds"
	case decl == "TEXT" && g.chance(40, "typed"):
		as = pick(g, "as", "text", "timestamp", "date")
	}
	g.as[table+"."+name] = as
	return wColumn{Name: name, Decl: decl}
}

func (g *gen) main(name string) {
	m := &gMain{t: &wTable{Name: name}}
	t := m.t
	switch pick(g, "key", "int", "text", "pair") {
	case "int":
		t.Columns, t.Key = []wColumn{{Name: "id", Decl: "INTEGER"}}, []string{"id"}
	case "text":
		t.Columns, t.Key = []wColumn{{Name: "code", Decl: "TEXT", NotNull: !g.on.bare || !g.chance(30, "key may be null")}}, []string{"code"}
	default:
		t.Columns, t.Key = []wColumn{{Name: "no", Decl: "INTEGER", NotNull: true}, {Name: "Sub Key", Decl: "TEXT", NotNull: true}}, []string{"Sub Key", "no"}
	}
	t.NoRowid = g.on.bare && t.Columns[0].NotNull && g.chance(20, "without rowid")
	for i := 0; i <= g.upTo(1, "clocks"); i++ {
		c := g.clockColumn(name, pick(g, "clock name", []string{"created", "Created At", "order"}, []string{"seen", "last seen", "table"})[i])
		m.clocks = append(m.clocks, c.Name)
		t.Columns = append(t.Columns, c)
		if g.chance(40, "indexed") {
			t.Indexed = append(t.Indexed, c.Name)
		}
	}
	id := g.idDecl()
	t.Columns = append(t.Columns, wColumn{Name: "person", Decl: id}, wColumn{Name: "other", Decl: id},
		wColumn{Name: "status", Decl: "TEXT"}, wColumn{Name: "amount", Decl: "INTEGER"})
	g.personal(t)
	if g.up != nil {
		t.Columns = append(t.Columns, wColumn{Name: "session_id", Decl: "INTEGER"})
	}
	g.w.Tables = append(g.w.Tables, t)
	g.mains = append(g.mains, m)
	for i := 0; i < g.upTo(2, "child tables"); i++ {
		g.child(m, fmt.Sprintf("%s c%d", name, i))
	}
	if len(m.children) > 0 && g.chance(30, "grandchildren") {
		m.grand = g.loose(name+" g", wColumn{Name: "c_id", Decl: "INTEGER"})
	}
}

// personal adds the columns that actions change.
func (g *gen) personal(t *wTable) {
	for _, c := range []wColumn{
		{Name: "name", Decl: "TEXT"}, {Name: "nick", Decl: "TEXT", NotNull: true}, {Name: "email", Decl: "TEXT"}, {Name: "ip", Decl: "TEXT"},
		{Name: "born", Decl: pick(g, "born type", "TEXT", "DATE")}, {Name: "token", Decl: "TEXT", NotNull: true, Unique: true}, {Name: "done at", Decl: g.markDecl()},
	} {
		if g.chance(60, c.Name) {
			t.Columns = append(t.Columns, c)
		}
	}
}

func (g *gen) markDecl() string {
	if g.on.zone {
		return "TIMESTAMPTZ"
	}
	return "TEXT"
}

// loose makes a table that hangs on another by the given columns.
func (g *gen) loose(name string, refs ...wColumn) *wTable {
	t := &wTable{Name: name, Key: []string{"id"}, Columns: []wColumn{{Name: "id", Decl: "INTEGER"}}}
	t.Columns = append(t.Columns, refs...)
	t.Columns = append(t.Columns, g.clockColumn(name, "at"), wColumn{Name: "who", Decl: g.idDecl()}, wColumn{Name: "status", Decl: "TEXT"}, wColumn{Name: "amount", Decl: "INTEGER"})
	if g.chance(30, "child indexed") {
		t.Indexed = append(t.Indexed, refs[0].Name)
	}
	g.w.Tables = append(g.w.Tables, t)
	return t
}

func (g *gen) child(m *gMain, name string) {
	c := &gChild{}
	var refs []wColumn
	for i, k := range m.t.Key {
		ref := wColumn{Name: fmt.Sprintf("p_%d", i), Decl: m.t.column(k).Decl}
		refs = append(refs, ref)
		c.on = append(c.on, wPair{Theirs: ref.Name, Ours: k})
	}
	c.t = g.loose(name, refs...)
	switch {
	case g.chance(30, "foreign key"):
		c.fk = true
		f := wForeign{To: m.t.Name, OnDelete: pick(g, "on delete", "", "ON DELETE CASCADE", "ON DELETE SET NULL")}
		for _, p := range c.on {
			f.Columns, f.ToColumns = append(f.Columns, p.Theirs), append(f.ToColumns, p.Ours)
		}
		c.t.Foreign = append(c.t.Foreign, f)
	case c.t.column("who").Decl == m.t.column("person").Decl && g.chance(50, "by person"):
		c.on = []wPair{{Theirs: "who", Ours: "person"}}
	}
	m.children = append(m.children, c)
}

func (g *gen) subjects(t *wTable, column string, related *wRelation) []wSubject {
	switch {
	case related != nil && g.chance(25, "related subject"):
		return []wSubject{{Type: "person", Related: related}}
	case t.at("other") >= 0 && column != "other" && g.chance(25, "two columns"):
		return []wSubject{{Type: "person", Columns: []string{column, "other"}}}
	case t.at("other") >= 0 && column != "other" && g.chance(20, "two types"):
		return []wSubject{{Type: "person", Columns: []string{column}}, {Type: "staff", Columns: []string{"other"}}}
	case g.chance(10, "no subject"):
		return nil
	}
	return []wSubject{{Type: "person", Columns: []string{column}}}
}

func (g *gen) datasets() {
	add := func(d *wDataset) { g.w.Datasets = append(g.w.Datasets, d) }
	for i, m := range g.mains {
		d := &wDataset{Name: fmt.Sprintf("d%d", i), Table: m.t.Name}
		var related *wRelation
		if len(m.children) > 0 {
			related = &wRelation{Table: m.children[0].t.Name, On: m.children[0].on, Column: "who"}
		} else if g.up != nil {
			related = &wRelation{Table: "sessions", On: []wPair{{"id", "session_id"}}, Column: "owner"}
		}
		d.Subjects = g.subjects(m.t, "person", related)
		g.declare(m, d)
		add(d)
		if g.on.home != "" && g.chance(20, "alias") {
			b := &wDataset{Name: d.Name + "b", Table: g.on.home + m.t.Name, Subjects: g.subjects(m.t, "other", nil)}
			g.bare[b] = true
			add(b)
		}
		if g.w.Zone2 != "" && g.chance(70, "in the second policy") {
			add(g.again(m, d))
		}
		if len(m.children) > 0 && g.chance(50, "child dataset") {
			c := m.children[0]
			up := &wRelation{Table: m.t.Name, On: reversed(c.on), Column: "person"}
			add(&wDataset{Name: d.Name + "c", Table: c.t.Name, Subjects: g.subjects(c.t, "who", up)})
		}
	}
	g.sessionsDataset()
}

// again is the main table, or its first child, in the second policy.
func (g *gen) again(m *gMain, d *wDataset) *wDataset {
	e := &wDataset{Name: "e" + d.Name[1:], Second: true, Table: d.Table}
	if len(m.children) > 0 && g.chance(30, "the child alone") {
		c := m.children[0].t
		e.Table, e.Subjects = c.Name, g.subjects(c, "who", nil)
		return e
	}
	e.Subjects = g.subjects(m.t, pick(g, "second subject", "person", "other"), nil)
	if g.bare[e] = g.chance(50, "without children"); !g.bare[e] {
		e.Children = d.Children
	}
	return e
}

func (g *gen) sessionsDataset() {
	if g.up == nil || !g.chance(60, "sessions dataset") {
		return
	}
	d := &wDataset{Name: "sessions", Table: "sessions", Subjects: g.subjects(g.up, "owner", nil)}
	m := g.mains[0]
	if !slices.ContainsFunc(m.children, func(c *gChild) bool { return c.fk }) && g.chance(35, "sessions own rows") {
		d.Children = []wChild{{Relation: wRelation{Table: m.t.Name, On: []wPair{{"session_id", "id"}}}, Then: pick(g, "then", "delete", "detach")}}
		g.alsoGone(d)
	}
	g.w.Datasets = append(g.w.Datasets, d)
}

// alsoGone declares what goes with the main table's rows when they go along.
func (g *gen) alsoGone(d *wDataset) {
	up := d.Children[0].Relation
	for _, x := range g.w.Datasets[0].Children {
		via := append([]wHop{{Table: up.Table, On: up.On}}, x.Relation.Via...)
		x.Relation.Via = via
		d.Children = append(d.Children, x)
	}
}

func reversed(on []wPair) []wPair {
	var out []wPair
	for _, p := range on {
		out = append(out, wPair{Theirs: p.Ours, Ours: p.Theirs})
	}
	return out
}

// declare makes tables the dataset's children; one with a foreign key must be.
func (g *gen) declare(m *gMain, d *wDataset) {
	for i, c := range m.children {
		if !c.fk && !g.chance(60, "declared") {
			continue
		}
		x := wChild{Relation: wRelation{Table: c.t.Name, On: c.on}, Then: pick(g, "then", "delete", "delete", "detach")}
		if !c.fk && g.chance(25, "child where") {
			x.Relation.Where = g.simple()
		}
		d.Children = append(d.Children, x)
		if i == 0 && m.grand != nil && x.Relation.Where == nil && x.Then == "delete" {
			d.Children = append(d.Children, wChild{Then: pick(g, "then", "delete", "detach"), Relation: wRelation{
				Table: m.grand.Name, Via: []wHop{{Table: c.t.Name, On: c.on}}, On: []wPair{{"c_id", "id"}},
			}})
		}
	}
}
