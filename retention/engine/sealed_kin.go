package engine

import (
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// kin is what the policies of now say of a table of which segments have child rows.
type kin struct {
	declared bool // under children: of the dataset
	known    bool // or some dataset's own
	blind    bool // whom its rows are about cannot be said
	minimums []retention.Minimum
	ways     []bind.Way
}

// kinOf finds the table: it may be a child no more, and have rules of its own.
func (j *segmentJudge) kinOf(t retention.TableName) *kin {
	name := t.String()
	if k := j.kin[name]; k != nil {
		return k
	}
	k := &kin{}
	j.kin[name] = k
	for i := range j.b.Selection.Blocked {
		if c := &j.b.Selection.Blocked[i]; sameName(c.Child.Table, t) {
			k.declared, k.known = true, true
			k.minimums = append(k.minimums, c.Minimums...)
			k.ways = append(k.ways, bind.WaysOf(c.Reach, name)...)
		}
	}
	if k.declared {
		return k
	}
	j.ofDatasets(t, k)
	for i := range j.view.bound.Steps {
		b := &j.view.bound.Steps[i]
		for n := range b.Selection.Blocked {
			if c := &b.Selection.Blocked[n]; !b.Archived && slices.Contains(j.names(), b.Source) && sameName(c.Child.Table, t) {
				k.known = true
				k.ways = append(k.ways, bind.WaysOf(c.Reach, name)...)
			}
		}
	}
	return k
}

// ofDatasets adds what the datasets on the table say.
func (j *segmentJudge) ofDatasets(t retention.TableName, k *kin) {
	for _, p := range j.allPolicies() {
		for i := range p.Datasets {
			d := &p.Datasets[i]
			if !slices.Contains(j.names(), d.Source) || !sameName(d.Table, t) {
				continue
			}
			k.known = true
			if whole, ok := j.view.bound.Whole[bind.DatasetKey(p, d)]; ok {
				k.ways = append(k.ways, bind.WaysOf(whole.Reach, t.String())...)
			} else if d.Exempt == "" {
				k.blind = true
			}
			for n := range p.Rules {
				if r := &p.Rules[n]; r.AtLeast != nil && r.Dataset == d.Name {
					k.minimums = append(k.minimums, retention.Minimum{Policy: p.Name, Rule: r.ID, Asks: r.Asks})
				}
			}
		}
	}
}

func (j *segmentJudge) names() []string { return j.view.namesOf(j.b.Source) }

// strange reports whether the segment has rows of a table that is no child of the
// dataset any more: any child that came since may be that, under another name.
func (j *segmentJudge) strange(s *retention.Segment) bool {
	return slices.ContainsFunc(s.Tables, func(t retention.SegmentTable) bool { return t.Child && !j.kinOf(t.Name).declared })
}

// came are the children of now of which the segment has rows under no name, where that
// may be for another name that they had.
func (j *segmentJudge) came(s *retention.Segment) []*retention.ChildReach {
	if !j.strange(s) {
		return nil
	}
	var out []*retention.ChildReach
	for i := range j.b.Selection.Blocked {
		if c := &j.b.Selection.Blocked[i]; !hasTable(s, c.Child.Table) {
			out = append(out, c)
		}
	}
	return out
}

// widened reports whether rows of the segment's tables are about subjects of the type
// by some way that its index was not made by.
func (j *segmentJudge) widened(s *retention.Segment, typ string) bool {
	news := func(ways []bind.Way) bool {
		return slices.ContainsFunc(ways, func(w bind.Way) bool { return w.Type == typ && !slices.Contains(s.Ways, w.String()) })
	}
	if news(j.own) {
		return true
	}
	for i := range s.Tables {
		if t := &s.Tables[i]; t.Child {
			if k := j.kinOf(t.Name); k.blind || news(k.ways) {
				return true
			}
		}
	}
	return slices.ContainsFunc(j.came(s), func(c *retention.ChildReach) bool { return news(bind.WaysOf(c.Reach, c.Child.Table.String())) })
}

// covers reports whether a hold with datasets is on rows of the segment, or might be:
// by the dataset's name of then or of now, or by a table's.
func (j *segmentJudge) covers(s *retention.Segment, h *retention.ScopedHold, here bool) bool {
	switch {
	case h.Dataset == s.Policy+"/"+s.Dataset, h.Dataset == j.b.Policy.Name+"/"+j.b.Dataset.Name:
		return true
	case hasTable(s, h.Table), sameName(h.Table, j.b.Selection.Table.Name):
		return true
	case slices.ContainsFunc(j.came(s), func(c *retention.ChildReach) bool { return sameName(c.Child.Table, h.Table) }):
		return true
	}
	return here && slices.ContainsFunc(s.Tables, func(t retention.SegmentTable) bool { return t.Child && !j.kinOf(t.Name).known })
}

// hasTable reports whether the segment has rows of the table.
func hasTable(s *retention.Segment, t retention.TableName) bool {
	return slices.ContainsFunc(s.Tables, func(x retention.SegmentTable) bool { return sameName(x.Name, t) })
}

func sameName(a, b retention.TableName) bool {
	return strings.EqualFold(a.Name, b.Name) && (a.Schema == "" || b.Schema == "" || strings.EqualFold(a.Schema, b.Schema))
}

// waysOf are the ways by which the index of a segment is made.
func waysOf(b *bind.Step) []string {
	var out []string
	for _, w := range bind.SealedWays(&b.Selection) {
		if text := w.String(); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}
