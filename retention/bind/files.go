package bind

import (
	"maps"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// files refuses what this build does not do with files: an owned file that stays
// behind would be kept for ever, and nobody would see it.
func (b *binder) files(kind retention.ActionKind) {
	if kind.Takes() {
		for _, o := range b.owners(b.dataset.Children) {
			b.owned(kind, o)
		}
	}
	if b.dataset.Files == nil || kind == retention.Delete {
		return
	}
	if d := b.Drivers[b.dataset.Source]; d != "files" && kind != retention.Archive {
		b.fail(retention.RefusePolicyError, "then: delete or archive", "this version only deletes and archives the objects of driver %s", d)
	} else if kind == retention.Anonymise {
		b.fail(retention.RefusePolicyError, "then: delete, archive or redact", "files cannot be anonymised")
	}
}

// contents is the test of what is redacted already: files that are known to have each
// form, and were not changed since.
func (b *binder) contents(a *retention.Action) *retention.DoneTest {
	out := &retention.DoneTest{}
	for _, c := range a.Columns {
		form := retention.ContentForm(c)
		if err := checkColumn(b.table, form); err != nil {
			b.fail(retention.RefuseSchemaDrift, "correct `columns:`", "%v", err)
		}
		out.Changes = append(out.Changes, retention.Change{Column: form, Func: retention.Set, Value: &retention.Scalar{Text: "1", Tag: retention.TagString}})
	}
	return out
}

// owners are the datasets whose rows have files, of every table that loses rows: who
// takes a row takes its files along, whichever rule does it.
func (b *binder) owners(children []retention.Child) []retention.Owner {
	out := b.ownersOf(b.table.Name, -1)
	for i, c := range children {
		if c.Then != retention.ChildDetach {
			out = append(out, b.ownersOf(c.Table, i)...)
		}
	}
	return out
}

func (b *binder) ownersOf(t retention.TableName, child int) []retention.Owner {
	var out []retention.Owner
	for _, u := range b.uses[b.phys(b.dataset.Source, t)] {
		if len(u.dataset.FileChildren) > 0 && u.dataset.Exempt == "" {
			o := retention.Owner{Policy: u.policy, Dataset: u.dataset, Table: t, Child: child, Columns: owns(u.dataset)}
			if reach, err := b.reach(b.dataset.Source, t, nil, nil); err == nil { // else protect tells it, and nothing acts
				o.Reach, o.Datasets = reach, b.datasetsOf(reach, nil)
			}
			out = append(out, o)
		}
	}
	return out
}

// owned looks at the files that go with a row: every column that names them, or
// tells a hold whom they are about, has to be one of the row.
func (b *binder) owned(kind retention.ActionKind, o retention.Owner) {
	if kind == retention.Archive {
		b.fail(retention.RefusePolicyError, "then: delete, or a dataset of the files themselves", "files that go with a row are not archived by this version")
	}
	if b.dataset.Partitions == "drop" {
		b.fail(retention.RefusePolicyError, "write partitions: rows (the default)", "partitions: drop: the rows own files, and go by rows")
	}
	t := b.schema.Table(o.Table)
	if t == nil { // told by names
		return
	}
	for _, f := range o.Dataset.FileChildren {
		if len(f.Columns()) != 1 {
			b.fail(retention.RefusePolicyError, "a column with the whole path (a generated one will do)", "files %q: they are named by one column, by which it is seen whether another row names them too", f.Path)
		}
		for _, c := range f.Columns() {
			if err := checkColumn(t, c); err != nil {
				b.fail(retention.RefuseSchemaDrift, "correct `children:`", "files %q: %v", f.Path, err)
			}
		}
	}
	b.twofold(o.Dataset)
	b.told(o)
}

// told refuses files of rows that do not themselves say whom they are about: once such
// a row is gone, a hold would not find its files (L3).
func (b *binder) told(o retention.Owner) {
	for _, s := range o.Dataset.Subjects {
		if s.Related != nil {
			b.fail(retention.RefusePolicyError, "name a column of the row under `subject:`", "subject %s: once a row with files is gone, another row cannot tell whom its files are about: a hold would not find them", s.Type)
		}
	}
	if o.Reach == nil {
		return // told by protect
	}
	for _, t := range slices.Sorted(maps.Keys(typesOf(o.Reach, map[string]bool{}))) {
		if !slices.ContainsFunc(o.Dataset.Subjects, func(s retention.Subject) bool { return s.Type == t }) {
			b.fail(retention.RefusePolicyError, "name a column of the row under `subject:` of the dataset", "dataset %s/%s: holds find its rows by %s, through another dataset: once a row with files is gone, they would not find its files", o.Policy.Name, o.Dataset.Name, t)
		}
	}
}

// typesOf adds the types of subjects by which holds find rows.
func typesOf(r *retention.Reach, out map[string]bool) map[string]bool {
	for _, s := range r.Subjects {
		out[s.Type] = true
	}
	for _, p := range r.Parents {
		if !p.Back && p.Reach != nil {
			typesOf(p.Reach, out)
		}
	}
	return out
}

// datasetsOf adds the datasets of all tables by which holds find rows.
func (b *binder) datasetsOf(r *retention.Reach, to []string) []string {
	for _, u := range b.uses[b.phys(b.dataset.Source, r.Table)] {
		if name := u.policy.Name + "/" + u.dataset.Name; !slices.Contains(to, name) {
			to = append(to, name)
		}
	}
	for _, p := range r.Parents {
		if p.Reach != nil {
			to = b.datasetsOf(p.Reach, to)
		}
	}
	return to
}

// owns are the columns that name a row's files, and tell whom it is about.
func owns(d *retention.Dataset) []string {
	var out []string
	for _, f := range d.FileChildren {
		out = append(out, f.Columns()...)
	}
	for _, s := range d.Subjects {
		out = append(out, s.Columns...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// twofold refuses files that rows own and that may be of a dataset of their own too:
// its holds and minimums would not protect them when their row goes (L3, L4).
func (b *binder) twofold(of *retention.Dataset) {
	for _, p := range append(slices.Clone(b.Policies), b.Guards...) {
		for i := range p.Datasets {
			d := &p.Datasets[i]
			if d.Files == nil || d.Exempt != "" {
				continue
			}
			for _, f := range of.FileChildren {
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
