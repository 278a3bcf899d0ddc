package bind

import (
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// whole is a selection of every row of a dataset's table, for counting what
// holds reach. Pages and batches refuse it.
func (w *world) whole(d *retention.Dataset) (retention.Selection, bool) {
	s := w.Schemas[d.Source]
	if s == nil || s.Table(d.Table) == nil || d.Exempt != "" {
		return retention.Selection{}, false
	}
	reach, err := w.reach(d.Source, d.Table, nil, nil)
	if err != nil {
		return retention.Selection{}, false
	}
	return retention.Selection{Schema: s, Table: s.Table(d.Table), Clock: retention.ClockTest{Any: true}, Reach: reach}, true
}

// Protects binds a rule that only protects, for reports: its rows are due where
// its minimum is over.
func (w *world) protects(p *retention.Policy, r *retention.Rule) (retention.Selection, error) {
	d := p.Dataset(r.Dataset)
	sel, ok := w.whole(d)
	if !ok {
		return sel, fmt.Errorf("dataset %q has no live table", d.Name)
	}
	var err error
	sel.Where = r.Where
	sel.Clock, err = w.clock(p, sel.Schema, sel.Table, &r.Clock, *r.AtLeast)
	return sel, err
}

// Reaches reports whether subjects of that type are declared on the table itself.
func Reaches(r *retention.Reach, subjectType string) bool {
	if r == nil {
		return false
	}
	for _, s := range r.Subjects {
		if s.Type == subjectType {
			return true
		}
	}
	return false
}

// CheckWhere reports the first name in a condition that the live table lacks.
func CheckWhere(s *retention.Schema, table retention.TableName, where *retention.Predicate) error {
	t := s.Table(table)
	if t == nil {
		return fmt.Errorf("there is no table %q", table)
	}
	return checkPredicate(s, t, where)
}

// archives adds the vault's copies that bound steps act on.
func (r *Result) archives(steps []Step) {
	for i := range steps {
		if !steps[i].Archived || steps[i].Sealed {
			continue
		}
		sel, name := steps[i].Selection, DatasetKey(steps[i].Policy, steps[i].Dataset)
		whole := func(t *retention.Table, reach *retention.Reach, child bool) Archive {
			all := retention.Selection{Schema: sel.Schema, Table: t, Clock: retention.ClockTest{Any: true}, Reach: reach}
			return Archive{Source: steps[i].Source, Child: child, Selection: all, Aliases: steps[i].Aliases}
		}
		r.Archives[name] = append(r.Archives[name], whole(sel.Table, sel.Reach, false))
		for _, c := range sel.Blocked {
			if t := sel.Schema.Table(c.Child.Table); t != nil {
				r.Archives[name] = append(r.Archives[name], whole(t, c.Reach, true))
			}
		}
	}
}
