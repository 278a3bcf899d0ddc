package engine

import (
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// sliceable refuses to take a row's children in batches of their own where the
// row's clock or condition looks at those very children: each slice would move
// it, and a copy would carry a clock that is too early (L2).
func sliceable(s *retention.Selection, a *retention.Act) error {
	moved := func(r *retention.Relation) bool {
		return r != nil && slices.ContainsFunc(a.Children, func(c retention.Child) bool {
			return c.Table == r.Table || slices.ContainsFunc(r.Via, func(h retention.Hop) bool { return h.Table == c.Table })
		})
	}
	// The latest of what is left is never later: a delete stays due, a copy lies.
	matters := s.Clock.Earliest || a.Kind == retention.Archive
	for i := range s.Clock.Members {
		if matters && moved(s.Clock.Members[i].Related) {
			return fmt.Errorf("a row of table %q has over %d children, and its clock is told by them: they cannot go in slices before it; delete some of them first, or choose a clock of the row's own",
				s.Table.Name, retention.MaxChildren)
		}
	}
	if asks(s.Where, moved) {
		return fmt.Errorf("a row of table %q has over %d children, and the rule's condition looks at them: they cannot go in slices before it", s.Table.Name, retention.MaxChildren)
	}
	return nil
}

// asks reports whether the condition looks at related rows of that kind.
func asks(p *retention.Predicate, of func(*retention.Relation) bool) bool {
	if p == nil {
		return false
	}
	for _, parts := range [][]retention.Predicate{p.All, p.Any} {
		for i := range parts {
			if asks(&parts[i], of) {
				return true
			}
		}
	}
	return of(p.Exists) || asks(p.Not, of)
}
