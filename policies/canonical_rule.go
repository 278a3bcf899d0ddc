package policies

import "github.com/retentiond/retentiond/retention"

// canonClock is a clock with its members in order.
func canonClock(c *retention.Clock) object {
	members := make([]object, len(c.Members))
	for i := range c.Members {
		members[i] = canonMember(&c.Members[i])
	}
	return object{"earliest": c.Earliest, "nulls_open": c.NullsOpen, "members": members}
}

func canonMember(m *retention.Member) object {
	o := object{}
	o.put("column", m.Column)
	if m.Related != nil {
		o["related"] = canonRelation(m.Related)
	}
	o.put("as", string(m.As))
	if m.Zone != nil {
		o["zone"] = m.Zone.String()
	}
	o.put("round", m.Round.String())
	o.put("not_before", canonTime(m.NotBefore))
	o.put("not_after", canonTime(m.NotAfter))
	return o
}

func canonStages(stages []retention.Stage) []object {
	out := make([]object, len(stages))
	for i := range stages {
		out[i] = canonAction(&stages[i].Action)
		out[i]["keep"] = stages[i].Keep.ISO()
	}
	return out
}

// canonAction is an action; its columns are a mapping, whatever their order.
func canonAction(a *retention.Action) object {
	o := object{"then": string(a.Kind)}
	o.put("to", a.Vault)
	o.put("why", a.Why)
	o.put("mark", a.Mark)
	if a.Verify != nil {
		o["verify"] = object{"k": a.Verify.K, "quasi": a.Verify.Quasi, "allow": a.Verify.Allow}
	}
	columns := object{}
	for i := range a.Columns {
		columns[a.Columns[i].Column] = canonChange(&a.Columns[i])
	}
	if len(columns) > 0 {
		o["columns"] = columns
	}
	return o
}

func canonChange(c *retention.Change) object {
	o := object{"func": string(c.Func)}
	o.put("unit", c.Unit)
	if c.Value != nil {
		o["value"] = canonScalar(*c.Value)
	}
	if c.N != 0 {
		o["n"] = c.N
	}
	if c.Func == retention.MaskIP {
		o["bits"] = []int{c.Bits[0], c.Bits[1]}
	}
	return o
}
