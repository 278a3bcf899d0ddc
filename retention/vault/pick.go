package vault

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// Pick says which rows of segments to restore. Zero fields mean all.
type Pick struct {
	Key     string // of the rule's table; a composite one as a JSON array
	Subject *retention.SubjectID
	// All gives every row of a segment that the index says is about the subject: rows
	// may be about somebody through rows that are not in the segment.
	All bool
}

// Any reports whether the segment may have such rows.
func (v *Vault) Any(s *retention.Segment, p Pick) bool {
	return p.Subject == nil || s.MayBeAbout(v.Digests(p.Subject.Type, p.Subject.ID))
}

// Picker tells rows that were picked; children come after the rows that they go
// with.
type Picker struct {
	p    Pick
	own  *retention.SegmentTable
	rows [][]any
}

// NewPicker makes a picker for one segment.
func NewPicker(p Pick) *Picker { return &Picker{p: p} }

// Takes reports whether the row is picked.
func (x *Picker) Takes(t *retention.SegmentTable, row []any) bool {
	if x.p.Key == "" && (x.p.Subject == nil || x.p.All) {
		return true
	}
	if t.Child {
		return x.p.Key == "" && x.about(t, row) || x.follows(t, row)
	}
	if x.p.Key != "" && keyText(t, row) != x.p.Key || x.p.Subject != nil && !x.about(t, row) {
		return false
	}
	x.own = t
	x.rows = append(x.rows, row)
	return true
}

func (x *Picker) about(t *retention.SegmentTable, row []any) bool {
	if x.p.Subject == nil {
		return false
	}
	for _, name := range t.Subjects[x.p.Subject.Type] {
		if i := columnOf(t, name); i >= 0 && row[i] != nil && sameID(x.p.Subject.ID, row[i]) {
			return true
		}
	}
	return false
}

// follows reports whether a child row goes with a picked row.
func (x *Picker) follows(t *retention.SegmentTable, row []any) bool {
	if len(t.On) == 0 || x.own == nil {
		return false
	}
	return slices.ContainsFunc(x.rows, func(parent []any) bool {
		for _, p := range t.On {
			theirs, ours := columnOf(t, p.Theirs), columnOf(x.own, p.Ours)
			if theirs < 0 || ours < 0 || row[theirs] == nil || fmt.Sprint(row[theirs]) != fmt.Sprint(parent[ours]) {
				return false
			}
		}
		return true
	})
}

func columnOf(t *retention.SegmentTable, name string) int {
	return slices.IndexFunc(t.Columns, func(c retention.SegmentColumn) bool { return c.Name == name })
}

// keyText is a row's key as people write it: its text, or a JSON array.
func keyText(t *retention.SegmentTable, row []any) string {
	var key []any
	for _, k := range t.Key {
		if i := columnOf(t, k); i >= 0 {
			key = append(key, row[i])
		}
	}
	if len(key) == 1 {
		if b, ok := key[0].([]byte); ok {
			return fmt.Sprintf("%x", b)
		}
		return fmt.Sprint(key[0])
	}
	b, err := json.Marshal(key)
	if err != nil {
		return ""
	}
	return string(b)
}

// Values is a row as a JSON object by column, every value as segments write it.
func Values(t *retention.SegmentTable, row []any) ([]byte, error) {
	out := []byte(`{"table":`)
	out = append(appendText(out, t.Name.String()), `,"row":{`...)
	for i, v := range row {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendText(out, t.Columns[i].Name), ':')
		var err error
		if out, err = appendValue(out, v); err != nil {
			return nil, err
		}
	}
	return append(out, "}}\n"...), nil
}
