package policies

import (
	"errors"
	"path"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// fileDataset reads a dataset of files.
func (d *decoder) fileDataset(name string, n *yaml.Node, ds *retention.Dataset) {
	ds.Files = &retention.Files{}
	m, ok := d.mapping(n, shapeFiles, "the dataset "+name)
	if !ok {
		return
	}
	ds.Files.Pattern = d.pattern(m.get("files"), "files of "+name)
	ds.Table = retention.TableName{Name: ds.Files.Pattern}
	ds.Source = d.sourceOf(m, SourceFiles)
	if v := m.get("purpose"); v != nil {
		ds.Purpose = d.text(v, "purpose")
	}
	d.files = ds
	d.coverage(m, ds)
	d.files = nil
}

// pattern reads a pattern of paths below a source's root.
func (d *decoder) pattern(n *yaml.Node, what string) string {
	s := d.text(n, what)
	if s == "" {
		return ""
	}
	const hint = "a path below the source's root, such as nginx/access.log-*.gz; ** stands for any folders"
	_, err := path.Match(strings.ReplaceAll(s, "**", "*"), "x")
	switch {
	case err != nil:
		d.reject(n, hint, "%s: the pattern %q has an open [ or ends with \\", what, s)
	case path.IsAbs(s), path.Clean(s) != s, s == ".", s == "..", strings.HasPrefix(s, "../"), strings.ContainsFunc(s, control):
		d.reject(n, hint, "%s cannot be %q", what, s)
	case slices.ContainsFunc(strings.Split(s, "/"), func(p string) bool { return strings.Contains(p, "**") && p != "**" }):
		d.reject(n, hint, "%s: ** stands alone between two slashes, not within a name (%q)", what, s)
	case strings.HasSuffix(s, "**"):
		d.reject(n, "end with the files' names, such as **/*", "%s: the pattern %q names folders, not files", what, s)
	default:
		return s
	}
	return ""
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// fileMember reads a clock of files: modified, a part of the name, or a related row.
func (d *decoder) fileMember(n *yaml.Node, outer bounds, out retention.Member) (retention.Member, bool) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == retention.FileModified:
		out.Column = retention.FileModified
		out.Round, out.NotBefore, out.NotAfter = outer.round, outer.notBefore, outer.notAfter
		return out, true
	case hasKey(n, "name"):
		return d.nameMember(n, outer, out)
	case hasKey(n, "metadata"):
		return d.labelMember(n, shapeMetadata, "metadata", outer, out)
	case hasKey(n, "tag"):
		return d.labelMember(n, shapeTag, "tag", outer, out)
	case hasKey(n, "table") || hasKey(n, "on"):
		return d.rowMember(n, outer, out)
	}
	d.reject(n, `from: modified, {name: 'log-(?P<date>\d{8})'}, or {table: T, on: {their_column: path}, column: C}; of objects also {metadata: KEY} or {tag: KEY}`,
		"files have no such clock")
	return out, false
}

func (d *decoder) nameMember(n *yaml.Node, outer bounds, out retention.Member) (retention.Member, bool) {
	m, ok := d.mapping(n, shapeName, "the clock")
	if !ok {
		return out, false
	}
	out.Column, ok = d.namePart(m.get("name"), "the clock's name", true)
	out.As = retention.AsText
	d.zoneOf(m, &out)
	b := d.bounds(m, outer)
	out.Round, out.NotBefore, out.NotAfter = b.round, b.notBefore, b.notAfter
	return out, ok
}

func (d *decoder) zoneOf(m *mapping, out *retention.Member) {
	if v := m.get("zone"); v != nil {
		if loc := d.location(v, "zone"); loc != nil {
			out.Zone = loc
		}
	}
}

// namePart reads a regular expression with one named group, and returns the column
// of the listing that it makes.
func (d *decoder) namePart(n *yaml.Node, what string, clock bool) (column string, ok bool) {
	s := d.text(n, what)
	if s == "" {
		return "", false
	}
	const hint = `a regular expression with one named group, such as 'access\.log-(?P<date>\d{8})'`
	re, err := regexp.Compile(s)
	if err != nil || strings.ContainsFunc(s, control) {
		why := ""
		if e, is := errors.AsType[*syntax.Error](err); is {
			why = ": " + e.Code.String()
		}
		d.reject(n, hint, "%s is no regular expression%s", what, why)
		return "", false
	}
	named := slices.DeleteFunc(slices.Clone(re.SubexpNames()), func(g string) bool { return g == "" })
	if len(named) != 1 {
		d.reject(n, hint, "%s must have one named group, not %d", what, len(named))
		return "", false
	}
	column = "name ~ " + s
	d.addFileColumn(retention.FileColumn{Name: column, Match: s, Clock: clock})
	return column, true
}

// addFileColumn notes what a rule or a subject asks of the dataset's files.
func (d *decoder) addFileColumn(c retention.FileColumn) {
	f := d.files.Files
	for _, have := range f.Columns {
		if have.Name == c.Name {
			return
		}
	}
	f.Columns = append(f.Columns, c)
}

func (d *decoder) rowMember(n *yaml.Node, outer bounds, out retention.Member) (retention.Member, bool) {
	m, ok := d.mapping(n, shapeFileRow, "the related clock")
	if !ok {
		return out, false
	}
	if v := m.get("as"); v != nil {
		out.As = retention.ClockType(d.word(v, "as", "unix-seconds", "unix-milliseconds", "text", "date", "timestamp"))
	}
	d.zoneOf(m, &out)
	row, ok := d.fileRow(m)
	row.As, row.Zone, row.Days = out.As, out.Zone, d.zone
	if ok {
		out.Column = d.rowColumn(row, true)
	}
	out.As = retention.AsUnixMilliseconds
	b := d.bounds(m, outer)
	out.Round, out.NotBefore, out.NotAfter = b.round, b.notBefore, b.notAfter
	return out, ok
}

// fileRow reads which row of a database tells something of a file.
func (d *decoder) fileRow(m *mapping) (retention.FileRow, bool) {
	r := retention.FileRow{Table: d.table(m.need("table", "table: the related table"), "the table of "+m.what)}
	r.Column = d.text(m.need("column", "column: what the row says"), "the column of "+m.what)
	pairs := d.pairs(m.need("on", "on: {their_column: path}"), "on of "+m.what)
	r.Source = d.policy.Source
	if v := m.get("source"); v != nil {
		r.Source = d.text(v, "source of "+m.what)
		d.knownSource(v, r.Source, SourceSQL)
	} else if r.Source == "" || d.env.checked() && d.env.Sources[r.Source] == SourceFiles {
		d.fail(m.node, "source: the database of the table", "%s does not say which source its table is in", m.what)
	}
	if len(pairs) != 1 || !slices.Contains([]string{retention.FilePath, retention.FileName, retention.FileStem}, pairs[0].Ours) {
		if v := m.get("on"); v != nil && len(pairs) > 0 {
			d.reject(v, "on: {their_column: path}, or name, or stem (the name without its extension)", "on of %s: a file is found by its path, name or stem", m.what)
		}
		return r, false
	}
	r.On = pairs[0]
	return r, r.Column != "" && r.Table.Name != "" && r.Source != ""
}

// rowColumn is the column of the listing that has what the row says.
func (d *decoder) rowColumn(r retention.FileRow, clock bool) string {
	name := r.Source + ": " + r.Table.String() + "." + r.Column
	if r.On.Ours != retention.FilePath || r.On.Theirs != retention.FilePath {
		name += " (" + r.On.Theirs + " = " + r.On.Ours + ")"
	}
	if clock && r.As != "" {
		name += " as " + string(r.As)
	}
	if clock && r.Zone != nil && r.Zone.String() != d.zone.String() {
		name += " in " + r.Zone.String()
	}
	d.addFileColumn(retention.FileColumn{Name: name, Clock: clock, Row: &r})
	return name
}

// fileSubject reads whom a file is about: a part of its name, or what a row says.
func (d *decoder) fileSubject(n *yaml.Node, of string) string {
	switch {
	case hasKey(n, "metadata"):
		if m, ok := d.mapping(n, shapeWhoMetadata, "the subject "+of); ok {
			return d.label(m, "metadata", false)
		}
	case hasKey(n, "tag"):
		if m, ok := d.mapping(n, shapeWhoTag, "the subject "+of); ok {
			return d.label(m, "tag", false)
		}
	case hasKey(n, "name"):
		if m, ok := d.mapping(n, shapeWhoName, "the subject "+of); ok {
			c, _ := d.namePart(m.get("name"), "the name of subject "+of, false)
			return c
		}
	case n.Kind == yaml.MappingNode:
		if m, ok := d.mapping(n, shapeWhoRow, "the subject "+of); ok {
			if r, ok := d.fileRow(m); ok {
				return d.rowColumn(r, false)
			}
		}
	default:
		d.reject(n, `{name: 'user-(?P<id>\d+)'}, or {table: T, on: {their_column: path}, column: C}`, "a file has no column %s that names a person", scalarOr(n, "here"))
	}
	return ""
}

// fileChild reads files that go with a row.
func (d *decoder) fileChild(n *yaml.Node) (out retention.FileChild, ok bool) {
	m, ok := d.mapping(n, shapeFile, "a child")
	if !ok {
		return out, false
	}
	out.Pos = d.pos(n)
	v := m.get("files")
	out.Path = d.text(v, "files of a child")
	if out.Path != "" {
		const hint = `such as "uploads/{doc_path}": {column} stands for the row's value`
		plain := regexp.MustCompile(`\{[^{}/]+\}`).ReplaceAllString(out.Path, "x")
		switch {
		case plain == out.Path:
			d.reject(v, hint, "files of a child names no column: it would be the same file for every row")
		case strings.ContainsAny(plain, "{}*?[\\") || path.IsAbs(plain) || path.Clean(plain) != plain || strings.HasPrefix(plain, "..") || strings.ContainsFunc(plain, control):
			d.reject(v, hint, "files of a child cannot be %q", out.Path)
		}
	}
	if s := m.need("source", "source: the source of driver files or s3"); s != nil {
		out.Source = d.text(s, "source of a child")
		d.knownSource(s, out.Source, SourceFiles)
	}
	d.word(m.need("then", "then: delete"), "then of files", "delete")
	return out, out.Path != "" && out.Source != ""
}
