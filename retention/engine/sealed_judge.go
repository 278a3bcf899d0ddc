package engine

import (
	"slices"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// segmentJudge says of segments, whose content nobody here can read, what is to
// become of them: by their clocks, the keyed index of subjects, and what was noted
// of minimums. Whatever it cannot tell keeps the segment (L1, L3, L4).
type segmentJudge struct {
	*Engine
	view   *view
	b      *bind.Step
	keeper retention.SealedVault
	set    *retention.HoldSet
	people map[string]map[uint64]bool // held subjects by type
	scoped []map[string]map[uint64]bool
	own    []bind.Way      // of the rule's own table
	kin    map[string]*kin // by table of child rows
}

func (e *Engine) segmentJudge(v *view, b *bind.Step, set *retention.HoldSet) (*segmentJudge, error) {
	if set == nil {
		return nil, refuse(retention.RefuseHoldUnreadable, "holds were not read, so nothing acts")
	}
	k, err := e.keeper(b.Vault)
	if err != nil {
		return nil, err
	}
	j := &segmentJudge{Engine: e, view: v, b: b, keeper: k, set: set, people: digests(k, set.Subjects), own: bind.WaysOf(b.Selection.Reach, ""), kin: map[string]*kin{}}
	for _, h := range j.scopes() {
		j.scoped = append(j.scoped, digests(k, h.Subjects))
	}
	return j, nil
}

// scopes are the holds with datasets: on tables here, and by name.
func (j *segmentJudge) scopes() []retention.ScopedHold {
	return append(slices.Clone(j.set.Scoped), j.set.Named...)
}

func digests(k retention.SealedVault, subjects map[string][]string) map[string]map[uint64]bool {
	out := map[string]map[uint64]bool{}
	for typ, ids := range subjects {
		if len(ids) == 0 {
			continue
		}
		out[typ] = make(map[uint64]bool, len(ids))
		for _, id := range ids {
			for _, n := range k.Digests(typ, id) {
				out[typ][n] = true
			}
		}
	}
	return out
}

// about reports whether the step ends the segment.
func (j *segmentJudge) about(s *retention.Segment) bool {
	return s.Bad == "" && s.Policy == j.b.Policy.Name && s.Rule == j.b.Rule.ID && s.SourceUUID == j.view.servers[j.b.Source].Gate.SourceUUID
}

// class is the segment's, and the instant at which it ends.
func (j *segmentJudge) class(s *retention.Segment) (retention.Class, time.Time) {
	end := retention.EndOf(s.Last, j.b.Policy, j.b.Rule, j.b.Rule.Stages[j.b.Stage-1].Keep)
	switch {
	case !j.clocked(s):
		return retention.Unresolved, end
	case end.After(j.view.asOf):
		return retention.Active, end
	case j.held(s):
		return retention.Held, end
	case j.protected(s, "", j.b.Selection.Minimums):
		return retention.Protected, end
	case j.blocked(s):
		return retention.Blocked, end
	}
	return retention.Due, end
}

// clocked reports whether the clock that was noted is the one that the rule counts from
// now: by another the end is not known (L1, L2).
func (j *segmentJudge) clocked(s *retention.Segment) bool {
	r := j.b.Rule
	if s.From == "" { // sealed before that was noted
		return s.Meaning != "" && s.Meaning == r.Meaning
	}
	return s.From == r.From
}

// held reports whether some hold reaches a row of the segment, or might.
func (j *segmentJudge) held(s *retention.Segment) bool {
	if j.any(s, j.people) {
		return true
	}
	for i, h := range j.scopes() {
		// A condition cannot be tested on what cannot be read: it holds.
		if j.covers(s, &h, i < len(j.set.Scoped)) && (len(j.scoped[i]) == 0 || j.any(s, j.scoped[i])) {
			return true
		}
	}
	return false
}

// any looks for one of the subjects in the index. A type that the tables have now,
// and the index does not know, might be anybody; so might one that they have by another
// way than the index was made by.
func (j *segmentJudge) any(s *retention.Segment, people map[string]map[uint64]bool) bool {
	for typ, ids := range people {
		if !slices.Contains(s.Types, typ) {
			if j.reaches(s, typ) {
				return true
			}
			continue
		}
		if s.Loose || j.widened(s, typ) { // or its index does not tell all spellings that a database takes for one
			return true
		}
		for _, n := range s.About {
			if ids[n] {
				return true
			}
		}
	}
	return false
}

func (j *segmentJudge) reaches(s *retention.Segment, typ string) bool {
	if reachesAny(j.b.Selection.Reach, typ, 0) || j.widened(s, typ) {
		return true
	}
	return slices.ContainsFunc(j.b.Selection.Blocked, func(c retention.ChildReach) bool {
		return c.Reach != nil && reachesAny(c.Reach, typ, 0)
	})
}

// blocked reports whether a minimum protects child rows of the segment, whether or not
// their table still is a child, or rows of what was under another name.
func (j *segmentJudge) blocked(s *retention.Segment) bool {
	for i := range s.Tables {
		if t := &s.Tables[i]; t.Child && j.protected(s, t.Name.String(), j.kinOf(t.Name).minimums) {
			return true
		}
	}
	for _, c := range j.came(s) {
		if j.protected(s, c.Child.Table.String(), c.Minimums) {
			return true
		}
	}
	return slices.ContainsFunc(s.Minimums, func(m retention.SegmentMinimum) bool {
		p, r := j.rule(m.Policy, m.Rule)
		return r != nil && r.AtLeast != nil && j.runs(&m, p, r)
	})
}

// protected reports whether some minimum of now on the table is not known to be over;
// child is the table's name, of child rows. One that came after the rows were sealed
// was never asked: the unknown protects.
func (j *segmentJudge) protected(s *retention.Segment, child string, minimums []retention.Minimum) bool {
	for _, m := range minimums {
		if m.Rule == "" { // what a store keeps itself it keeps no more, once its object left it
			continue
		}
		p, r := j.rule(m.Policy, m.Rule)
		at := slices.IndexFunc(s.Minimums, func(x retention.SegmentMinimum) bool {
			return x.Policy == m.Policy && x.Rule == m.Rule && x.Child == child
		})
		if at < 0 || r == nil || r.AtLeast == nil || j.runs(&s.Minimums[at], p, r) {
			return true
		}
	}
	return false
}

// runs reports whether a minimum, as it was noted, is not known to be over. What was
// noted of one that asked something else is not known.
func (j *segmentJudge) runs(m *retention.SegmentMinimum, p *retention.Policy, r *retention.Rule) bool {
	if m.Unknown || m.Asks == "" || m.Asks != r.Asks {
		return true
	}
	return !m.Clock.IsZero() && retention.EndOf(m.Clock, p, r, *r.AtLeast).After(j.view.asOf)
}

func (j *segmentJudge) rule(policy, rule string) (*retention.Policy, *retention.Rule) {
	for _, p := range j.allPolicies() {
		for i := range p.Rules {
			if p.Name == policy && p.Rules[i].ID == rule {
				return p, &p.Rules[i]
			}
		}
	}
	return nil, nil
}
