package objects

import (
	"context"
	"path"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/retentiond/retentiond/retention"
)

var _ retention.Folding = (*Source)(nil)

// Folds asks, of a file in each folder, for the same under another spelling.
func (s *Source) Folds(ctx context.Context, files []retention.OwnedFile) (bool, error) {
	var names, others []string
	asked := map[string]bool{}
	for _, f := range files {
		p := string(f.Path)
		dir, name := path.Split(p)
		for kind, other := range []string{dir + strings.Map(swapped, name), strings.Map(swapped, p), norm.NFD.String(p), norm.NFC.String(p)} {
			key := strconv.Itoa(kind) + dir
			if other != p && !asked[key] {
				names, others, asked[key] = append(names, p), append(others, other), true
			}
		}
	}
	now := make([]Object, len(names))
	if err := s.e.tree.Look(ctx, names, func(i int, o Object) { now[i] = o }); err != nil {
		return false, err
	}
	folds := false
	err := s.e.tree.Look(ctx, others, func(i int, o Object) {
		folds = folds || o.ID != "" && now[i].ID != "" && o.Same(now[i])
	})
	return folds, err
}

// swapped is the letter in its other case.
func swapped(r rune) rune {
	if unicode.IsUpper(r) {
		return unicode.ToLower(r)
	}
	return unicode.ToUpper(r)
}
