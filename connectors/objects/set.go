package objects

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// rowsOf opens the source of related rows.
type rowsOf func(ctx context.Context, source string) (retention.RowReader, error)

// set is a declared dataset of files: a table of the listing.
type set struct {
	name    retention.TableName
	columns []column
	unsafe  string // why nothing acts on it; as the last listing found it
	odd     Odd
	files   int64 // that the last listing found
	lost    int64 // of them, of which no row says whom they are about
}

// column is one that rules and subjects ask for.
type column struct {
	retention.FileColumn
	match *regexp.Regexp
	known *forms // while it is listed: files that have this form of content
	group int
}

// sets are the declared datasets, in order of their patterns.
type sets []*set

// newSets joins what several datasets ask of one pattern.
func newSets(files []retention.Files, every ...retention.FileColumn) (sets, error) {
	by := map[string]*set{}
	for _, f := range files {
		s := by[f.Pattern]
		if s == nil {
			s = &set{name: retention.TableName{Name: f.Pattern}}
			by[f.Pattern] = s
		}
		for _, c := range append(slices.Clone(every), f.Columns...) {
			if err := s.add(c); err != nil {
				return nil, err
			}
		}
	}
	var out sets
	for _, s := range by {
		slices.SortFunc(s.columns, func(a, b column) int { return strings.Compare(a.Name, b.Name) })
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *set) int { return strings.Compare(a.name.Name, b.name.Name) })
	return out, nil
}

func (s *set) add(c retention.FileColumn) error {
	if slices.ContainsFunc(s.columns, func(h column) bool { return h.Name == c.Name }) {
		return nil
	}
	x := column{FileColumn: c}
	if c.Row == nil && !x.labelled() && c.Content == "" {
		re, err := regexp.Compile(c.Match)
		if err != nil {
			return err
		}
		x.match = re
		for i, n := range re.SubexpNames() {
			if n != "" {
				x.group = i
			}
		}
	}
	s.columns = append(s.columns, x)
	return nil
}

func (x sets) find(n retention.TableName) *set {
	for _, s := range x {
		if s.name == n {
			return s
		}
	}
	return nil
}

func (x sets) patterns() Patterns {
	list := make([]string, len(x))
	for i, s := range x {
		list[i] = s.name.Name
	}
	return ParsePatterns(list)
}

// table is the set as policies are bound to it.
func (s *set) table() *retention.Table {
	t := &retention.Table{Name: s.name, Kind: "table", Key: []string{retention.FilePath}, Unsafe: s.unsafe}
	add := func(name, decl string, kind retention.Kind, nullable bool) {
		t.Columns = append(t.Columns, retention.Column{Name: name, Decl: decl, Kind: kind, Nullable: nullable, Unique: name == retention.FilePath})
	}
	add(retention.FilePath, "TEXT", retention.KindText, false)
	add(retention.FileName, "TEXT", retention.KindText, false)
	add(retention.FileStem, "TEXT", retention.KindText, false)
	add(retention.FileSize, "INTEGER", retention.KindInteger, false)
	add(retention.FileModified, "INTEGER", retention.KindInteger, false)
	for _, c := range s.columns {
		if c.Clock && c.Row != nil {
			add(c.Name, "INTEGER", retention.KindInteger, true)
		} else {
			add(c.Name, "TEXT", retention.KindText, true)
		}
	}
	if s.column(retention.FileLocked) != nil {
		t.Locked = retention.FileLocked
	}
	b, err := json.Marshal([]any{t.Name.Name, s.columns, t.Columns})
	if err == nil {
		sum := sha256.Sum256(b)
		t.Fingerprint = "sha256:" + hex.EncodeToString(sum[:])
	}
	return t
}

// MarshalJSON is what the column's meaning depends on.
func (c column) MarshalJSON() ([]byte, error) {
	o := []any{c.Name, c.Match, c.Clock}
	if r := c.Row; r != nil {
		o = append(o, r.Source, r.Table, r.On, r.Column, r.As)
		for _, l := range []interface{ String() string }{r.Zone, r.Days} {
			o = append(o, l.String())
		}
	}
	if c.Content != "" {
		o = append(o, c.Content)
	}
	if c.labelled() {
		o = append(o, c.Metadata, c.Tag, c.Locked)
	}
	return json.Marshal(o)
}
