package policies

import (
	"cmp"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// datasets reads the mapping of datasets, in file order.
func (d *decoder) datasets(n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		d.reject(n, "datasets: {contacts: {table: contacts, subject: {person: id}}}",
			"datasets must be a mapping with at least one dataset")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if d.bad[k] {
			continue
		}
		name := d.name(k, "a dataset's name")
		d.policy.Datasets = append(d.policy.Datasets, d.dataset(cmp.Or(name, k.Value), k, v))
	}
}

// dataset reads one dataset. One with problems is returned all the same, so
// that rules that name it are not refused for that.
func (d *decoder) dataset(name string, k, n *yaml.Node) retention.Dataset {
	ds := retention.Dataset{Name: name, Pos: d.pos(k), Erase: retention.EraseLogical, Partitions: "rows"}
	if hasKey(n, "files") {
		d.fileDataset(name, n, &ds)
		return ds
	}
	m, ok := d.mapping(n, shapeDataset, "the dataset "+name)
	if !ok {
		return ds
	}
	ds.Table = d.table(m.need("table", "table: the table's name"), "the table of "+name)
	ds.Source = d.sourceOf(m, SourceSQL)
	d.words(m, &ds)
	d.coverage(m, &ds)
	if v := m.get("children"); v != nil {
		ds.Children, ds.FileChildren = d.children(v)
	}
	return ds
}

// words reads the keys with a few possible values, and the texts.
func (d *decoder) words(m *mapping, ds *retention.Dataset) {
	if v := m.get("purpose"); v != nil {
		ds.Purpose = d.text(v, "purpose")
	}
	if v := m.get("erase"); v != nil {
		ds.Erase = retention.Erase(d.word(v, "erase", "logical", "reclaimed", "rewritten"))
	}
	if v := m.get("partitions"); v != nil {
		ds.Partitions = d.word(v, "partitions", "rows", "drop")
	}
}

// coverage reads who the rows are about, or why the table is exempt.
func (d *decoder) coverage(m *mapping, ds *retention.Dataset) {
	if v := m.get("exempt"); v != nil {
		ds.Exempt = d.text(v, "exempt")
	}
	if m.has("exempt") {
		m.refuse("leave it out: nothing is done to an exempt table", "has no meaning beside exempt",
			"children", "erase", "partitions", "purpose")
	} else {
		m.need("subject", "subject: {person: column}, or subject: none with why:")
	}
	if v := m.get("subject"); v != nil {
		d.subject(m, v, ds)
	}
	if ds.NoSubject == "" && !isNone(m.get("subject")) {
		m.refuse("cite: or a comment", "belongs to subject: none", "why")
	}
}

// sourceOf resolves the dataset's source and checks that it is known, and of the
// kind.
func (d *decoder) sourceOf(m *mapping, kind SourceKind) string {
	if v := m.get("source"); v != nil {
		s := d.text(v, "source")
		d.knownSource(v, s, kind)
		return s
	}
	if d.policy.Source == "" && !m.has("source") && !d.bad[d.root] && !d.sourceWritten() {
		d.fail(m.node, "source: a name from the daemon's configuration, here or for the whole policy",
			"%s has no source", m.what)
	}
	if s := d.policy.Source; s != "" && d.env.checked() && d.env.Sources[s] != "" && d.env.Sources[s] != kind {
		d.knownSource(m.node, s, kind)
	}
	return d.policy.Source
}

// sourceWritten reports whether the policy names a default source, however bad.
func (d *decoder) sourceWritten() bool {
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		if d.root.Content[i].Value == "source" {
			return true
		}
	}
	return false
}

// knownSource refuses a source that the configuration lacks, or of another kind.
func (d *decoder) knownSource(n *yaml.Node, name string, want SourceKind) {
	if name == "" || !d.env.checked() {
		return
	}
	kind, ok := d.env.Sources[name]
	switch {
	case !ok:
		d.reject(n, didYouMean(name, d.env.sourceNames()), "unknown source %q", name)
	case kind != want && kind == SourceFiles:
		d.reject(n, "name a source of rows, or write files: instead of table:", "%q is a source of files, and has no tables", name)
	case kind != want:
		d.reject(n, "name a source of driver files or s3", "%q is a database, and has no files", name)
	}
}

// children reads the tables whose rows, and the files that, go with the parent.
func (d *decoder) children(n *yaml.Node) ([]retention.Child, []retention.FileChild) {
	if n.Kind != yaml.SequenceNode {
		d.reject(n, "children: [{table: T, on: {their_column: our_column}, then: delete}]",
			"children must be a list, not %s", kindName(n))
		return nil, nil
	}
	var out []retention.Child
	var files []retention.FileChild
	for _, c := range n.Content {
		if hasKey(c, "files") {
			if f, ok := d.fileChild(c); ok {
				files = append(files, f)
			}
			continue
		}
		m, ok := d.mapping(c, shapeChild, "a child")
		if !ok {
			continue
		}
		child := retention.Child{Relation: *d.relationOf(m)}
		child.Then = retention.ChildAction(d.word(m.need("then", "then: delete or then: detach"), "then of a child", "delete", "detach"))
		out = append(out, child)
	}
	return out, files
}
