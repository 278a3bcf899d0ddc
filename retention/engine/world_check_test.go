package engine_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
)

// trial is one world under test, with what the oracle says of it.
type trial struct {
	*house
	o    *oracle
	done int64 // rows that went so far
}

// check is the whole property.
func check(ctx context.Context, y *yard, dir string, w *world, policies []string, schema string) error {
	h, err := build(ctx, y, dir, w, policies, schema)
	defer h.close()
	if err != nil {
		return err
	}
	x := &trial{house: h, o: newOracle(w)}
	defer func() {
		y.archived.add(w.Vault, x.o.archived)
		y.ended.add(w.Vault, x.o.ended)
		y.barred.add(w.Vault, len(x.o.barred) > 0)
	}()
	if err := x.load(x.o); err != nil {
		return err
	}
	if err := x.placeHolds(ctx); err != nil {
		return err
	}
	if err := x.sameDay(ctx); err != nil {
		return err
	}
	if err := x.round(ctx, w.ByPlan); err != nil {
		return fmt.Errorf("first run: %w", err)
	}
	if _, err := x.place(ctx, true); err != nil {
		return err
	}
	x.o.late = true
	if err := x.round(ctx, !w.ByPlan); err != nil {
		return fmt.Errorf("second run: %w", err)
	}
	if w.Later == 0 {
		return x.sameLog(ctx)
	}
	x.now = w.AsOf.Add(time.Duration(w.Later) * 24 * time.Hour)
	x.o.asOf, x.o.now = x.now, x.now
	if err := x.round(ctx, w.ByPlan); err != nil {
		return fmt.Errorf("%d days later: %w", w.Later, err)
	}
	return x.sameLog(ctx)
}

// round plans, counts the inventory, runs, and compares everything.
func (x *trial) round(ctx context.Context, byPlan bool) error {
	plan, err := x.engine.Plan(ctx, engine.PlanRequest{AcceptClock: true, NoSave: !byPlan})
	if err != nil {
		return err
	}
	if plan.Refusals, err = x.o.bar(plan.Refusals); err != nil {
		return err
	}
	want := x.o.plan()
	if err := x.samePlan(want, plan); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if !byPlan { // one kind of round is enough: it counts as plan does
		inv, err := x.engine.Inventory(ctx, time.Time{})
		if err != nil {
			return err
		}
		if err := x.sameInventory(want, inv); err != nil {
			return fmt.Errorf("inventory: %w", err)
		}
	}
	req := engine.RunRequest{AcceptClock: true, Approve: x.w.Approve, By: "tester", Reason: "a test"}
	if byPlan {
		req.Plan = plan.ID
	}
	report, err := x.engine.Run(ctx, req)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	if err := x.sameRun(want, report); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return x.sameWorld(ctx)
}

// sameDay plans at the first or at the last second of the as-of's local day:
// calendar periods give the same set all day long.
func (x *trial) sameDay(ctx context.Context) error {
	if x.w.Zone2 != "" && x.w.Zone2 != x.w.Zone {
		return nil
	}
	day := civil(x.w.AsOf, x.o.zone)
	at := startOfDay(day, x.o.zone)
	if x.w.ByPlan {
		at = startOfDay(day.AddDate(0, 0, 1), x.o.zone).Add(-time.Second)
	}
	plan, err := x.engine.Plan(ctx, engine.PlanRequest{AsOf: at, NoSave: true, AcceptClock: true})
	if err != nil {
		return err
	}
	if plan.Refusals, err = x.o.bar(plan.Refusals); err != nil {
		return err
	}
	want := x.o.plan()
	for i, s := range want.steps {
		if !x.byDay(s) {
			continue
		}
		if err := sameClasses(want.classes[i], stepOf(plan, s)); err != nil {
			return fmt.Errorf("as of %s, the same day: step %s: %w; refusals %s", at, s.name(), err, flow(plan.Refusals))
		}
	}
	return nil
}

// byDay: nothing that decides on the step's rows has an exact period.
func (x *trial) byDay(s *oStep) bool {
	for _, r := range x.w.Rules {
		if r.AtLeast != nil && r.AtLeast.Exact {
			return false
		}
	}
	return !s.rule.Stages[0].Keep.Exact
}

func stepOf(p retention.Plan, s *oStep) *retention.Step {
	for i := range p.Steps {
		g := &p.Steps[i]
		if g.Rule == s.rule.ID && g.Stage == s.stage+1 && g.Archived == s.vault {
			return g
		}
	}
	return nil
}

func sameClasses(want map[string]int, got *retention.Step) error {
	if got == nil {
		return fmt.Errorf("it is missing")
	}
	return classesEqual(want, got.Classes)
}

func classesEqual(want map[string]int, got retention.Classes) error {
	if got.Sum() != got.Total {
		return fmt.Errorf("classes add up to %d of %d", got.Sum(), got.Total)
	}
	sum := 0
	for _, c := range retention.ClassOrder() {
		n := int(*got.Of(c))
		sum += n
		if n != want[string(c)] {
			return fmt.Errorf("classes are %s, the oracle says %v", flow(got), want)
		}
	}
	return nil
}

func (x *trial) samePlan(want *oPlan, got retention.Plan) error {
	if len(got.Steps) != len(want.steps) {
		return fmt.Errorf("%d steps, the oracle says %d: %s", len(got.Steps), len(want.steps), flow(got.Refusals))
	}
	for i, s := range want.steps {
		g := &got.Steps[i]
		if g != stepOf(got, s) {
			return fmt.Errorf("step %d is %s/%d, the oracle says %s", i, g.Rule, g.Stage, s.name())
		}
		if err := sameClasses(want.classes[i], g); err != nil {
			return fmt.Errorf("step %s: %w", s.name(), err)
		}
		if err := sameChildren(want.children[i], x.bare(s, g.Children)); err != nil {
			return fmt.Errorf("step %s: %w", s.name(), err)
		}
	}
	return sameRefusals(want, got.Refusals)
}

// bare are children as the oracle calls them: of segments they are told as the
// database calls them.
func (x *trial) bare(s *oStep, children map[string]int64) map[string]int64 {
	if !s.sealed {
		return children
	}
	out := map[string]int64{}
	for t, n := range children {
		out[x.plain(t)] += n
	}
	return out
}

func sameChildren(want map[string]int, got map[string]int64) error {
	for t, n := range got {
		if int(n) != want[t] {
			return fmt.Errorf("children are %v, the oracle says %v", got, want)
		}
	}
	for t, n := range want {
		if int(got[t]) != n {
			return fmt.Errorf("children are %v, the oracle says %v", got, want)
		}
	}
	return nil
}

func sameRefusals(want *oPlan, got []retention.Refusal) error {
	seen := 0
	for _, r := range got {
		if !want.refused[fmt.Sprintf("%s/%d", r.Rule, r.Stage)][r.Code] {
			return fmt.Errorf("refusal %s, the oracle says %v", flow(r), want.refused)
		}
		seen++
	}
	all := 0
	for _, codes := range want.refused {
		all += len(codes)
	}
	if seen != all {
		return fmt.Errorf("%d refusals, the oracle says %v", seen, want.refused)
	}
	return nil
}

func (x *trial) sameInventory(want *oPlan, got engine.Inventory) error {
	for i, s := range want.steps {
		table := s.table()
		if s.vault && !s.sealed {
			table = vaultPrefix + table
		}
		found := false
		for _, item := range got.Datasets {
			if item.Rule == s.rule.ID && item.Stage == s.stage+1 && x.plain(item.Table) == table && (!x.o.seals() || s.then() == "archive" || s.vault == (item.Vault != "")) {
				found = true
				if err := classesEqual(want.classes[i], item.Classes); err != nil {
					return fmt.Errorf("step %s: %w", s.name(), err)
				}
			}
		}
		if !found {
			return fmt.Errorf("step %s is missing", s.name())
		}
	}
	return nil
}

// sameRun compares the report with what the oracle did, and remembers how many
// rows went.
func (x *trial) sameRun(want *oPlan, got retention.RunReport) error {
	done := x.o.run(want, x.w.Approve)
	reported := map[string][]retention.StepReport{} // of a table, then of what is sealed of it
	for _, s := range got.Steps {
		if s.Planned != s.Done+s.Spared.Sum() || s.Spared.Failed > 0 || s.Error != "" {
			return fmt.Errorf("step %s/%d does not add up, or failed: %s", s.Rule, s.Stage, flow(s))
		}
		name := fmt.Sprintf("%s/%d/%s", s.Rule, s.Stage, x.plain(s.Table))
		reported[name] = append(reported[name], s)
		x.done += s.Done
	}
	for i, s := range want.steps {
		var g retention.StepReport
		list := reported[s.name()]
		there := len(list) > 0
		if there {
			g, reported[s.name()] = list[0], list[1:]
		}
		if want.stops(s, x.w.Approve) || x.o.idle(s) {
			if there {
				return fmt.Errorf("step %s must not act", s.name())
			}
			continue
		}
		if !there || int(g.Planned) != len(want.due[i]) || int(g.Done) != done[i] {
			return fmt.Errorf("step %s: %s, the oracle planned %d and did %d; refusals %s", s.name(), flow(g), len(want.due[i]), done[i], flow(got.Refusals))
		}
	}
	for name, list := range reported {
		for _, s := range list {
			if s.Planned > 0 {
				return fmt.Errorf("step %s is not in the oracle's plan", name)
			}
		}
	}
	return nil
}

// plain is a table as reports write it, without the schema.
func (x *trial) plain(table string) string { return strings.TrimPrefix(table, x.home) }

// sameWorld compares every table, live and archived.
func (x *trial) sameWorld(ctx context.Context) error {
	for _, t := range x.w.Tables {
		got, err := x.rows(x.app, t.Name, t.Columns)
		if err == nil {
			err = x.sameTable(t.Name, got, x.o.live[t.Name], t)
		}
		if err != nil {
			return err
		}
		if x.o.seals() {
			continue
		}
		if got, err = x.archived(t.Name, t.Columns); err == nil {
			err = x.sameTable(vaultPrefix+t.Name, got, x.o.vault[t.Name], t)
		}
		if err != nil {
			return err
		}
	}
	if x.o.seals() {
		return x.sameSegments(ctx)
	}
	return nil
}

// sameLog verifies the audit log and compares it with all that was reported.
func (x *trial) sameLog(ctx context.Context) error {
	audited, err := x.audited(ctx)
	if err == nil && audited != x.done {
		err = fmt.Errorf("the audit log says that %d rows went, the reports %d", audited, x.done)
	}
	return err
}

func (x *trial) sameTable(name string, got [][]cell, want *oTable, def *wTable) error {
	if want == nil && len(got) == 0 {
		return nil
	}
	if want == nil || len(got) != len(want.rows) {
		return fmt.Errorf("table %q has %d rows: %v; the oracle says %v", name, len(got), got, want)
	}
	byKey := map[string][][]cell{}
	for _, r := range got {
		byKey[keyOf(def, r)] = append(byKey[keyOf(def, r)], r)
	}
	for _, r := range want.rows {
		k := keyOf(def, r.v)
		if len(byKey[k]) == 0 {
			return fmt.Errorf("table %q has lost the row %v", name, r.v)
		}
		g := byKey[k][0]
		byKey[k] = byKey[k][1:]
		for i := range r.v {
			if !x.fits(&r.v[i], g[i]) {
				return fmt.Errorf("table %q: row %v: column %q is %+v, the oracle says %+v", name, g, def.Columns[i].Name, g[i], r.v[i])
			}
		}
	}
	return nil
}

func keyOf(t *wTable, r []cell) string {
	var out []string
	for _, k := range t.Key {
		if r[t.at(k)].null() { // named by all that it is
			return flow(r)
		}
		out = append(out, flow(r[t.at(k)]))
	}
	return strings.Join(out, " ")
}

// fits compares a cell; what only the run could know (marks, random texts) is
// tested for its form, and remembered.
func (x *trial) fits(want *cell, got cell) bool {
	switch want.T {
	case "mark":
		at, ok := parseISO(got.S)
		if !ok || !at.set || !at.wall.Add(-at.offset).Equal(x.now) {
			return false
		}
		*want = got
	case "random":
		if ok := regexp.MustCompile("^[0-9A-Za-z_-]{" + strconv.FormatInt(want.I, 10) + "}$").MatchString(got.S); !ok {
			return false
		}
		*want = got
	}
	return *want == got
}
