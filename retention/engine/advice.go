package engine

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// advise asks a source whether its roles fit what the bound rules do there.
func (e *Engine) advise(ctx context.Context, v *view, name string) []Finding {
	src, err := e.source(ctx, name)
	if err != nil {
		return nil // told as down
	}
	adv, ok := src.(retention.Advisor)
	if !ok {
		return nil
	}
	t := &e.Sources[name].Throttle
	list, err := adv.Advise(ctx, retention.Wants{
		Needs: needs(v, name, bind.Tables(e.allPolicies(), e.bindVaults(), v.namesOf(name)...)),
		Lag:   t.Lag > 0, Running: t.Running > 0, Backlog: t.Backlog > 0, Vacuum: t.Vacuum,
		Applications: e.applications(v, name),
	})
	if err != nil {
		return []Finding{{Level: LevelError, Source: name, Code: string(retention.AdvicePrivilegeMissing),
			Message: fmt.Sprintf("source %q: what its roles may do cannot be read: %v", name, err)}}
	}
	var out []Finding
	for _, a := range list {
		level := LevelWarning
		if a.Error {
			level = LevelError
		}
		out = append(out, Finding{Level: level, Source: name, Code: string(a.Code), Message: a.Message, Hint: a.Hint})
	}
	return out
}

// applications are the roles that work in the source, and in those whose rows come to
// its vault tables.
func (e *Engine) applications(v *view, source string) []string {
	var out []string
	add := func(name string) {
		if ref := e.Sources[name]; ref != nil && ref.Application != "" && !slices.Contains(out, ref.Application) {
			out = append(out, ref.Application)
		}
	}
	add(source)
	for i := range v.bound.Steps {
		if into := v.bound.Steps[i].Act.Into; into != nil && into.Source == source {
			add(v.bound.Steps[i].Source)
		}
	}
	return out
}

// indexSQL is the problem's CREATE INDEX in the source's own words.
func (e *Engine) indexSQL(ctx context.Context, p bind.Problem) string {
	if p.Index == nil {
		return p.Hint
	}
	src, err := e.source(ctx, p.Source)
	if err != nil {
		return p.Hint
	}
	if adv, ok := src.(retention.Advisor); ok {
		return adv.IndexSQL(p.Index.Table, p.Index.Columns)
	}
	return p.Hint
}

// needsOf gathers what steps need, by table.
type needsOf struct {
	schema *retention.Schema
	by     map[retention.TableName]*retention.Need
}

// needs is what acting on a source needs of the role, by the catalogue's names.
func needs(v *view, source string, read []retention.TableName) []retention.Need {
	n := needsOf{v.schemas[source], map[retention.TableName]*retention.Need{}}
	for _, t := range read {
		if n.schema.Table(t) != nil {
			n.of(t)
		}
	}
	for i := range v.bound.Steps {
		s := &v.bound.Steps[i]
		if s.Source == source && !s.Sealed {
			n.step(s)
		}
		if into := s.Act.Into; into != nil && into.Source == source { // copies come, and are withdrawn
			for _, t := range append([]retention.TableName{into.Table}, into.Children...) {
				x := n.of(t)
				x.Insert, x.Delete, x.Vault = true, true, true
			}
		}
	}
	out := make([]retention.Need, 0, len(n.by))
	for _, x := range n.by {
		slices.Sort(x.Update)
		x.Update = slices.Compact(x.Update)
		out = append(out, *x)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Table.String() < out[j].Table.String() })
	return out
}

func (n needsOf) of(t retention.TableName) *retention.Need {
	live := n.schema.Table(t)
	if live != nil {
		t = live.Name
	}
	if n.by[t] == nil {
		n.by[t] = &retention.Need{Table: t, Missing: live == nil}
	}
	return n.by[t]
}

func (n needsOf) step(s *bind.Step) {
	a := &s.Act
	if a.Kind == retention.Report {
		return
	}
	own := n.of(s.Selection.Table.Name)
	own.Lock = lockedBy(s.Selection.Table)
	own.Vault = own.Vault || s.Archived
	own.Rewrite = own.Rewrite || s.Dataset.Erase == retention.EraseReclaimed || s.Dataset.Erase == retention.EraseRewritten
	if !a.Kind.Takes() {
		own.Update = append(own.Update, changed(a)...)
		return
	}
	own.Delete, own.Whole, own.Content = true, own.Whole || a.Whole, own.Content || a.Sealed && s.Dataset.Files != nil
	for _, c := range a.Children {
		child := n.of(c.Table)
		child.Vault = child.Vault || s.Archived
		if c.Then == retention.ChildDelete {
			child.Delete = true
			if t := n.schema.Table(c.Table); a.Kind == retention.Archive && t != nil { // what is copied is locked
				child.Lock = lockedBy(t)
			}
			continue
		}
		for _, p := range c.On {
			child.Update = append(child.Update, p.Theirs)
		}
	}
	if a.Into != nil && a.Into.Source == "" {
		for _, t := range append([]retention.TableName{a.Into.Table}, a.Into.Children...) {
			n.of(t).Insert, n.of(t).Vault = true, true
		}
	}
}

// lockedBy is the column on which a privilege lets the role lock rows.
func lockedBy(t *retention.Table) string {
	switch {
	case len(t.Key) > 0:
		return t.Key[0]
	case len(t.Columns) > 0:
		return t.Columns[0].Name
	}
	return ""
}

// changed are the columns that a redaction or anonymisation writes.
func changed(a *retention.Act) []string {
	var out []string
	for _, c := range a.Changes {
		if c.Func != retention.Keep {
			out = append(out, c.Column)
		}
	}
	if a.Mark != "" {
		out = append(out, a.Mark)
	}
	return out
}
