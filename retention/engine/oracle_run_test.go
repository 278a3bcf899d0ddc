package engine_test

import (
	"slices"
	"time"

	"github.com/retentiond/retentiond/retention"
)

const (
	vaultPrefix = "old_"
	grace       = 30 * 24 * time.Hour
)

func newOracle(w *world) *oracle {
	o := &oracle{w: w, zone: mustZone(w.Zone), asOf: w.AsOf, now: w.AsOf, live: map[string]*oTable{}, vault: map[string]*oTable{}}
	for _, t := range w.Tables {
		o.live[t.Name] = &oTable{def: t}
		for _, v := range t.Rows {
			o.live[t.Name].rows = append(o.live[t.Name].rows, &oRow{v: slices.Clone(v)})
		}
	}
	return o
}

// oPlan is what the oracle expects of a plan: the classes of each step, the
// rows that are due, the children that would go along, and the refused steps.
type oPlan struct {
	steps    []*oStep
	classes  []map[string]int
	due      [][]*oRow
	children []map[string]int
	refused  map[string]map[retention.RefusalCode]bool
}

func (p *oPlan) refuse(s *oStep, code retention.RefusalCode) {
	if p.refused[s.refused()] == nil {
		p.refused[s.refused()] = map[retention.RefusalCode]bool{}
	}
	p.refused[s.refused()][code] = true
}

// stops: the step must not act. No approval helps where people would be told apart.
func (p *oPlan) stops(s *oStep, approved bool) bool {
	why := p.refused[s.refused()]
	return len(why) > 0 && !approved || why[retention.RefuseKAnonymity]
}

func (o *oracle) plan() *oPlan {
	p := &oPlan{steps: o.steps(), refused: map[string]map[retention.RefusalCode]bool{}}
	for _, s := range p.steps {
		counts, due, done := map[string]int{}, []*oRow(nil), []*oRow(nil)
		for _, r := range o.at(s.moved, s.table()).rows {
			if s.sealed && r.rule != s.rule.ID { // another rule's segments
				continue
			}
			c := o.class(s, r)
			counts[c]++
			switch c {
			case "due":
				due = append(due, r)
			case "done":
				done = append(done, r)
			}
		}
		if !o.idle(s) && len(due) > 0 {
			if !s.vault && s.archivedBefore() {
				p.refuse(s, retention.RefuseNeverArchived)
			}
			if v := s.rule.Stages[s.stage].Verify; v != nil && o.tellsApart(s, v, due, done) {
				p.refuse(s, retention.RefuseKAnonymity)
			}
		}
		p.classes, p.due = append(p.classes, counts), append(p.due, due)
		p.children = append(p.children, o.countChildren(s, due))
	}
	return p
}

// idle: the rule only reports.
func (o *oracle) idle(s *oStep) bool {
	from := s.rule.EffectiveFrom
	if s.then() == "report" || s.rule.Disabled {
		return true
	}
	if from == "" {
		return false
	}
	day, _ := parseISO(from)
	at := day.wall.Add(-day.offset)
	if !day.timed {
		at = startOfDay(day.wall, o.under(s.rule).zone)
	}
	return o.asOf.Before(at)
}

// tellsApart: of the rows as they will be, and are where that was done before,
// more than allowed are alike in groups of fewer than k.
func (o *oracle) tellsApart(s *oStep, v *wVerify, due, done []*oRow) bool {
	t, groups := o.live[s.table()], map[string]int{}
	for i, r := range append(slices.Clone(due), done...) {
		var key []cell
		for _, q := range v.Quasi {
			c := t.get(r, q)
			for _, ch := range s.rule.Stages[s.stage].Changes {
				if ch.Column == q && i < len(due) {
					c = changed(c, t.def.column(q), ch)
				}
			}
			key = append(key, c)
		}
		groups[flow(key)]++
	}
	small := 0
	for _, n := range groups {
		if n < v.K {
			small += n
		}
	}
	return small*100 > v.Allow*(len(due)+len(done))
}

func (o *oracle) countChildren(s *oStep, due []*oRow) map[string]int {
	out := map[string]int{}
	if !takes(s.then()) {
		return out
	}
	if s.sealed {
		return o.sealedChildren(s, due)
	}
	for i := range s.ds.Children {
		c := &s.ds.Children[i]
		if s.vault && c.Then != "delete" {
			continue
		}
		name := c.Relation.Table
		if s.vault {
			name = vaultPrefix + name
		}
		if n := len(o.childrenOf(s, c, due)); n > 0 {
			out[name] += n
		}
	}
	return out
}

// childrenOf lists the child rows of the rows, each once.
func (o *oracle) childrenOf(s *oStep, c *wChild, rows []*oRow) []*oRow {
	var out []*oRow
	t := c.Relation.Table
	for _, f := range o.at(s.moved, t).rows {
		if o.cond(s.moved, t, f, c.Relation.Where) != yes {
			continue
		}
		if slices.ContainsFunc(rows, func(r *oRow) bool {
			return slices.Contains(o.related(s.moved, s.table(), r, &c.Relation), f)
		}) {
			out = append(out, f)
		}
	}
	return out
}

// run does the plan, step by step, on what still qualifies, and returns how many
// rows of each step it acted on.
func (o *oracle) run(p *oPlan, approved bool) []int {
	done := make([]int, len(p.steps))
	for i, s := range p.steps {
		if p.stops(s, approved) || o.idle(s) || len(p.due[i]) == 0 {
			continue
		}
		if s.then() == "archive" {
			o.makeVault(s)
		}
		var rows []*oRow
		for _, r := range o.at(s.moved, s.table()).rows {
			if slices.Contains(p.due[i], r) && o.class(s, r) == "due" {
				rows = append(rows, r)
			}
		}
		o.act(s, rows)
		done[i] = len(rows)
		o.archived = o.archived || s.then() == "archive" && len(rows) > 0
		o.ended = o.ended || s.vault && len(rows) > 0
	}
	return done
}

func (o *oracle) makeVault(s *oStep) {
	for t := range o.moved(s.ds) {
		if o.vault[t] == nil {
			o.vault[t] = &oTable{def: o.live[t].def}
		}
	}
}

func (o *oracle) act(s *oStep, rows []*oRow) {
	st := &s.rule.Stages[s.stage]
	if s.sealed {
		o.end(rows)
		return
	}
	if !takes(st.Then) {
		for _, r := range rows {
			o.change(s, st, r)
		}
		return
	}
	if st.Then == "archive" {
		for _, r := range rows {
			said, _ := o.under(s.rule).said(nil, s.table(), r, &s.rule.Clock, st.Keep)
			r.said = carried(said, &s.rule.Clock)
		}
		if o.seals() {
			o.seal(s, rows)
		}
	}
	for _, c := range o.deepestFirst(s) {
		o.takeChildren(s, c, o.childrenOf(s, c, rows))
	}
	o.take(s, s.table(), rows)
}

func (o *oracle) deepestFirst(s *oStep) []*wChild {
	var out []*wChild
	for depth := 3; depth >= 0; depth-- {
		for i := range s.ds.Children {
			c := &s.ds.Children[i]
			if len(c.Relation.Via) == depth && !(s.vault && c.Then != "delete") {
				out = append(out, c)
			}
		}
	}
	return out
}

func (o *oracle) takeChildren(s *oStep, c *wChild, rows []*oRow) {
	if c.Then == "delete" {
		o.take(s, c.Relation.Table, rows)
		return
	}
	t := o.at(s.moved, c.Relation.Table)
	for _, r := range rows {
		for _, pair := range c.Relation.On {
			r.v[t.def.at(pair.Theirs)] = null()
		}
	}
}

// take removes the rows, to the vault where the stage archives.
func (o *oracle) take(s *oStep, table string, rows []*oRow) {
	t := o.at(s.moved, table)
	t.rows = slices.DeleteFunc(t.rows, func(r *oRow) bool { return slices.Contains(rows, r) })
	if s.then() != "archive" {
		return
	}
	for _, r := range rows {
		r.rule = s.rule.ID
		o.vault[table].rows = append(o.vault[table].rows, r)
	}
}

func (o *oracle) change(s *oStep, st *wStage, r *oRow) {
	t := o.live[s.table()]
	for _, ch := range st.Changes {
		i := t.def.at(ch.Column)
		r.v[i] = changed(r.v[i], &t.def.Columns[i], ch)
	}
	if st.Mark != "" {
		r.v[t.def.at(st.Mark)] = cell{T: "mark"}
	}
}
