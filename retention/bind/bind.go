// Package bind joins policies with live schemas: it resolves every name, finds
// out how holds and minimums reach each table, and refuses what could do harm.
// It is pure: no connection, no clock.
package bind

import (
	"time"

	"github.com/retentiond/retentiond/retention"
)

// Input is everything that binding looks at.
type Input struct {
	Policies []*retention.Policy
	// Guards are the last good texts of policies that do not load now: their
	// rules do not run, but their subjects and minimums still protect.
	Guards  []*retention.Policy
	Schemas map[string]*retention.Schema // live, by source name; a source that is down is absent
	UUIDs   map[string]string            // identities of sources, by name: equal for two names of one database
	Vaults  map[string]Vault
	Drivers map[string]string // of sources, by name
	AsOf    time.Time
}

// Vault is where an archive stage puts rows.
type Vault struct {
	Source string
	Schema string
	Prefix string
	Sealed bool
	// Refused says why a sealed vault cannot be used; empty: it can.
	Refused string
}

// Table names the vault's copy of a table.
func (v Vault) Table(t retention.TableName) retention.TableName {
	out := t
	if v.Schema != "" {
		out.Schema = v.Schema
	}
	out.Name = v.Prefix + t.Name
	return out
}

// at is the vault as the source sees it: a fleet's vault is in each tenant itself.
func (v Vault) at(source string) Vault {
	if f := retention.FleetOf(source); f != "" && v.Source == f {
		v.Source = source
	}
	return v
}

// DatasetKey names a dataset, of a tenant where it is one, in a [Result].
func DatasetKey(p *retention.Policy, d *retention.Dataset) string {
	return retention.AtTenant(p.Name+"/"+d.Name, d.Source)
}

// RuleKey names a rule, of a tenant where its dataset is one, in a [Result].
func RuleKey(p *retention.Policy, r *retention.Rule) string {
	if d := p.Dataset(r.Dataset); d != nil {
		return retention.AtTenant(p.Name+"/"+r.ID, d.Source)
	}
	return p.Name + "/" + r.ID
}

// Step is one stage of one rule, bound to one live table.
type Step struct {
	Policy    *retention.Policy
	Rule      *retention.Rule
	Stage     int // from 1
	Dataset   *retention.Dataset
	Source    string
	Home      string            // the source that the rows came from, where the vault is in another; else empty
	Live      *retention.Schema // beside Home: that of the rule's own tables
	Archived  bool              // the table is the vault's copy
	Sealed    bool              // and the vault is sealed: the step ends segments, and asks no table
	Selection retention.Selection
	Act       retention.Act
	Vault     string
	Cutoff    time.Time
	// Protectors are the minimums of other rules on these tables, by name and
	// meaning: what was approved counted on them.
	Protectors []string
	Tables     []retention.TableName // that the step changes: its own and its children's
	// Late: an earlier stage archives, so due rows of the live table were never
	// archived.
	Late bool
	// Aliases maps a live table to the vault's copy that this step acts on, so
	// that dataset holds on the one cover the other.
	Aliases map[retention.TableName]retention.TableName
}

// Level is how bad a problem is.
type Level int

// Levels: an error refuses the rule; a warning is for `check` alone.
const (
	Error Level = iota
	Warning
	Info
)

// Problem is what binding found.
type Problem struct {
	Level   Level
	Policy  string
	Rule    string // empty: the dataset or the whole policy
	Dataset string
	Source  string
	Code    retention.RefusalCode // errors
	Name    string                // warnings: a short stable name
	Message string
	Hint    string
	Index   *Index // the index that would help; Hint makes it, in standard SQL
}

// Index names the columns of a table that an index should lead with.
type Index struct {
	Table   retention.TableName
	Columns []string
}

// Result is the bound steps, in policy, rule and stage order, and every problem.
// A rule with an error has no step.
type Result struct {
	Steps    []Step
	Problems []Problem
	// Whole selects every row of a dataset, by [DatasetKey].
	Whole map[string]retention.Selection
	// Archives selects every archived row of a dataset and of its children, in
	// each vault, by [DatasetKey].
	Archives map[string][]Archive
	// Orphans are archived rows of no rule of now.
	Orphans []Orphans
	// Protects selects, for each legal minimum by [RuleKey], the rows of its
	// table: due are those whose minimum is over.
	Protects map[string]retention.Selection
}

// Archive selects every row of a vault's table.
type Archive struct {
	Source    string
	Child     bool // rows of a child of the dataset
	Selection retention.Selection
	// Aliases are as in [Step].
	Aliases map[retention.TableName]retention.TableName
}

// Bind joins policies and live schemas.
func Bind(in Input) Result {
	w := newWorld(in)
	out := Result{Archives: map[string][]Archive{}, Whole: map[string]retention.Selection{}, Protects: map[string]retention.Selection{}}
	for _, p := range in.Policies {
		for i := range p.Datasets {
			if sel, ok := w.whole(&p.Datasets[i]); ok {
				out.Whole[DatasetKey(p, &p.Datasets[i])] = sel
			}
		}
		for i := range p.Rules {
			steps, problems := w.rule(p, &p.Rules[i])
			out.Problems = append(out.Problems, problems...)
			if !anyError(problems) {
				out.Steps = append(out.Steps, steps...)
				out.archives(steps)
			}
			if r := &p.Rules[i]; r.AtLeast != nil && !anyError(problems) && p.Dataset(r.Dataset) != nil {
				if sel, err := w.protects(p, r); err == nil {
					out.Protects[RuleKey(p, r)] = sel
				}
			}
		}
		out.Problems = append(out.Problems, w.datasets(p)...)
	}
	out.Orphans = w.orphans()
	return out
}

func anyError(ps []Problem) bool {
	for _, p := range ps {
		if p.Level == Error {
			return true
		}
	}
	return false
}

// Errors returns the errors among the problems.
func (r Result) Errors() []Problem {
	var out []Problem
	for _, p := range r.Problems {
		if p.Level == Error {
			out = append(out, p)
		}
	}
	return out
}
