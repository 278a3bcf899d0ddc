package policies

import (
	"bytes"

	"github.com/retentiond/retentiond/retention"
)

// canonFrom is the canonical form of how a row's clock is read, before it is rounded;
// with asks, also of the condition, and of which clocks are plausible.
func canonFrom(p *retention.Policy, r *retention.Rule, asks bool) object {
	clock := r.Clock
	clock.Members = append([]retention.Member{}, r.Clock.Members...)
	for i := range clock.Members {
		m := &clock.Members[i]
		m.Round = retention.Member{}.Round
		if !asks {
			m.NotBefore, m.NotAfter = retention.Member{}.NotBefore, retention.Member{}.NotAfter
		}
	}
	o := object{"from": canonClock(&clock), "timezone": p.Zone.String()}
	if asks && r.Where != nil {
		o["where"] = canonPredicate(r.Where)
	}
	if ds := p.Dataset(r.Dataset); ds != nil && ds.Files != nil {
		o["columns"] = canonFileColumns(ds.Files, marshal(o))
	}
	return o
}

// canonFileColumns are the columns of a listing that the text names: their names alone
// do not say what they are.
func canonFileColumns(f *retention.Files, text []byte) object {
	all := canonFiles(f)["columns"].(object)
	out := object{}
	for name, c := range all {
		if bytes.Contains(text, marshal(name)) {
			out[name] = c
		}
	}
	return out
}
