package policies

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// Table is a policy for people: plain data, which the command line draws.
type Table struct {
	Title  string
	Header []string
	Rows   [][]string
}

// Describe renders the policy in the language, fr or en (anything else is en):
// one row for each stage and each minimum, then the datasets without a rule.
func Describe(p *retention.Policy, lang string) Table {
	w := wordsOf(lang)
	t := Table{Title: p.Title, Header: w.header}
	ruled := map[string]bool{}
	for i := range p.Rules {
		r := &p.Rules[i]
		ruled[r.Dataset] = true
		t.Rows = append(t.Rows, w.ruleRows(r)...)
	}
	for i := range p.Datasets {
		ds := &p.Datasets[i]
		switch {
		case ds.Exempt != "":
			t.Rows = append(t.Rows, []string{"", ds.Name, "", "", w.exempt + ": " + ds.Exempt, "", ""})
		case !ruled[ds.Name]:
			t.Rows = append(t.Rows, []string{cmp.Or(ds.Purpose, "—"), ds.Name, "", "", w.undecided, "", ""})
		}
	}
	return t
}

// StageText is a stage of a rule (from 1) in the language: its period, its action, and
// the rule's legal basis.
func StageText(r *retention.Rule, stage int, lang string) (period, action, basis string) {
	w := wordsOf(lang)
	if stage < 1 || stage > len(r.Stages) {
		return "", "", w.basis(r.Basis)
	}
	s := &r.Stages[stage-1]
	return w.period(s.Keep), w.action(&s.Action), w.basis(r.Basis)
}

// ruleRows is one row for each stage, and one for a minimum.
func (w words) ruleRows(r *retention.Rule) [][]string {
	title := r.Title
	if r.Disabled {
		title += " (" + w.disabled + ")"
	}
	if !r.EffectiveFrom.IsZero() {
		title += " (" + w.from + " " + r.EffectiveFrom.Format("2006-01-02") + ")"
	}
	clock := w.clock(&r.Clock)
	if r.Where != nil {
		clock += ", " + w.where + " " + PredicateText(r.Where)
	}
	row := func(period, action string) []string {
		return []string{title, r.Dataset, clock, period, action, w.basis(r.Basis), r.Cite}
	}
	var rows [][]string
	if r.AtLeast != nil {
		rows = append(rows, row(w.atLeast+" "+w.period(*r.AtLeast), w.protect))
	}
	for i := range r.Stages {
		s := &r.Stages[i]
		rows = append(rows, row(w.period(s.Keep), w.action(&s.Action)))
	}
	return rows
}

// period is a period in the language.
func (w words) period(p calendar.Period) string {
	if w.french {
		return p.French()
	}
	return p.String()
}

// clock is the event in words.
func (w words) clock(c *retention.Clock) string {
	parts := make([]string, len(c.Members))
	for i := range c.Members {
		parts[i] = w.member(&c.Members[i])
	}
	if len(parts) == 1 {
		return parts[0]
	}
	text := w.latest
	if c.Earliest {
		text = w.earliest
	}
	text += " " + strings.Join(parts, ", ")
	if c.NullsOpen {
		text += " (" + w.allNeeded + ")"
	}
	return text
}

// member is one event of a clock.
func (w words) member(m *retention.Member) string {
	text := m.Column
	if m.Related != nil {
		text = m.Related.Table.String() + "." + m.Related.Column
		if m.Related.Where != nil {
			text += " (" + PredicateText(m.Related.Where) + ")"
		}
	}
	if !m.Round.IsZero() {
		text = w.round(m.Round) + " " + text
	}
	return text
}

// round is the end that a clock is moved to.
func (w words) round(r calendar.Round) string {
	switch r {
	case calendar.MonthEnd():
		return w.monthEnd
	case calendar.YearEnd():
		return w.yearEnd
	}
	return fmt.Sprintf(w.businessYearEnd, strings.TrimPrefix(r.String(), "year-end "))
}

// action is what happens to a due row.
func (w words) action(a *retention.Action) string {
	text := w.actions(a.Kind)
	switch a.Kind {
	case retention.Archive:
		text += " (" + a.Vault + ": " + a.Why + ")"
	case retention.Redact:
		var names []string
		for _, c := range a.Columns {
			names = append(names, c.Column)
		}
		text += " (" + strings.Join(names, ", ") + ")"
	}
	return text
}
