package bind

import (
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/spelling"
)

// checkRelation reports the first name of a relation that the live schema does
// not have, seen from a row of table from.
func checkRelation(s *retention.Schema, from *retention.Table, r *retention.Relation) error {
	near := from
	for _, h := range r.Via {
		t, err := checkHop(s, near, h.Table, h.On)
		if err != nil {
			return err
		}
		near = t
	}
	t, err := checkHop(s, near, r.Table, r.On)
	if err != nil {
		return err
	}
	if r.Column != "" {
		if err := checkColumn(t, r.Column); err != nil {
			return err
		}
	}
	return checkPredicate(s, t, r.Where)
}

func checkHop(s *retention.Schema, near *retention.Table, name retention.TableName, on []retention.Pair) (*retention.Table, error) {
	t := s.Table(name)
	if t == nil {
		return nil, fmt.Errorf("there is no table %q", name)
	}
	if t.Hides != "" {
		return nil, hidden{name, t.Hides}
	}
	for _, p := range on {
		if err := checkColumn(t, p.Theirs); err != nil {
			return nil, err
		}
		if err := checkColumn(near, p.Ours); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// hidden is a related table of which not every row is seen: a later contact, or
// the person that a row is about, could be among the others (L1).
type hidden struct {
	table retention.TableName
	why   string
}

func (h hidden) Error() string { return fmt.Sprintf("table %q: %s", h.table, h.why) }

func checkColumn(t *retention.Table, name string) error {
	if t.Column(name) != nil {
		return nil
	}
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	if near := spelling.Nearest(name, names); near != "" {
		return fmt.Errorf("table %q has no column %q; did you mean %q?", t.Name, name, near)
	}
	return fmt.Errorf("table %q has no column %q", t.Name, name)
}

func checkPredicate(s *retention.Schema, t *retention.Table, p *retention.Predicate) error {
	var first error
	walk(p, func(q *retention.Predicate) {
		if first != nil {
			return
		}
		if q.Test != nil {
			first = checkTest(t, q.Test)
		}
		if q.Exists != nil && first == nil {
			first = checkRelation(s, t, q.Exists)
		}
	})
	return first
}

// checkTest refuses a comparison with what the column cannot hold: a hold on it
// could not be honoured.
func checkTest(t *retention.Table, c *retention.Comparison) error {
	if err := checkColumn(t, c.Column); err != nil || c.Op == retention.Like || c.Op == retention.IsNull {
		return err
	}
	col := t.Column(c.Column)
	for _, v := range c.Values {
		if _, ok := v.As(col.Kind); !ok {
			return fmt.Errorf("table %q, column %q (%s): value %q is no %s", t.Name, col.Name, col.Decl, v.Text, col.Kind)
		}
	}
	return nil
}

// pointsUp reports whether every hop of the relation leads to at most one row:
// its columns there cover a unique key.
func pointsUp(s *retention.Schema, r *retention.Relation) bool {
	for _, h := range r.Via {
		if !unique(s.Table(h.Table), h.On) {
			return false
		}
	}
	return unique(s.Table(r.Table), r.On)
}

func unique(t *retention.Table, on []retention.Pair) bool {
	if t == nil {
		return false
	}
	has := map[string]bool{}
	for _, p := range on {
		has[p.Theirs] = true
	}
	if len(t.Key) > 0 && covers(has, t.Key) {
		return true
	}
	for _, i := range t.Indexes {
		if i.Unique && !i.Partial && covers(has, i.Columns) {
			return true
		}
	}
	return false
}

func covers(has map[string]bool, columns []string) bool {
	for _, c := range columns {
		if c == "" || !has[c] {
			return false
		}
	}
	return len(columns) > 0
}
