package policies

import (
	"cmp"
	"slices"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// object is a canonical mapping; absent and default values are left out.
type object map[string]any

// put sets a text that is not empty.
func (o object) put(key, value string) {
	if value != "" {
		o[key] = value
	}
}

// canonPolicy is the canonical form of everything the policy says.
func canonPolicy(p *retention.Policy) object {
	o := object{
		"version": 1, "policy": p.Name, "title": p.Title, "controller": p.Controller,
		"timezone": p.Zone.String(), "limits": canonLimits(p.Limits),
	}
	o.put("schedule", p.Schedule)
	datasets := object{}
	for i := range p.Datasets {
		datasets[p.Datasets[i].Name] = canonDataset(&p.Datasets[i])
	}
	rules := make([]object, len(p.Rules))
	for i := range p.Rules {
		rules[i] = canonRule(&p.Rules[i])
	}
	o["datasets"], o["rules"] = datasets, rules
	return o
}

// canonMeaning is the canonical form of what decides which rows the rule acts
// on, and how: no titles, no schedule, no ceilings.
func canonMeaning(p *retention.Policy, r *retention.Rule) object {
	o := canonAct(r)
	o["timezone"] = p.Zone.String()
	if ds := p.Dataset(r.Dataset); ds != nil {
		c := canonDataset(ds)
		delete(c, "purpose")
		if ds.NoSubject != "" {
			c["no_subject"] = true
		}
		o["dataset"] = c
	}
	return o
}

// canonRule is the canonical form of a whole rule.
func canonRule(r *retention.Rule) object {
	o := canonAct(r)
	o["id"], o["title"], o["dataset"] = r.ID, r.Title, r.Dataset
	o["approve"], o["limits"] = string(r.Approve), canonLimits(r.Limits)
	if r.Approvers > 1 {
		o["approvers"] = r.Approvers
	}
	if r.Visa {
		o["visa"] = "required"
	}
	o.put("purpose", r.Purpose)
	o.put("basis", r.Basis)
	o.put("cite", r.Cite)
	o.put("schedule", r.Schedule)
	if len(r.Categories) > 0 {
		o["categories"] = r.Categories
	}
	return o
}

// canonAct is what a rule does.
func canonAct(r *retention.Rule) object {
	o := object{"from": canonClock(&r.Clock), "stages": canonStages(r.Stages), "enabled": !r.Disabled}
	if r.Where != nil {
		o["where"] = canonPredicate(r.Where)
	}
	if r.AtLeast != nil {
		o["at_least"] = r.AtLeast.ISO()
	}
	o.put("effective_from", canonTime(r.EffectiveFrom))
	return o
}

func canonLimits(l retention.Limits) object { return object{"rows": l.Rows, "share": l.Share} }

// canonTime is an instant in UTC; "" where there is none.
func canonTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// canonDataset is a dataset without its name.
func canonDataset(ds *retention.Dataset) object {
	o := object{
		"source": ds.Source, "table": canonTable(ds.Table),
		"erase": string(ds.Erase), "partitions": ds.Partitions,
	}
	o.put("no_subject", ds.NoSubject)
	o.put("exempt", ds.Exempt)
	o.put("purpose", ds.Purpose)
	subjects := object{}
	for _, s := range ds.Subjects {
		if s.Related != nil {
			subjects[s.Type] = canonRelation(s.Related)
		} else {
			subjects[s.Type] = s.Columns
		}
	}
	o["subjects"] = subjects
	children := make([]object, len(ds.Children))
	for i := range ds.Children {
		children[i] = canonRelation(&ds.Children[i].Relation)
		children[i]["then"] = string(ds.Children[i].Then)
	}
	o["children"] = children
	if f := ds.Files; f != nil {
		o["files"] = canonFiles(f)
	}
	if len(ds.FileChildren) > 0 {
		owned := make([]object, len(ds.FileChildren))
		for i, c := range ds.FileChildren {
			owned[i] = object{"source": c.Source, "files": c.Path}
		}
		o["file_children"] = owned
	}
	return o
}

// canonFiles is a pattern, and what rules and subjects ask of its files.
func canonFiles(f *retention.Files) object {
	columns := object{}
	for _, c := range f.Columns {
		x := object{"clock": c.Clock}
		x.put("name", c.Match)
		x.put("content", c.Content)
		x.put("metadata", c.Metadata)
		x.put("tag", c.Tag)
		if r := c.Row; r != nil {
			x["source"], x["table"], x["on"], x["column"] = r.Source, canonTable(r.Table), canonPairs([]retention.Pair{r.On}), r.Column
			x.put("as", string(r.As))
			if r.Zone != nil {
				x["zone"] = r.Zone.String()
			}
		}
		columns[c.Name] = x
	}
	return object{"pattern": f.Pattern, "columns": columns}
}

func canonTable(t retention.TableName) []string { return []string{t.Schema, t.Name} }

// canonRelation is a related row.
func canonRelation(r *retention.Relation) object {
	o := object{"table": canonTable(r.Table), "on": canonPairs(r.On)}
	if len(r.Via) > 0 {
		via := make([]object, len(r.Via))
		for i, h := range r.Via {
			via[i] = object{"table": canonTable(h.Table), "on": canonPairs(h.On)}
		}
		o["via"] = via
	}
	if r.Where != nil {
		o["where"] = canonPredicate(r.Where)
	}
	o.put("column", r.Column)
	return o
}

func canonPairs(pairs []retention.Pair) object {
	o := object{}
	for _, p := range pairs {
		o[p.Theirs] = p.Ours
	}
	return o
}

// canonPredicate is a condition; the order within all and any means nothing,
// and one of one is itself.
func canonPredicate(p *retention.Predicate) object {
	switch {
	case len(p.All) == 1:
		return canonPredicate(&p.All[0])
	case len(p.Any) == 1:
		return canonPredicate(&p.Any[0])
	case p.All != nil:
		return object{"all": canonPredicates(p.All)}
	case p.Any != nil:
		return object{"any": canonPredicates(p.Any)}
	case p.Not != nil:
		return object{"not": canonPredicate(p.Not)}
	case p.Exists != nil:
		return object{"exists": canonRelation(p.Exists)}
	case p.Test != nil:
		return canonComparison(p.Test)
	}
	return object{"sql": p.SQL}
}

func canonPredicates(ps []retention.Predicate) []object {
	out := make([]object, len(ps))
	for i := range ps {
		out[i] = canonPredicate(&ps[i])
	}
	slices.SortStableFunc(out, func(a, b object) int {
		return cmp.Compare(string(marshal(a)), string(marshal(b)))
	})
	return out
}

func canonComparison(c *retention.Comparison) object {
	values := make([]object, len(c.Values))
	for i, v := range c.Values {
		values[i] = canonScalar(v)
	}
	return object{"column": c.Column, "op": string(c.Op), "values": values}
}

func canonScalar(s retention.Scalar) object {
	return object{"text": s.Text, "null": s.Null, "tag": string(s.Tag)}
}
