package bind

import (
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// clock binds a rule's clock to a live table, with cutoffs for one period.
func (w *world) clock(p *retention.Policy, s *retention.Schema, t *retention.Table, c *retention.Clock, keep calendar.Period) (retention.ClockTest, error) {
	out := retention.ClockTest{Earliest: c.Earliest, NullsOpen: c.NullsOpen}
	for i := range c.Members {
		m, err := w.member(p, s, t, &c.Members[i], keep)
		if err != nil {
			return out, err
		}
		out.Members = append(out.Members, m)
	}
	if len(out.Members) == 0 {
		return out, errors.New("the clock has no member")
	}
	return out, nil
}

func (w *world) member(p *retention.Policy, s *retention.Schema, t *retention.Table, m *retention.Member, keep calendar.Period) (retention.MemberTest, error) {
	out := retention.MemberTest{
		Column: m.Column, Related: m.Related, Zone: m.Zone, DateZone: p.Zone,
		NotBefore: m.NotBefore, NotAfter: m.NotAfter,
		Cutoff: calendar.Cutoff(w.AsOf, keep, p.Zone, m.Round),
	}
	w.defaults(&out, p)
	col, err := memberColumn(s, t, m)
	if err != nil {
		return out, err
	}
	out.Parent = m.Related != nil && pointsUp(s, m.Related)
	out.Type = m.As
	if out.Type == "" {
		if out.Type = retention.ClockTypeOf(col.Kind); out.Type == "" {
			return out, fmt.Errorf("column %q is %s, which says no instant: write as: unix-seconds, unix-milliseconds, text, date or timestamp", col.Name, col.Decl)
		}
	}
	if keep.Exact() {
		if out.Type == retention.AsDate {
			return out, fmt.Errorf("column %q is a date: the exact period %s needs a time of day; write a calendar period such as 1 day", col.Name, keep)
		}
		out.DateZone = nil // a date alone says no instant: unresolved under an exact period
	}
	return out, nil
}

func (w *world) defaults(m *retention.MemberTest, p *retention.Policy) {
	if m.Zone == nil {
		m.Zone = p.Zone
	}
	if m.NotBefore.IsZero() {
		m.NotBefore = retention.DefaultNotBefore()
	}
	if m.NotAfter.IsZero() {
		m.NotAfter = w.AsOf.AddDate(retention.DefaultNotAfterYears, 0, 0)
	}
}

func memberColumn(s *retention.Schema, t *retention.Table, m *retention.Member) (*retention.Column, error) {
	name, at := m.Column, t
	if m.Related != nil {
		if err := checkRelation(s, t, m.Related); err != nil {
			return nil, err
		}
		name, at = m.Related.Column, s.Table(m.Related.Table)
	}
	if err := checkColumn(at, name); err != nil {
		return nil, err
	}
	return at.Column(name), nil
}

// firstCutoff is the cutoff shown to people: that of the clock's first member.
func firstCutoff(c retention.ClockTest) time.Time { return c.Members[0].Cutoff }
