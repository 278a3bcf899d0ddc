package vault

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// part is one segment in the making.
type part struct {
	name        string
	rows        plain
	tables      []retention.SegmentTable
	first, last int64
	about       []uint64 // as they came: some more than once
	minimums    map[[3]string]*retention.SegmentMinimum
	files       int64 // that it has something of
	content     int   // bytes of files
}

// moment is the month, day or hour of a clock in the policy's zone: rows of one are in
// one segment.
type moment struct {
	year      int
	month     time.Month
	day, hour int
}

func (s *sealing) moment(clock int64) (time.Time, moment) {
	at := time.UnixMicro(clock).In(s.zone)
	var m moment
	m.year, m.month, m.day = at.Date()
	switch s.cut {
	case byMonth:
		m.day = 0
	case byHour:
		m.hour = at.Hour()
	}
	return at, m
}

// keep notes how far a minimum protects a row; child is the table of one that goes along.
func (p *part) keep(m *retention.Minimum, child string, clock *int64) {
	k := [3]string{m.Policy, m.Rule, child}
	had := p.minimums[k]
	if had == nil {
		had = &retention.SegmentMinimum{Policy: m.Policy, Rule: m.Rule, Child: child, Asks: m.Asks}
		p.minimums[k] = had
	}
	switch {
	case clock == nil:
	case *clock == math.MaxInt64:
		had.Unknown = true
	case had.Clock.IsZero() || time.UnixMicro(*clock).After(had.Clock):
		had.Clock = time.UnixMicro(*clock).UTC()
	}
}

// part is the segment for a clock, with the table begun in it.
func (s *sealing) part(clock int64) *part {
	at, m := s.moment(clock)
	if s.last != nil && s.lastAt == m {
		return s.last
	}
	p := s.parts[m]
	if p == nil {
		p = s.begin(at.Format(s.cut))
		s.parts[m] = p
	}
	s.last, s.lastAt = p, m
	t := s.table.Table
	if n := len(p.tables); n > 0 && p.tables[n-1].Name == t.Name && p.tables[n-1].Child == s.table.Child {
		return p
	}
	st := retention.SegmentTable{Name: t.Name, Child: s.table.Child, Files: s.table.Files, Key: t.Key, On: s.table.On, Subjects: map[string][]string{}, Fingerprint: t.Fingerprint}
	head := tableLine{Table: t.Name.String(), Child: s.table.Child}
	for _, c := range t.Columns {
		st.Columns = append(st.Columns, retention.SegmentColumn{Name: c.Name, Decl: c.Decl, Kind: c.Kind, Generated: c.Generated})
		head.Columns, head.Types = append(head.Columns, c.Name), append(head.Types, c.Decl)
	}
	for _, sub := range s.table.Subjects {
		if len(sub.Columns) > 0 {
			st.Subjects[sub.Type] = append(st.Subjects[sub.Type], sub.Columns...)
		}
	}
	p.tables = append(p.tables, st)
	line, err := json.Marshal(head)
	if err != nil { // names and types are texts
		line = []byte("{}")
	}
	p.rows.write(append(line, '\n'), &s.v.spare)
	return p
}

// begin begins a segment with its first line.
func (s *sealing) begin(bucket string) *part {
	p := &part{name: s.nth(bucket) + intentPart(s.o.Intent), first: math.MaxInt64, last: math.MinInt64, minimums: map[[3]string]*retention.SegmentMinimum{}}
	head, err := json.Marshal(segmentLine{p.name, randomName()})
	if err != nil { // both are texts
		head = []byte("{}")
	}
	p.rows.write(append(head, '\n'), &s.v.spare)
	return p
}

// tableLine stands before a table's rows.
type tableLine struct {
	Table   string   `json:"table"`
	Child   bool     `json:"child,omitempty"`
	Columns []string `json:"columns"`
	Types   []string `json:"types"`
}

// segmentLine is the first line: the nonce keeps the content's hash, which the
// manifest shows, from being guessed back.
type segmentLine struct {
	Segment string `json:"segment"`
	Nonce   string `json:"nonce"`
}

func (s *sealing) segment(p *part) *retention.Segment {
	o := &s.o
	seg := &retention.Segment{
		Vault: s.v.o.Name, Name: p.name, Intent: o.Intent, Source: o.Source, SourceUUID: o.SourceUUID,
		Policy: o.Policy.Name, Digest: o.Policy.Digest, Rule: o.Rule.ID, Stage: o.Stage, Meaning: o.Rule.Meaning, From: o.Rule.From, Ways: o.Ways, Dataset: o.Rule.Dataset,
		Tables: p.tables, First: time.UnixMicro(p.first).UTC(), Last: time.UnixMicro(p.last).UTC(), SealedAt: o.At.UTC(),
		Recipients: s.v.o.Recipients, Types: slices.Sorted(maps.Keys(s.types)),
	}
	var all int64
	for _, t := range p.tables {
		all += t.Rows
		if !t.Child {
			seg.Rows += t.Rows
		}
	}
	if p.files > 0 {
		seg.Rows = p.files
	}
	if seg.Rows == 0 { // children of a row that follows
		seg.Rows = all
	}
	if s.ends != nil {
		seg.Ends = retention.EndOf(seg.Last, o.Policy, o.Rule, s.ends.Keep)
	}
	for _, k := range slices.SortedFunc(maps.Keys(p.minimums), func(a, b [3]string) int { return slices.Compare(a[:], b[:]) }) {
		seg.Minimums = append(seg.Minimums, *p.minimums[k])
	}
	seg.About = distinct(append(p.about, s.about...))
	return seg
}

// distinct are the digests in order, each once.
func distinct(about []uint64) []uint64 {
	slices.Sort(about)
	return slices.Compact(about)
}
