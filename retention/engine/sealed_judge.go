package engine

import (
	"slices"
	"strings"
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
}

func (e *Engine) segmentJudge(v *view, b *bind.Step, set *retention.HoldSet) (*segmentJudge, error) {
	if set == nil {
		return nil, refuse(retention.RefuseHoldUnreadable, "holds were not read, so nothing acts")
	}
	k, err := e.keeper(b.Vault)
	if err != nil {
		return nil, err
	}
	j := &segmentJudge{Engine: e, view: v, b: b, keeper: k, set: set, people: digests(k, set.Subjects)}
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
	case end.After(j.view.asOf):
		return retention.Active, end
	case j.held(s):
		return retention.Held, end
	case j.protected(s, j.b.Selection.Minimums):
		return retention.Protected, end
	}
	for i := range j.b.Selection.Blocked {
		c := &j.b.Selection.Blocked[i]
		if j.has(s, c.Child.Table) && j.protected(s, c.Minimums) {
			return retention.Blocked, end
		}
	}
	return retention.Due, end
}

// held reports whether some hold reaches a row of the segment, or might.
func (j *segmentJudge) held(s *retention.Segment) bool {
	if j.any(s, j.people) {
		return true
	}
	for i, h := range j.scopes() {
		if h.Dataset != s.Policy+"/"+s.Dataset && !j.has(s, h.Table) {
			continue
		}
		// A condition cannot be tested on what cannot be read: it holds.
		if len(j.scoped[i]) == 0 || j.any(s, j.scoped[i]) {
			return true
		}
	}
	return false
}

// any looks for one of the subjects in the index. A type that the tables have now,
// and the index does not know, might be anybody.
func (j *segmentJudge) any(s *retention.Segment, people map[string]map[uint64]bool) bool {
	for typ, ids := range people {
		if !slices.Contains(s.Types, typ) {
			if j.reaches(typ) {
				return true
			}
			continue
		}
		if s.Loose { // its index does not tell all spellings that a database takes for one
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

func (j *segmentJudge) reaches(typ string) bool {
	if reachesAny(j.b.Selection.Reach, typ, 0) {
		return true
	}
	return slices.ContainsFunc(j.b.Selection.Blocked, func(c retention.ChildReach) bool {
		return c.Reach != nil && reachesAny(c.Reach, typ, 0)
	})
}

// has reports whether the segment has rows of the table.
func (j *segmentJudge) has(s *retention.Segment, t retention.TableName) bool {
	return slices.ContainsFunc(s.Tables, func(x retention.SegmentTable) bool {
		return strings.EqualFold(x.Name.Name, t.Name) && (x.Name.Schema == "" || t.Schema == "" || strings.EqualFold(x.Name.Schema, t.Schema))
	})
}

// protected reports whether some minimum is not known to be over. One that came
// after the rows were sealed was never asked: the unknown protects.
func (j *segmentJudge) protected(s *retention.Segment, minimums []retention.Minimum) bool {
	for _, m := range minimums {
		p, r := j.rule(m.Policy, m.Rule)
		at := slices.IndexFunc(s.Minimums, func(x retention.SegmentMinimum) bool { return x.Policy == m.Policy && x.Rule == m.Rule })
		if at < 0 || r == nil || r.AtLeast == nil || s.Minimums[at].Unknown {
			return true
		}
		if clock := s.Minimums[at].Clock; !clock.IsZero() && retention.EndOf(clock, p, r, *r.AtLeast).After(j.view.asOf) {
			return true
		}
	}
	return false
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
