package objects

import (
	"context"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// Linking is a tree in which links may lead from one name to an object of another.
type Linking interface {
	// Behind is where a name behind a link leads, from the root; ok is false where it
	// leads nowhere, or out of the tree.
	Behind(name string) (real string, ok bool)
}

var _ retention.Linked = (*Source)(nil)

// Links is whether the tree has such a thing.
func (s *Source) Links() bool {
	_, ok := s.e.tree.(Linking)
	return ok
}

// Linked looks at the names, and asks where those lead that are no objects themselves.
func (s *Source) Linked(ctx context.Context, names []string, f func(real string)) error {
	t, ok := s.e.tree.(Linking)
	if !ok {
		return nil
	}
	sorted := slices.Sorted(slices.Values(names)) // folder by folder
	var odd []string
	sorted = slices.DeleteFunc(slices.Compact(sorted), func(n string) bool { return n == "" })
	if err := s.e.tree.Look(ctx, sorted, func(i int, o Object) {
		if o.ID == "" {
			odd = append(odd, sorted[i])
		}
	}); err != nil {
		return err
	}
	for _, n := range odd {
		if real, ok := t.Behind(n); ok {
			f(real)
		}
	}
	return nil
}
