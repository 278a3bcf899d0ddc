package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
)

// changes are what a reload changed, policy by policy.
type changes struct {
	words   []string // one each, for people
	meaning []string // rules whose meaning changed, or that are new
	gone    []string // policies that are no more
	back    []string // policies whose rules run, and did not before
	tenants []string // of fleets, that came or went
	failed  bool     // what does not load is not what it was
}

func (c changes) none() bool   { return len(c.words)+len(c.tenants) == 0 && !c.failed }
func (c changes) text() string { return strings.Join(slices.Concat(c.words, c.tenants), "; ") }

func (c changes) err(l policies.Loaded) error {
	if len(l.Failed) == 0 {
		return nil
	}
	return errors.New(firstProblem(l.Failed[0]))
}

func (c changes) log(log *zap.Logger) {
	for _, w := range c.words {
		log.Info("policies changed: " + w)
	}
	for _, t := range c.tenants {
		log.Info("tenants changed: " + t)
	}
	for _, r := range c.meaning {
		log.Warn("the rule is new, or its meaning changed: unless it says approve: never, its next run waits for an approval", zap.String("rule", r))
	}
	for _, p := range c.gone {
		log.Warn("the policy is no longer there: its rules no longer run, and its minimums no longer protect", zap.String("policy", p))
	}
}

// compare says what differs in the policies of two engines.
func compare(old, next *engine.Engine) (c changes) {
	was := map[string]*retention.Policy{}
	for _, p := range append(append([]*retention.Policy{}, old.Guards...), old.Policies...) {
		was[p.Name] = p
	}
	is := map[string]bool{}
	acted := map[string]bool{}
	for _, p := range old.Policies {
		acted[p.Name] = true
	}
	for _, p := range next.Policies {
		is[p.Name] = true
		c.policy(was[p.Name], p)
		if !acted[p.Name] {
			c.back, c.words = append(c.back, p.Name), append(c.words, fmt.Sprintf("the rules of policy %s run", p.Name))
		}
	}
	for _, p := range next.Guards {
		is[p.Name] = true
		if acted[p.Name] {
			c.words = append(c.words, fmt.Sprintf("policy %s does not load or is missing: its rules stand still, its minimums protect", p.Name))
		}
	}
	for name := range was {
		if !is[name] {
			c.gone, c.words = append(c.gone, name), append(c.words, fmt.Sprintf("policy %s is gone", name))
		}
	}
	c.failed = fmt.Sprint(old.Failed) != fmt.Sprint(next.Failed)
	return c
}

func (c *changes) policy(was, is *retention.Policy) {
	if was != nil && was.Digest == is.Digest {
		return
	}
	if was == nil {
		was = &retention.Policy{}
		c.words = append(c.words, fmt.Sprintf("policy %s is new", is.Name))
	} else {
		c.words = append(c.words, fmt.Sprintf("policy %s changed", is.Name))
	}
	meaning := map[string]string{}
	for i := range was.Rules {
		meaning[was.Rules[i].ID] = was.Rules[i].Meaning
	}
	for i := range is.Rules {
		r := &is.Rules[i]
		if meaning[r.ID] != r.Meaning {
			c.meaning = append(c.meaning, is.Name+"/"+r.ID)
		}
		delete(meaning, r.ID)
	}
	for id := range meaning {
		c.words = append(c.words, fmt.Sprintf("rule %s/%s is gone", is.Name, id))
	}
}
