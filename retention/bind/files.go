package bind

import (
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// files refuses what this build does not do with files: an owned file that stays
// behind would be kept for ever, and nobody would see it.
func (b *binder) files(kind retention.ActionKind) {
	if len(b.dataset.FileChildren) > 0 && kind.Takes() {
		b.owned(kind)
	}
	if b.dataset.Files != nil && kind != retention.Delete {
		b.fail(retention.RefusePolicyError, "then: delete", "this version only deletes files")
	}
}

// owned looks at the files that go with a row: every column that names them, or
// tells a hold whom they are about, has to be one of the row.
func (b *binder) owned(kind retention.ActionKind) {
	if kind == retention.Archive {
		b.fail(retention.RefusePolicyError, "then: delete, or a dataset of the files themselves", "files that go with a row are not archived by this version")
	}
	if b.dataset.Partitions == "drop" {
		b.fail(retention.RefusePolicyError, "write partitions: rows (the default)", "partitions: drop: the rows own files, and go by rows")
	}
	for _, f := range b.dataset.FileChildren {
		if len(f.Columns()) != 1 {
			b.fail(retention.RefusePolicyError, "a column with the whole path (a generated one will do)", "files %q: they are named by one column, by which it is seen whether another row names them too", f.Path)
		}
		for _, c := range f.Columns() {
			if err := checkColumn(b.table, c); err != nil {
				b.fail(retention.RefuseSchemaDrift, "correct `children:`", "files %q: %v", f.Path, err)
			}
		}
	}
	b.twofold()
	for _, s := range b.dataset.Subjects {
		if s.Related != nil {
			b.fail(retention.RefusePolicyError, "name a column of the row under `subject:`", "subject %s: once a row with files is gone, another row cannot tell whom its files are about: a hold would not find them", s.Type)
		}
	}
}

// owns are the columns that name a row's files, and tell whom it is about.
func (b *binder) owns() []string {
	var out []string
	for _, f := range b.dataset.FileChildren {
		out = append(out, f.Columns()...)
	}
	if len(out) == 0 {
		return nil
	}
	for _, s := range b.dataset.Subjects {
		out = append(out, s.Columns...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// twofold refuses files that rows own and that may be of a dataset of their own too:
// its holds and minimums would not protect them when their row goes (L3, L4).
func (b *binder) twofold() {
	for _, p := range append(slices.Clone(b.Policies), b.Guards...) {
		for i := range p.Datasets {
			d := &p.Datasets[i]
			if d.Files == nil || d.Exempt != "" {
				continue
			}
			for _, f := range b.dataset.FileChildren {
				if b.oneSource(f.Source, d.Source) && meet(f.Path, d.Files.Pattern) {
					b.fail(retention.RefusePolicyError, "let them lie in folders of their own", "files %q may be of dataset %s/%s (%q) too: its holds and minimums would not protect them when their row goes", f.Path, p.Name, d.Name, d.Files.Pattern)
				}
			}
		}
	}
}

func (b *binder) oneSource(x, y string) bool {
	return x == y || b.UUIDs[x] != "" && b.UUIDs[x] == b.UUIDs[y]
}

// meet is whether a file may be named by both, as far as the texts before what varies
// tell.
func meet(path, pattern string) bool {
	fixed := func(s, varies string) string {
		if i := strings.IndexAny(s, varies); i >= 0 {
			return s[:i]
		}
		return s
	}
	x, y := fixed(path, "{"), fixed(pattern, `*?[\`)
	return strings.HasPrefix(x, y) || strings.HasPrefix(y, x)
}
