package console

import (
	"maps"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// RuleOn is a rule on one source.
type RuleOn struct{ Policy, Rule, Source string }

// Backlog is what is known of a rule's rows on a source since it was last counted
// exactly: when a run planned.
type Backlog struct {
	At      time.Time         // as-of of the count
	Classes retention.Classes // as counted; the rows done since are in Done
	Done    int64             // rows that the run then did
	Oldest  time.Duration     // how long, at As-of, the oldest due row had been due; 0: not known
	Refused bool              // the run was not let to do them all
}

// Left is how many rows were due and were not done.
func (b Backlog) Left() int64 { return max(0, b.Classes.Due-b.Done) }

// Known is what runs of the state store tell, newest first wins.
type Known struct {
	Rules     map[RuleOn]Backlog
	Before    map[RuleOn][]int64 // rows left after the runs before, newest first, at most [remembered]
	Succeeded map[string]time.Time
	Sets      map[retention.RuleSetID]time.Time // when a slot of the rule set last went well
	Parked    map[string]time.Time              // plans that wait for an approval, since when
}

// remembered is how many counts before the last one are kept, for a trend.
const remembered = 3

func newKnown() *Known {
	return &Known{Rules: map[RuleOn]Backlog{}, Before: map[RuleOn][]int64{}, Succeeded: map[string]time.Time{},
		Sets: map[retention.RuleSetID]time.Time{}, Parked: map[string]time.Time{}}
}

// clone is a copy that later runs do not change.
func (k *Known) clone() *Known {
	return &Known{Rules: maps.Clone(k.Rules), Before: maps.Clone(k.Before), Succeeded: maps.Clone(k.Succeeded),
		Sets: maps.Clone(k.Sets), Parked: maps.Clone(k.Parked)}
}

// learn takes one ended run and its plan in; runs come oldest first.
func (k *Known) learn(run *retention.Run, plan *retention.Plan) {
	r := run.Report
	fresh := counted(plan, r)
	for on, b := range fresh {
		if old, ok := k.Rules[on]; ok {
			k.Before[on] = append([]int64{old.Left()}, k.Before[on]...)
			k.Before[on] = k.Before[on][:min(remembered, len(k.Before[on]))]
		}
		k.Rules[on] = b
	}
	well := map[string]bool{}
	for _, s := range r.Steps {
		name := s.Policy + "/" + s.Rule
		fine := s.Error == "" && s.Spared.Failed == 0 && !r.Interrupted && !refusedRule(r, s.Policy, s.Rule)
		if was, seen := well[name]; !seen || was {
			well[name] = fine
		}
	}
	for name, fine := range well {
		if fine {
			k.Succeeded[name] = r.Ended
		}
	}
	if r.Parked != "" {
		k.Parked[r.Parked] = r.Ended
	}
	if run.Slot != nil && r.Verdict == retention.VerdictOK && r.SlotOver() {
		k.Sets[run.Slot.RuleSet()] = r.Ended
	}
}

func refusedRule(r *retention.RunReport, policy, rule string) bool {
	for _, f := range r.Refusals {
		if (f.Policy == "" || f.Policy == policy) && (f.Rule == "" || f.Rule == rule) {
			return true
		}
	}
	return false
}

// add adds counts of one table to those of others.
func add(to *retention.Classes, c retention.Classes) {
	for _, class := range retention.ClassOrder() {
		*to.Of(class) += *c.Of(class)
	}
	to.Total += c.Total
}

// counted sums a plan's steps up by rule and source, with what the run did. A plan
// that counted nothing exactly (a source that was down) says nothing.
func counted(p *retention.Plan, r *retention.RunReport) map[RuleOn]Backlog {
	out := map[RuleOn]Backlog{}
	for i := range p.Steps {
		s := &p.Steps[i]
		on := RuleOn{s.Policy, s.Rule, s.Source}
		b := out[on]
		b.At = p.AsOf
		add(&b.Classes, s.Classes)
		if s.OldestDue != nil && s.OldestDue.Before(s.Cutoff) {
			b.Oldest = max(b.Oldest, s.Cutoff.Sub(*s.OldestDue))
		}
		b.Refused = b.Refused || refusedRule(r, s.Policy, s.Rule)
		out[on] = b
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		on := RuleOn{s.Policy, s.Rule, s.Source}
		if b, ok := out[on]; ok {
			b.Done += s.Done
			out[on] = b
		}
	}
	return out
}
