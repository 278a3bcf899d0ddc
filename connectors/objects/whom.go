package objects

import (
	"slices"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/vault"
)

// whom are persons that holds name: by type, every form under which some database takes
// an identifier for theirs. The rows that a database would compare are gone.
type whom map[string]map[string]bool

func whomOf(held map[string][]string) whom {
	out := whom{}
	for typ, ids := range held {
		out[typ] = map[string]bool{}
		for _, id := range ids {
			for _, f := range formsOf(id) {
				out[typ][f] = true
			}
		}
	}
	return out
}

// any is whether one of the identifiers, by type, is one of theirs.
func (w whom) any(about map[string][]string) bool {
	for typ, ids := range about {
		if len(w[typ]) == 0 {
			continue
		}
		for _, id := range ids {
			if slices.ContainsFunc(formsOf(id), func(f string) bool { return w[typ][f] }) {
				return true
			}
		}
	}
	return false
}

// formsOf are what two texts that name one person in some kind of column have in common:
// those of sealed vaults, and numbers and UUIDs as texts.
func formsOf(id string) []string {
	bare := strings.ToLower(strings.ToUpper(strings.TrimSpace(id)))
	out := append(vault.Forms(id), bare, strings.ReplaceAll(strings.Trim(bare, "{}"), "-", ""))
	if n, ok := sqlgen.Integer(id); ok {
		out = append(out, n.String())
	}
	return out
}

// keeping are the holds that keep files whose rows are gone; nil: they could not be read.
type keeping struct {
	all   whom
	named []keepingOf
}

type keepingOf struct {
	*retention.ScopedHold
	of whom
}

func keepingBy(h *retention.HoldSet) *keeping {
	if h == nil {
		return nil
	}
	k := &keeping{all: whomOf(h.Subjects)}
	for i := range h.Named {
		k.named = append(k.named, keepingOf{&h.Named[i], whomOf(h.Named[i].Subjects)})
	}
	return k
}

// held is whether a hold is about one of the persons, or about everybody of a dataset
// through which it would have found the row. It asks rather too much than too little: a
// condition on the row cannot be asked any more.
func (k *keeping) held(f *retention.OwnedFiles, about map[string][]string) bool {
	if k == nil || k.all.any(about) {
		return true
	}
	return slices.ContainsFunc(k.named, func(s keepingOf) bool {
		return reached(f, s.ScopedHold) && (len(s.Subjects) == 0 || s.of.any(about))
	})
}

// reached is whether the hold's dataset, or its table under another name, is one of those.
func reached(f *retention.OwnedFiles, s *retention.ScopedHold) bool {
	return s.Dataset == f.Dataset || slices.Contains(f.Datasets, s.Dataset) ||
		slices.ContainsFunc(f.Tables, func(t string) bool { return strings.EqualFold(t, s.Table.Name) })
}
