package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"golang.org/x/text/unicode/norm"
)

// unnamed leaves out the files that some row still names: they are its files too, and
// go with it. Every column that a policy names files by is asked, and decides in this
// order: (1) what its database calls equal to the name, by the column's own collation;
// (2) the same path in another spelling that an index finds: letters of one case, the other
// form of Unicode, ./ or / before it; (3) the same path in a roundabout spelling, which its
// database looks for in each row, once a run, or through a link, where each row is read;
// (4) where the file system itself takes two for one, each row is read, and compared so. In
// doubt the file stays.
func (w *work) unnamed(ctx context.Context, source string, o retention.FileOwner, f *retention.OwnedFiles, odd oddities) error {
	folds := false
	if x, ok := o.(retention.Folding); ok {
		var err error
		if folds, err = x.Folds(ctx, f.Files); err != nil {
			return err
		}
	}
	for _, n := range w.namers(source, f) {
		if err := w.answers(ctx, n); err != nil {
			return err
		}
		kept, err := n.kept(f.Files, folds)
		if err != nil {
			return err
		}
		roundabout, err := odd.of(ctx, n, o)
		if err != nil {
			return err
		}
		f.Files = slices.DeleteFunc(f.Files, func(x retention.OwnedFile) bool {
			name, ok := n.named(x)
			return ok && kept[fold(name)] || roundabout[fold(string(x.Path))]
		})
	}
	return nil
}

// answers lets the column's own database answer.
func (w *work) answers(ctx context.Context, n *namer) error {
	r, err := w.rowReader(ctx, n.row.Source)
	n.ask = func(among []string, roundabout bool, each func(by string)) error {
		row := n.row
		row.Roundabout = roundabout
		return r.Related(ctx, row, false, among, func(by string, _ any) error {
			each(by)
			return nil
		})
	}
	return err
}

// namedNow asks again while the gate of the files is kept, by (1) alone: what takes each
// row, or many spellings of each name, would make a hold wait. Rows that come to name a
// file in another spelling, or after this, are not seen.
func (w *work) namedNow(source string) func(context.Context, retention.OwnedFiles) (map[string]bool, error) {
	return func(ctx context.Context, f retention.OwnedFiles) (map[string]bool, error) {
		out := map[string]bool{}
		for _, n := range w.namers(source, &f) {
			if err := w.answers(ctx, n); err != nil {
				return nil, err
			}
			paths := map[string][]string{}
			var names []string
			for _, x := range f.Files {
				if name, ok := n.named(x); ok {
					names = append(names, name)
					paths[name] = append(paths[name], string(x.Path))
				}
			}
			if err := n.equalNow(names, func(name string) {
				for _, p := range paths[name] {
					out[p] = true
				}
			}); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

// equalNow finds the names to which the database finds rows as they are written, by halves.
func (n *namer) equalNow(names []string, kept func(name string)) error {
	found := false
	if len(names) > 0 {
		if err := n.ask(names, false, func(string) { found = true }); err != nil {
			return err
		}
	}
	switch {
	case !found:
		return nil
	case len(names) == 1:
		kept(names[0])
		return nil
	}
	half := len(names) / 2
	if err := n.equalNow(names[:half], kept); err != nil {
		return err
	}
	return n.equalNow(names[half:], kept)
}

// namer is a column whose values name files by a path.
type namer struct {
	row  retention.FileRow
	path string
	own  bool // the files' own rows had it
	ask  func(among []string, roundabout bool, each func(by string)) error
}

// namers are the column that the files' rows had, and those of every policy whose path
// may lead to the same files.
func (w *work) namers(source string, f *retention.OwnedFiles) []*namer {
	out := []*namer{{row: f.From, path: f.Table, own: true}}
	names := w.view.namesOf(source)
	for _, p := range w.allPolicies() {
		for i := range p.Datasets {
			d := &p.Datasets[i]
			for _, c := range d.FileChildren {
				cols := c.Columns()
				if len(cols) != 1 || c.Source != source && !slices.Contains(names, c.Source) {
					continue
				}
				n := &namer{path: c.Path, row: retention.FileRow{Source: d.Source, Table: d.Table, On: retention.Pair{Theirs: cols[0]}, Column: cols[0]}}
				if !slices.ContainsFunc(out, func(h *namer) bool { return h.path == n.path && h.row == n.row }) {
					out = append(out, n)
				}
			}
		}
	}
	return out
}

// named is the value by which the column would name the file.
func (n *namer) named(x retention.OwnedFile) (string, bool) {
	if n.own {
		return x.Named, true
	}
	before, rest, _ := strings.Cut(n.path, "{")
	_, after, _ := strings.Cut(rest, "}")
	file := string(x.Path)
	if len(file) <= len(before)+len(after) || !strings.HasPrefix(file, before) || !strings.HasSuffix(file, after) {
		return "", false
	}
	return file[len(before) : len(file)-len(after)], true
}

// kept are the names, folded, that rows have.
func (n *namer) kept(files []retention.OwnedFile, folds bool) (map[string]bool, error) {
	var names []string
	among := map[string]bool{}
	for _, x := range files {
		if name, ok := n.named(x); ok {
			names, among[fold(name)] = append(names, name), true
		}
	}
	kept := map[string]bool{}
	if len(names) == 0 {
		return kept, nil
	}
	other := false // a row has a name that only its database calls equal
	if err := n.ask(spellings(names), false, func(by string) {
		if k := fold(by); among[k] {
			kept[k] = true
		} else {
			other = true
		}
	}); err != nil {
		return nil, err
	}
	if other {
		if err := n.equal(names, kept); err != nil {
			return nil, err
		}
	}
	if !folds {
		return kept, nil
	}
	return kept, n.ask(nil, false, func(by string) {
		if k := fold(by); among[k] {
			kept[k] = true
		}
	})
}

// equal finds the names to which the database finds rows, by halves.
func (n *namer) equal(names []string, kept map[string]bool) error {
	found := false
	if err := n.ask(spellings(names), false, func(string) { found = true }); err != nil || !found {
		return err
	}
	if len(names) == 1 {
		kept[fold(names[0])] = true
		return nil
	}
	for _, half := range [][]string{names[:len(names)/2], names[len(names)/2:]} {
		if err := n.equal(half, kept); err != nil {
			return err
		}
	}
	return nil
}

// fold makes one of all spellings that may lead to one file.
func fold(name string) string {
	return strings.ToLower(strings.ToUpper(norm.NFC.String(straight(name))))
}

// spellings are those that an index finds.
func spellings(names []string) []string {
	var out []string
	for _, n := range names {
		for _, form := range []string{n, norm.NFC.String(n), norm.NFD.String(n)} {
			for _, letters := range []string{form, strings.ToLower(form), strings.ToUpper(form)} {
				out = append(out, letters, "/"+letters, "./"+letters)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
