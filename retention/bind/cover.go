package bind

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// Cover lists every way by which the policies let a subject hold reach a table:
// the columns and relations that datasets declare, and the parents whose child
// the table is. SourceUUID is left to the caller.
func Cover(policies []*retention.Policy) []retention.HoldCover {
	c := cover{policies: policies, types: map[phys][]string{}, names: map[phys][]string{}}
	c.index()
	var out []retention.HoldCover
	c.each(func(name string, d *retention.Dataset) {
		for _, s := range d.Subjects {
			for _, way := range subjectWays(s) {
				out = append(out, retention.HoldCover{Type: s.Type, Way: way, HoldScope: retention.HoldScope{Dataset: name, Source: d.Source, Table: d.Table}})
			}
		}
		for i := range d.Children {
			out = append(out, c.child(d, &d.Children[i])...)
		}
	})
	return out
}

type cover struct {
	policies []*retention.Policy
	types    map[phys][]string // subject types that reach a table
	names    map[phys][]string // datasets on a table
}

func (c *cover) each(f func(name string, d *retention.Dataset)) {
	for _, p := range c.policies {
		for i := range p.Datasets {
			f(p.Name+"/"+p.Datasets[i].Name, &p.Datasets[i])
		}
	}
}

// index finds the types that reach each table, parents' types included.
func (c *cover) index() {
	c.each(func(name string, d *retention.Dataset) {
		k := phys{d.Source, d.Table}
		c.names[k] = append(c.names[k], name)
		for _, s := range d.Subjects {
			c.add(k, s.Type)
		}
	})
	for grown := true; grown; {
		grown = false
		c.each(func(_ string, d *retention.Dataset) {
			for _, child := range d.Children {
				for _, typ := range c.types[phys{d.Source, d.Table}] {
					grown = c.add(phys{d.Source, child.Table}, typ) || grown
				}
			}
		})
	}
}

func (c *cover) add(k phys, typ string) bool {
	if slices.Contains(c.types[k], typ) {
		return false
	}
	c.types[k] = append(c.types[k], typ)
	return true
}

// child lists how the parent's subjects reach a child, under the name of each
// dataset that the child's table has.
func (c *cover) child(d *retention.Dataset, child *retention.Child) []retention.HoldCover {
	names := c.names[phys{d.Source, child.Table}]
	if len(names) == 0 {
		names = []string{""}
	}
	var out []retention.HoldCover
	for _, typ := range c.types[phys{d.Source, d.Table}] {
		for _, name := range names {
			out = append(out, retention.HoldCover{Type: typ, Way: parentWay(child), HoldScope: retention.HoldScope{Dataset: name, Source: d.Source, Table: child.Table}})
		}
	}
	return out
}

// Ways are the ways by which a subject of that type reaches the rows of a reach,
// in the words of [Cover].
func Ways(r *retention.Reach, typ string) map[string]bool {
	out := map[string]bool{}
	if r == nil {
		return out
	}
	for _, s := range r.Subjects {
		if s.Type == typ {
			for _, way := range subjectWays(s) {
				out[way] = true
			}
		}
	}
	for i := range r.Parents {
		if p := &r.Parents[i]; reachesUp(p.Reach, typ) {
			out[parentWay(&p.Child)] = true
		}
	}
	return out
}

// reachesUp reports whether a subject of that type reaches the rows, through
// parents too.
func reachesUp(r *retention.Reach, typ string, path ...*retention.Reach) bool {
	if r == nil || slices.Contains(path, r) {
		return false
	}
	path = append(slices.Clone(path), r)
	return Reaches(r, typ) || slices.ContainsFunc(r.Parents, func(p retention.ParentReach) bool { return reachesUp(p.Reach, typ, path...) })
}

func subjectWays(s retention.Subject) []string {
	var out []string
	for _, c := range s.Columns {
		out = append(out, "column "+c)
	}
	if s.Related != nil {
		out = append(out, fmt.Sprintf("related %s.%s (%s)", s.Related.Table, s.Related.Column, relationDigest(s.Related)))
	}
	return out
}

// parentWay is the same whatever the child's table is called: the dataset's name
// tells it.
func parentWay(c *retention.Child) string {
	r := c.Relation
	r.Table = retention.TableName{}
	return "parent (" + relationDigest(&r) + ")"
}

func relationDigest(r *retention.Relation) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%v|%v|%v|%s|%s", r.Via, r.Table, r.On, r.Column, predicateKey(r.Where)))
	return fmt.Sprintf("%x", sum[:4])
}

// OwnWay reports whether a way leads over the row itself, not over a parent.
func OwnWay(way string) bool { return len(way) < 6 || way[:6] != "parent" }
