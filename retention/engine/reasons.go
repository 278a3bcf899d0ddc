package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
	"github.com/retentiond/retentiond/retention/calendar"
)

// reasons names what keeps a row whose period is over: which minimum and until
// when, or which child.
type reasons struct {
	*Engine
	view   *view
	place  *place
	source retention.Source
	find   retention.Find
}

// more completes the reason of a protected or blocked row; a detail that cannot
// be had is left out, the class stands.
func (r *reasons) more(ctx context.Context, b *bind.Step, ev retention.Evidence) string {
	find := retention.Find{Key: &ev.Key, Limit: 1}
	switch ev.Class {
	case retention.Protected:
		return r.protectors(ctx, find)
	case retention.Blocked:
		return r.blockers(ctx, b, find)
	}
	return ""
}

// protectors names the minimums on the row that are not over.
func (r *reasons) protectors(ctx context.Context, find retention.Find) string {
	var names []string
	for _, m := range r.onTable() {
		seen, err := r.source.Evidence(ctx, m.selection, r.view.holds[r.place.dataset.Source], find)
		if err != nil || len(seen) != 1 || seen[0].Class == retention.Excluded {
			continue
		}
		if text, running := m.until(seen[0]); running {
			names = append(names, text)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, "; ")
}

// blockers names the child tables that keep the row.
func (r *reasons) blockers(ctx context.Context, b *bind.Step, find retention.Find) string {
	var names []string
	for i := range b.Selection.Blocked {
		one := b.Selection
		one.Blocked = b.Selection.Blocked[i : i+1]
		seen, err := r.source.Evidence(ctx, one, r.view.holdsFor(b), find)
		if err == nil && len(seen) == 1 && seen[0].Class == retention.Blocked {
			names = append(names, one.Blocked[0].Child.Table.String())
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " (in " + strings.Join(names, ", ") + ")"
}

// minimum is a legal minimum on the place's table, of any policy.
type minimum struct {
	policy    *retention.Policy
	rule      *retention.Rule
	selection retention.Selection
}

func (r *reasons) onTable() []minimum {
	var out []minimum
	for _, p := range r.view.acting {
		for i := range p.Rules {
			rule := &p.Rules[i]
			sel, ok := r.view.bound.Protects[bind.RuleKey(p, rule)]
			d := p.Dataset(rule.Dataset)
			if ok && d != nil && sel.Table.Name == r.place.whole.Table.Name && has(r.view.namesOf(d.Source), r.place.dataset.Source) {
				out = append(out, minimum{p, rule, sel})
			}
		}
	}
	return out
}

// until says in words whether the minimum still runs, and until when.
func (m *minimum) until(ev retention.Evidence) (text string, running bool) {
	name := m.policy.Name + "/" + m.rule.ID
	if ev.Clock == nil {
		return name + ", at least " + m.rule.AtLeast.String() + " from a clock that has not started or cannot be read", true
	}
	last, _ := calendar.Due(*ev.Clock, *m.rule.AtLeast, m.policy.Zone, m.rule.Clock.Members[0].Round)
	over := ev.Class == retention.Due || ev.Class == retention.Held
	return fmt.Sprintf("%s, at least until the end of %s", name, last), !over
}

// minimums adds, for rules that only protect, what they say of each row.
func (r *reasons) minimums(ctx context.Context, rows []ExplainedRow, index map[string]int, x *Explanation) error {
	if r.place.vault != "" {
		return nil
	}
	for _, m := range r.onTable() {
		if len(m.rule.Stages) > 0 || m.policy != r.place.policy || m.rule.Dataset != r.place.dataset.Name {
			continue
		}
		seen, err := r.source.Evidence(ctx, m.selection, r.view.holds[r.place.dataset.Source], r.find)
		if err != nil {
			if err := x.failed(ctx, m.policy, r.place.dataset, m.rule.ID, fmt.Errorf("explaining minimum %s/%s: %w", m.policy.Name, m.rule.ID, err)); err != nil {
				return err
			}
			continue
		}
		for _, ev := range seen {
			if i, ok := index[ev.Key]; ok {
				rows[i].Rules = append(rows[i].Rules, m.explained(ev))
			}
		}
	}
	return nil
}

// explained is what a rule that only protects says of a row: it never makes it
// due.
func (m *minimum) explained(ev retention.Evidence) ExplainedRule {
	out := ExplainedRule{Rule: m.rule.ID, Action: "at_least", Class: retention.Excluded, Because: "the rule's condition does not match"}
	if ev.Class == retention.Excluded {
		return out
	}
	text, running := m.until(ev)
	out.Because = "the legal minimum is over: " + text
	if running {
		out.Class, out.Because = retention.Protected, "a legal minimum protects the row: "+text
	}
	if ev.Clock != nil {
		local := ev.Clock.In(m.policy.Zone)
		last, due := calendar.Due(*ev.Clock, *m.rule.AtLeast, m.policy.Zone, m.rule.Clock.Members[0].Round)
		due = due.In(m.policy.Zone)
		out.Clock, out.LastDay, out.DueAt = &local, last.String(), &due
	}
	return out
}
