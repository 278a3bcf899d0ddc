package schedule

import (
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// RuleSet is the rules of one policy that share a schedule: they are run together,
// as of one instant.
type RuleSet struct {
	retention.RuleSetID
	Zone     string
	Rules    []string // in the policy's order
	Schedule *Schedule
}

// RuleSets groups the rules of the policies by schedule: a rule's own, or the
// policy's. Rules without either are run by hand, and rules that only protect have
// nothing to run. An expression that cannot be read stops its own rules: it is an
// entry of bad.
func RuleSets(policies []*retention.Policy) (sets []RuleSet, bad map[retention.RuleSetID]error) {
	bad = map[retention.RuleSetID]error{}
	for _, p := range policies {
		for i := range p.Rules {
			r := &p.Rules[i]
			id := retention.RuleSetID{Policy: p.Name, Set: scheduleOf(p, r)}
			if id.Set == "" || len(r.Stages) == 0 || bad[id] != nil {
				continue
			}
			at := slices.IndexFunc(sets, func(s RuleSet) bool { return s.RuleSetID == id })
			if at < 0 {
				parsed, err := Parse(id.Set, p.Zone)
				if err != nil {
					bad[id] = err
					continue
				}
				at = len(sets)
				sets = append(sets, RuleSet{RuleSetID: id, Zone: p.Zone.String(), Schedule: parsed})
			}
			sets[at].Rules = append(sets[at].Rules, r.ID)
		}
	}
	return sets, bad
}

func scheduleOf(p *retention.Policy, r *retention.Rule) string {
	if r.Schedule != "" {
		return r.Schedule
	}
	return p.Schedule
}
