package bind

import (
	"errors"
	"slices"
	"sort"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// binder binds one rule; it gathers problems instead of stopping at the first.
type binder struct {
	*world
	policy   *retention.Policy
	rule     *retention.Rule
	dataset  *retention.Dataset
	schema   *retention.Schema
	table    *retention.Table
	problems []Problem
}

// rule binds every stage of a rule. Where a problem is an error, the steps are
// not to be used.
func (w *world) rule(p *retention.Policy, r *retention.Rule) ([]Step, []Problem) {
	b := &binder{world: w, policy: p, rule: r, dataset: p.Dataset(r.Dataset)}
	if b.dataset == nil {
		b.fail(retention.RefusePolicyError, "", "dataset %q is not in the policy", r.Dataset)
		return nil, b.problems
	}
	b.schema = w.Schemas[b.dataset.Source]
	if b.schema == nil { // the engine reports source_down once for the source
		return nil, b.problems
	}
	b.table = b.schema.Table(b.dataset.Table)
	if b.table == nil {
		b.fail(retention.RefuseSchemaDrift, "create it, or correct `table:`", "source %q has no table %q", b.dataset.Source, b.dataset.Table)
		return nil, b.problems
	}
	b.names()
	var steps []Step
	for i := range r.Stages {
		if s, ok := b.stage(i); ok {
			steps = append(steps, s)
		}
		if s, ok := b.expiry(i); ok {
			steps = append(steps, s)
		}
	}
	protectors := b.protectors()
	for i := range steps {
		steps[i].Protectors = protectors
	}
	return steps, b.problems
}

// protectors names the minimums of other rules on the dataset's tables, in order.
func (b *binder) protectors() []string {
	tables := []retention.TableName{b.dataset.Table}
	for _, c := range b.dataset.Children {
		tables = append(tables, c.Table)
	}
	var out []string
	for _, t := range tables {
		for _, u := range b.uses[b.phys(b.dataset.Source, t)] {
			for i := range u.policy.Rules {
				r := &u.policy.Rules[i]
				if r.AtLeast != nil && r != b.rule && r.Dataset == u.dataset.Name {
					out = append(out, u.policy.Name+"/"+r.ID+"="+r.Meaning)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (b *binder) fail(code retention.RefusalCode, hint, format string, args ...any) {
	for _, a := range args {
		if err, ok := a.(error); ok && errors.As(err, &hidden{}) {
			code, hint = retention.RefuseUnsafeTable, ""
		}
		if err, ok := a.(error); ok && errors.As(err, &unheld{}) {
			code, hint = retention.RefusePolicyError, "name a column of text, whole numbers or UUIDs under `subject:` (a generated column will do)"
		}
	}
	b.problems = append(b.problems, problem(b.policy, b.rule.ID, b.dataset, code, hint, format, args...))
}

func (b *binder) warn(name, hint, format string, args ...any) {
	p := problem(b.policy, b.rule.ID, b.dataset, "", hint, format, args...)
	p.Level, p.Name = Warning, name
	b.problems = append(b.problems, p)
}

// names checks what every stage shares: condition, clock, subjects, children.
func (b *binder) names() {
	if err := checkPredicate(b.schema, b.table, b.rule.Where); err != nil {
		b.fail(retention.RefuseSchemaDrift, "correct `where:`", "where: %v", err)
	}
	for i := range b.dataset.Children {
		if err := checkRelation(b.schema, b.table, &b.dataset.Children[i].Relation); err != nil {
			b.fail(retention.RefuseSchemaDrift, "correct `children:`", "children: %v", err)
		}
	}
	b.about()
	if b.rule.AtLeast != nil {
		if _, err := b.clock(b.policy, b.schema, b.table, &b.rule.Clock, *b.rule.AtLeast); err != nil {
			b.fail(retention.RefuseSchemaDrift, "correct `from:`", "from: %v", err)
		}
	}
	b.indexes()
}

// about checks whom the rows are about.
func (b *binder) about() {
	for i := range b.dataset.Subjects {
		if err := checkSubject(b.schema, b.table, &b.dataset.Subjects[i]); err != nil {
			b.fail(retention.RefuseSchemaDrift, "correct `subject:`", "subject %s: %v", b.dataset.Subjects[i].Type, err)
		}
	}
}

// stage binds one stage on the live table.
func (b *binder) stage(i int) (Step, bool) {
	st := &b.rule.Stages[i]
	before := len(b.problems)
	sel := retention.Selection{Schema: b.schema, Table: b.table, Where: b.rule.Where}
	sel.Clock = b.bindClock(st.Keep)
	if i+1 < len(b.rule.Stages) {
		later := b.bindClock(b.rule.Stages[i+1].Keep)
		sel.Later = &later
	}
	b.protect(&sel, st.Action.Kind)
	out := Step{
		Policy: b.policy, Rule: b.rule, Stage: i + 1, Dataset: b.dataset, Source: b.dataset.Source,
		Tables: b.changed(st.Action.Kind), Vault: st.Action.Vault, Late: b.late(i),
	}
	out.Act = b.act(st, &sel)
	if len(b.problems) > before && anyError(b.problems[before:]) {
		return Step{}, false
	}
	out.Selection, out.Cutoff = sel, firstCutoff(sel.Clock)
	return out, true
}

func (b *binder) bindClock(keep calendar.Period) retention.ClockTest {
	c, err := b.clock(b.policy, b.schema, b.table, &b.rule.Clock, keep)
	if err != nil {
		b.fail(retention.RefuseSchemaDrift, "correct `from:`", "from: %v", err)
	}
	return c
}

// late reports whether an earlier stage archives: due rows that are still in
// the live table were never archived.
func (b *binder) late(i int) bool {
	for _, st := range b.rule.Stages[:i] {
		if st.Action.Kind == retention.Archive {
			return true
		}
	}
	return false
}

// protect adds holds, minimums and what forbids the children to go (L3, L4).
func (b *binder) protect(sel *retention.Selection, kind retention.ActionKind) {
	src, t := b.dataset.Source, b.table.Name
	var err error
	if sel.Reach, err = b.reach(src, t, nil, nil); err != nil {
		b.fail(retention.RefuseHoldUnreadable, "correct that subject: a hold could not be honoured", "holds cannot be tested: %v", err)
	}
	if kind != retention.Archive {
		if sel.Minimums, err = b.minimums(src, t); err != nil {
			b.fail(retention.RefuseSchemaDrift, "correct that rule: an unknown minimum protects everything", "%v", err)
		}
	}
	if b.table != nil && b.table.Locked != "" {
		sel.Minimums = append(sel.Minimums, b.locked())
	}
	if !kind.Takes() {
		return
	}
	for _, c := range b.dataset.Children {
		cr, err := b.childReach(c, kind)
		if err != nil {
			b.fail(retention.RefuseHoldUnreadable, "correct it: a hold could not be honoured", "child %q: %v", c.Table, err)
		}
		sel.Blocked = append(sel.Blocked, cr)
	}
}

func (b *binder) childReach(c retention.Child, kind retention.ActionKind) (retention.ChildReach, error) {
	src := b.dataset.Source
	out := retention.ChildReach{Child: c}
	skip := &parentUse{use{b.policy, b.dataset}, c}
	var err error
	if out.Reach, err = b.reach(src, c.Table, []retention.TableName{b.table.Name}, skip); err != nil {
		return out, err
	}
	if kind != retention.Archive {
		out.Minimums, err = b.minimums(src, c.Table)
	}
	return out, err
}

// changed lists the tables that a step changes, its own first.
func (b *binder) changed(kind retention.ActionKind) []retention.TableName {
	out := []retention.TableName{b.table.Name}
	if kind.Takes() {
		for _, c := range b.dataset.Children {
			out = append(out, c.Table)
		}
	}
	return out
}

// act binds the action, and refuses it where the live schema could turn it
// into harm.
func (b *binder) act(st *retention.Stage, sel *retention.Selection) retention.Act {
	a := &st.Action
	out := retention.Act{Kind: a.Kind}
	if a.Kind == retention.Report {
		return out
	}
	if b.table.Unsafe != "" {
		b.fail(retention.RefuseUnsafeTable, "", "table %q: %s", b.table.Name, b.table.Unsafe)
	}
	b.files(a.Kind)
	b.triggers(a.Kind)
	out.Whole = b.whole(a.Kind, sel)
	switch a.Kind {
	case retention.Delete:
		out.Children = deepestFirst(b.dataset.Children)
		out.Owns = b.owners(out.Children)
		b.foreignKeys()
	case retention.Archive:
		out.Children = deepestFirst(b.dataset.Children)
		b.foreignKeys()
		out.Into = b.into(a)
		b.sealed(a, &out)
	case retention.Redact, retention.Anonymise:
		out.Changes, out.Mark = a.Columns, a.Mark
		if b.dataset.Files != nil {
			sel.Done = b.contents(a)
			break
		}
		sel.Done = &retention.DoneTest{Mark: a.Mark, Changes: a.Columns}
		b.columns(a)
	}
	return out
}

// deepestFirst orders children so that those reached over others go first.
func deepestFirst(cs []retention.Child) []retention.Child {
	out := append([]retention.Child{}, cs...)
	sort.SliceStable(out, func(i, j int) bool { return len(out[i].Via) > len(out[j].Via) })
	return out
}

// triggers refuses tables whose triggers would act in our name, unseen.
func (b *binder) triggers(kind retention.ActionKind) {
	for _, name := range b.changed(kind) {
		t := b.schema.Table(name)
		if t == nil {
			continue
		}
		if t.Volatile != "" && name != b.table.Name {
			b.fail(retention.RefuseUnsafeTable, "", "child %q: %s", name, t.Volatile)
		}
		for _, tr := range t.Triggers {
			if tr.Event == event(kind, name == b.table.Name, b.childAction(name)) {
				b.fail(retention.RefuseUnsafeTable, "drop the trigger, or do its work in the application",
					"table %q has the %s trigger %q: what it does is not planned, counted or held", name, tr.Event, tr.Name)
			}
		}
	}
}

func (b *binder) childAction(t retention.TableName) retention.ChildAction {
	for _, c := range b.dataset.Children {
		if c.Table == t {
			return c.Then
		}
	}
	return retention.ChildDelete
}

func event(kind retention.ActionKind, own bool, then retention.ChildAction) string {
	if kind.Takes() && (own || then == retention.ChildDelete) {
		return "DELETE"
	}
	return "UPDATE"
}
