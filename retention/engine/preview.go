package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// PreviewHold tells what a hold would freeze. It writes nothing.
func (e *Engine) PreviewHold(ctx context.Context, req HoldRequest) (HoldPreview, error) {
	out := HoldPreview{Datasets: []HoldCount{}, Unmatched: []string{}, NotCovered: []string{}}
	scopes, err := e.scopes(req)
	if err != nil {
		return out, err
	}
	now := e.now()
	v, err := e.look(ctx, now)
	if err != nil {
		return out, err
	}
	if err := e.checkScopes(v, scopes, req); err != nil {
		return out, err
	}
	if err := v.identifiers(v.acting, req.Subjects); err != nil {
		return out, err
	}
	if len(req.Subjects) > 0 && len(req.Datasets) == 0 {
		out.NotCovered = e.notCovered()
	}
	if out.Unmatched, err = e.unmatched(ctx, v, req); err != nil {
		return out, err
	}
	out.Datasets, err = e.frozen(ctx, v, req)
	return out, err
}

// checkHold refuses a hold that is not understood, or that matches nobody.
func (e *Engine) checkHold(ctx context.Context, req HoldRequest) ([]retention.HoldScope, error) {
	scopes, err := e.scopes(req)
	if err != nil {
		return nil, err
	}
	now := e.now()
	v, err := e.look(ctx, now)
	if err != nil {
		return nil, err
	}
	scopes = v.everyName(scopes)
	if err := e.checkScopes(v, scopes, req); err != nil {
		return nil, err
	}
	if err := v.identifiers(v.acting, req.Subjects); err != nil {
		return nil, err
	}
	if req.AllowUnmatched {
		return scopes, nil
	}
	un, err := e.unmatched(ctx, v, req)
	if err != nil {
		return nil, err
	}
	if len(un) > 0 {
		hint := "check the identifier, or add --allow-unmatched to hold data that may come later"
		if gone, err := e.Unconfigured(ctx); err == nil && len(gone) > 0 {
			hint += fmt.Sprintf("; nobody looked into vault %s, which has segments and which the configuration does not have", strings.Join(slices.Sorted(maps.Keys(gone)), ", "))
		}
		return nil, usage(hint,
			"no row anywhere is about %s", strings.Join(firstFew(un), ", "))
	}
	return scopes, nil
}

// everyName gives a scope on a database without identity of its own yet to each
// of the database's names.
func (v *view) everyName(scopes []retention.HoldScope) []retention.HoldScope {
	var out []retention.HoldScope
	for _, s := range scopes {
		s.SourceUUID = v.servers[s.Source].Gate.SourceUUID
		out = append(out, s)
		for _, name := range v.namesOf(s.Source) {
			if name != s.Source && s.SourceUUID == "" {
				other := s
				other.Source = name
				out = append(out, other)
			}
		}
	}
	return out
}

func firstFew(list []string) []string {
	if len(list) > 5 {
		return append(append([]string{}, list[:5]...), fmt.Sprintf("… and %d more", len(list)-5))
	}
	return list
}

// scopes resolves POLICY/DATASET names.
func (e *Engine) scopes(req HoldRequest) ([]retention.HoldScope, error) {
	if len(req.Subjects) == 0 && len(req.Datasets) == 0 {
		return nil, usage("add --subject TYPE:ID or --dataset POLICY/DATASET", "a hold needs a subject or a dataset")
	}
	if req.Where != nil && len(req.Datasets) == 0 {
		return nil, usage("add --dataset POLICY/DATASET", "a condition needs a dataset")
	}
	var out []retention.HoldScope
	for _, name := range req.Datasets {
		p, d := e.dataset(name)
		if d == nil {
			return nil, usage("write POLICY/DATASET; "+list("the datasets are", e.datasetNames()), "there is no dataset %q", name)
		}
		for _, source := range e.tenants(d.Source) {
			out = append(out, retention.HoldScope{Dataset: p.Name + "/" + d.Name, Source: source, Table: d.Table})
		}
	}
	return out, nil
}

func (e *Engine) dataset(name string) (*retention.Policy, *retention.Dataset) {
	policy, ds, ok := strings.Cut(name, "/")
	if !ok {
		return nil, nil
	}
	for _, p := range e.asWritten() {
		if p.Name == policy {
			return p, p.Dataset(ds)
		}
	}
	return nil, nil
}

func (e *Engine) datasetNames() []string {
	var out []string
	for _, p := range e.asWritten() {
		for i := range p.Datasets {
			out = append(out, p.Name+"/"+p.Datasets[i].Name)
		}
	}
	return out
}

// checkScopes refuses a condition that the live table cannot answer: such a
// hold could not be honoured.
func (e *Engine) checkScopes(v *view, scopes []retention.HoldScope, req HoldRequest) error {
	for i, s := range scopes {
		schema := v.schemas[s.Source]
		if schema == nil {
			continue // down: the batch itself will refuse while it cannot test
		}
		if err := bind.CheckWhere(schema, s.Table, req.Where); err != nil {
			return usage("correct --where", "dataset %q: %v", s.Dataset, err)
		}
		scopes[i].Table = schema.Table(s.Table).Name // holds match tables, however written
	}
	return nil
}

// notCovered lists the datasets that a subject hold cannot reach.
func (e *Engine) notCovered() []string {
	out := []string{}
	for _, p := range e.Policies {
		for i := range p.Datasets {
			if d := &p.Datasets[i]; d.NoSubject != "" && d.Exempt == "" {
				out = append(out, p.Name+"/"+d.Name)
			}
		}
	}
	sort.Strings(out)
	return out
}

// eachDataset calls f with a selection of every row of each dataset's table.
func (e *Engine) eachDataset(ctx context.Context, v *view, f func(*retention.Policy, *retention.Dataset, retention.Selection, retention.Source) error) error {
	return e.datasetsOf(ctx, v, "", f)
}

// datasetsOf is [Engine.eachDataset] of one source; "": of all.
func (e *Engine) datasetsOf(ctx context.Context, v *view, source string, f func(*retention.Policy, *retention.Dataset, retention.Selection, retention.Source) error) error {
	for _, p := range v.acting {
		for i := range p.Datasets {
			d := &p.Datasets[i]
			if source != "" && d.Source != source {
				continue
			}
			sel, ok := v.bound.Whole[bind.DatasetKey(p, d)]
			if !ok {
				continue
			}
			src, err := e.source(ctx, d.Source)
			if err != nil {
				return err
			}
			if err := f(p, d, sel, src); err != nil {
				return err
			}
		}
	}
	return nil
}

// holdSet is a request as the holds of one source.
func (req *HoldRequest) holdSet(scopes []retention.HoldScope, source string) *retention.HoldSet {
	subjects := map[string][]string{}
	for _, s := range req.Subjects {
		subjects[s.Type] = append(subjects[s.Type], s.ID)
	}
	if len(scopes) == 0 {
		return &retention.HoldSet{Subjects: subjects}
	}
	out := &retention.HoldSet{Subjects: map[string][]string{}}
	for _, s := range scopes {
		if s.Source == source {
			out.Scoped = append(out.Scoped, retention.ScopedHold{Table: s.Table, Subjects: subjects, Where: req.Where})
		}
	}
	return out
}

// frozen counts, per dataset, the rows that the hold reaches, and those of them
// whose period is over.
func (e *Engine) frozen(ctx context.Context, v *view, req HoldRequest) ([]HoldCount, error) {
	scopes, err := e.scopes(req)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var first error
	found := map[*retention.Dataset]HoldCount{}
	e.eachSource(sourcesOf(v.acting), func(name string) {
		err := e.datasetsOf(ctx, v, name, func(p *retention.Policy, d *retention.Dataset, sel retention.Selection, src retention.Source) error {
			set := req.holdSet(scopes, d.Source)
			rows, err := e.reached(ctx, v, p, d, sel, set, src)
			if err != nil || rows == 0 {
				return err
			}
			due, err := e.frozenDue(ctx, v, p, d, set, src)
			locked(&mu, func() {
				found[d] = HoldCount{Policy: p.Name, Dataset: d.Name, Source: retention.Tenant(d.Source), Rows: rows, Due: due}
			})
			return err
		})
		locked(&mu, func() { first = cmp.Or(first, err) })
	})
	out := []HoldCount{}
	for _, p := range v.acting {
		for i := range p.Datasets {
			if c, ok := found[&p.Datasets[i]]; ok {
				out = append(out, c)
			}
		}
	}
	return out, first
}

// reached counts the rows of a dataset that the holds reach, archived ones
// included.
func (e *Engine) reached(ctx context.Context, v *view, p *retention.Policy, d *retention.Dataset, sel retention.Selection, set *retention.HoldSet, src retention.Source) (int64, error) {
	c, err := src.Count(ctx, sel, set, nil)
	if err != nil {
		return 0, fmt.Errorf("counting dataset %s/%s: %w", p.Name, d.Name, err)
	}
	rows, seen := c.Classes.Held, map[retention.TableName]bool{}
	for _, a := range v.bound.Archives[bind.DatasetKey(p, d)] {
		if a.Child || seen[a.Selection.Table.Name] {
			continue // children are counted in their own datasets
		}
		seen[a.Selection.Table.Name] = true
		src, err := e.source(ctx, a.Source)
		if err == nil {
			c, err = src.Count(ctx, a.Selection, withAliases(set, a.Aliases), nil)
		}
		if err != nil {
			return 0, fmt.Errorf("counting the archive of dataset %s/%s: %w", p.Name, d.Name, err)
		}
		rows += c.Classes.Held
	}
	sealed, err := e.sealedHeld(ctx, v, p, d, set)
	return rows + sealed, err
}

// aliases are where a dataset's rows went when they were archived.
func (v *view) aliases(p *retention.Policy, d *retention.Dataset) map[retention.TableName]retention.TableName {
	for i := range v.bound.Steps {
		if b := &v.bound.Steps[i]; b.Archived && !b.Sealed && b.Policy == p && b.Dataset.Name == d.Name {
			return b.Aliases
		}
	}
	return nil
}

func (e *Engine) frozenDue(ctx context.Context, v *view, p *retention.Policy, d *retention.Dataset, set *retention.HoldSet, src retention.Source) (int64, error) {
	var most int64
	for i := range v.bound.Steps {
		b := &v.bound.Steps[i]
		if b.Policy != p || b.Dataset.Name != d.Name || b.Archived || b.Act.Kind == retention.Report {
			continue
		}
		c, err := src.Count(ctx, b.Selection, set, nil)
		if err != nil {
			return most, fmt.Errorf("counting rule %s/%s: %w", p.Name, b.Rule.ID, err)
		}
		most = max(most, c.Classes.Held)
	}
	return most, nil
}
