package conntest

import (
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

// wantClasses compares the classes of the rows 1, 2, 3 … (in the order of their
// integer id) with those listed, and holds the three ways of asking against each
// other: evidence of each row, the count, and the pages (L6, L11).
func (f *fixture) wantClasses(c *choice, h *retention.HoldSet, want string) {
	f.t.Helper()
	ids := f.rows("SELECT id FROM " + c.Table.Name.Name + " ORDER BY id")
	var got, due []string
	var sum retention.Classes
	for _, id := range ids {
		class := f.classOf(c, h, id)
		if n := sum.Of(class); n != nil {
			*n++
		}
		sum.Total++
		if class == retention.Due {
			due = append(due, id)
		}
		got = append(got, string(class))
	}
	if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
		f.t.Errorf("classes of %s (-want +got):\n%s", c.Table.Name, diff)
	}
	if diff := cmp.Diff(sum, f.count(c, h).Classes); diff != "" {
		f.t.Errorf("the count of %s differs from its rows (-rows +count):\n%s", c.Table.Name, diff)
	}
	paged := f.walk(c, h, 1000)
	slices.SortFunc(paged, func(a, b string) int { return slices.Index(ids, a) - slices.Index(ids, b) })
	if diff := cmp.Diff(due, paged); diff != "" {
		f.t.Errorf("the pages of %s differ from its due rows (-rows +pages):\n%s", c.Table.Name, diff)
	}
}

func (f *fixture) classOf(c *choice, h *retention.HoldSet, id string) retention.Class {
	f.t.Helper()
	e := f.evidence(c, h, retention.Find{Key: &id, Limit: 10})
	if len(e) != 1 || e[0].Key != id {
		f.t.Fatalf("evidence of row %s of %s: %+v", id, c.Table.Name, e)
	}
	return e[0].Class
}

func (f *fixture) evidence(c *choice, h *retention.HoldSet, find retention.Find) []retention.Evidence {
	f.t.Helper()
	e, err := f.s.Evidence(f.t.Context(), c.Selection, h, find)
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

func (f *fixture) count(c *choice, h *retention.HoldSet, children ...retention.Child) retention.Counts {
	f.t.Helper()
	n, err := f.s.Count(f.t.Context(), c.Selection, h, children)
	if err != nil {
		f.t.Fatal(err)
	}
	if n.Classes.Sum() != n.Classes.Total {
		f.t.Errorf("the classes of %s add up to %d of %d rows", c.Table.Name, n.Classes.Sum(), n.Classes.Total)
	}
	return n
}

// walk pages through the selection, each cursor taken through JSON.
func (f *fixture) walk(c *choice, h *retention.HoldSet, limit int) []string {
	f.t.Helper()
	var out []string
	for _, k := range f.keys(c, h, limit) {
		out = append(out, keyText(k))
	}
	return out
}

func (f *fixture) keys(c *choice, h *retention.HoldSet, limit int) []retention.Key {
	f.t.Helper()
	var out []retention.Key
	var at retention.Cursor
	seen := map[string]bool{}
	for {
		p := f.page(c, h, at, limit)
		if len(p.Keys) == 0 {
			return out
		}
		for _, k := range p.Keys {
			if text := keyText(k); seen[text] {
				f.t.Fatalf("pages of %d: row %s came twice", limit, text)
			} else {
				seen[text] = true
			}
		}
		out = append(out, p.Keys...)
		at = f.thawed(p.Next)
	}
}

func (f *fixture) page(c *choice, h *retention.HoldSet, at retention.Cursor, limit int) retention.Page {
	f.t.Helper()
	p, err := f.s.Page(f.t.Context(), c.Selection, h, at, limit)
	if err != nil {
		f.t.Fatal(err)
	}
	if len(p.Keys) > limit {
		f.t.Fatalf("a page of %d rows, at most %d were asked for", len(p.Keys), limit)
	}
	return p
}

// keyText is a key of integers and texts as people read it.
func keyText(k retention.Key) string {
	var parts []string
	for _, v := range k {
		parts = append(parts, cell(v))
	}
	return strings.Join(parts, "/")
}
