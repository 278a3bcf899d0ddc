package bind

import (
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// world indexes the policies by physical table: holds and minimums belong to
// tables, whatever datasets call them.
type world struct {
	Input
	uses    map[phys][]use
	parents map[phys][]parentUse // by child table
}

// phys is a physical table: the source's identity where it is known, else its
// name.
type phys struct {
	source string
	table  retention.TableName
}

type use struct {
	policy  *retention.Policy
	dataset *retention.Dataset
}

type parentUse struct {
	use
	child retention.Child
}

func newWorld(in Input) *world {
	w := &world{Input: in, uses: map[phys][]use{}, parents: map[phys][]parentUse{}}
	for _, p := range w.all() {
		for i := range p.Datasets {
			d := &p.Datasets[i]
			u := use{p, d}
			k := w.phys(d.Source, d.Table)
			w.uses[k] = append(w.uses[k], u)
			for _, c := range d.Children {
				ck := w.phys(d.Source, c.Table)
				w.parents[ck] = append(w.parents[ck], parentUse{u, c})
			}
		}
	}
	return w
}

func (w *world) all() []*retention.Policy {
	return append(append([]*retention.Policy{}, w.Policies...), w.Guards...)
}

func (w *world) phys(source string, t retention.TableName) phys {
	t = w.canon(source, t)
	if id := w.UUIDs[source]; id != "" {
		return phys{id, t}
	}
	return phys{source, t}
}

// canon is the catalogue's own name of a table, however a policy writes it:
// main.people is people, and its holds and minimums are the same.
func (w *world) canon(source string, t retention.TableName) retention.TableName {
	if live := w.Schemas[source].Table(t); live != nil {
		return live.Name
	}
	return t
}

// problem is an error about a rule.
func problem(p *retention.Policy, rule string, d *retention.Dataset, code retention.RefusalCode, hint, format string, args ...any) Problem {
	out := Problem{Level: Error, Policy: p.Name, Rule: rule, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint}
	if d != nil {
		out.Dataset, out.Source = d.Name, d.Source
	}
	return out
}
